# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Walks through HDF5's index of chunks, without the interpreter's lock.

HDF5 calls back for each chunk while it holds a lock of its own. A callback that had to wait for the interpreter
would wait for ever where another thread has the interpreter and waits for HDF5.
"""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free, realloc

ctypedef int (*Take)(const uint64_t *, unsigned, uint64_t, uint64_t, void *) noexcept nogil
ctypedef int (*Walk)(int64_t, int64_t, Take, void *) noexcept nogil

cdef int N_FACTS = 4

cdef struct Found:
    int64_t *facts
    Py_ssize_t n
    Py_ssize_t room


cdef int take(
    const uint64_t *start, unsigned left_out, uint64_t offset, uint64_t n_bytes, void *data
) noexcept nogil:
    cdef Found *found = <Found *> data
    cdef Py_ssize_t room
    cdef int64_t *more
    if found.n == found.room:
        room = 2 * found.room if found.room else 256
        more = <int64_t *> realloc(found.facts, room * N_FACTS * sizeof(int64_t))
        if more == NULL:
            return -1
        found.facts, found.room = more, room
    more = found.facts + N_FACTS * found.n
    more[0] = <int64_t> start[0]
    more[1] = <int64_t> left_out
    more[2] = <int64_t> offset
    more[3] = <int64_t> n_bytes
    found.n += 1
    return 0


def walk(size_t function, int64_t leaf):
    """Give 4 integers of 64 bits for each chunk, as bytes: its first row, filters left out, offset, bytes.

    function: address of H5Dchunk_iter. leaf: HDF5's number of a dataset that has chunks. None if HDF5 fails.
    """
    cdef Found found
    cdef int status
    found.facts, found.n, found.room = NULL, 0, 0
    with nogil:
        status = (<Walk> function)(leaf, 0, take, &found)
    try:
        if status < 0:
            return None
        return (<char *> found.facts)[: found.n * N_FACTS * sizeof(int64_t)] if found.n else b""
    finally:
        free(found.facts)
