# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Parts 16-bit samples into bit planes; reads and decompresses chunks of them without the interpreter's lock.

zstd is not built here: its functions are called where a library that is loaded already has them.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdlib cimport free, malloc

cdef extern from "c/bit_planes.h":
    void join_planes(const uint8_t *planes, int64_t plane_bytes, uint8_t *out, bint plainly) nogil
    void split_planes(const uint8_t *samples, int64_t plane_bytes, uint8_t *planes, bint plainly) nogil
    bint has_vectors() nogil

cdef extern from "c/blosc_form.h":
    enum:
        FRAME_AT
        STORED_BYTES_AT
    uint32_t number_at(const uint8_t *chunk, int64_t place) nogil
    bint is_of_samples(const uint8_t *chunk, int64_t n_bytes, int64_t unpacked_bytes) nogil

cdef extern from "c/crc32.h":
    void make_crc_tables() nogil
    uint32_t crc32_of(const uint8_t *data, int64_t n_bytes, uint32_t before, bint plainly) nogil

cdef extern from "c/read_at.h":
    int64_t read_at(int file, void *out, int64_t n_bytes, int64_t offset) nogil

ctypedef void *(*Create)() noexcept nogil
ctypedef size_t (*Free)(void *) noexcept nogil
ctypedef size_t (*Decompress)(void *, void *, size_t, const void *, size_t) noexcept nogil

cdef enum:
    MOST_CHUNKS = 64
    SUM_BYTES = 4

make_crc_tables()

HAS_VECTORS = bool(has_vectors())


def join_samples(const uint8_t[::1] planes, uint8_t[::1] out, *, bint plainly=False):
    """Put 16-bit samples together from their 16 planes; both have the same length, a multiple of 16 bytes.

    plainly: without the vectors of the machine, whatever it has.
    """
    cdef int64_t n_bytes = planes.shape[0]
    if n_bytes % 16 or out.shape[0] != n_bytes:
        raise ValueError(f"{n_bytes} bytes of planes do not make {out.shape[0]} bytes of samples")
    if n_bytes:
        with nogil:
            join_planes(&planes[0], n_bytes // 16, &out[0], plainly)


def split_samples(const uint8_t[::1] samples, uint8_t[::1] planes, *, bint plainly=False):
    """Part 16-bit samples into their 16 planes: the reverse of join_samples."""
    cdef int64_t n_bytes = samples.shape[0]
    if n_bytes % 16 or planes.shape[0] != n_bytes:
        raise ValueError(f"{n_bytes} bytes of samples do not make {planes.shape[0]} bytes of planes")
    if n_bytes:
        with nogil:
            split_planes(&samples[0], n_bytes // 16, &planes[0], plainly)


def crc32(const uint8_t[::1] data, uint32_t before=0, *, bint plainly=False):
    """Compute what zlib.crc32 does.

    plainly: without the instructions of the machine, whatever it has.
    """
    cdef uint32_t found
    cdef int64_t n_bytes = data.shape[0]
    if not n_bytes:
        return before
    with nogil:
        found = crc32_of(&data[0], n_bytes, before, plainly)
    return found


cdef class Bench:
    """What one thread needs to unpack chunks of `unpacked_bytes`: memory, and a context of zstd's.

    create, release, decompress: addresses of ZSTD_createDCtx, ZSTD_freeDCtx and ZSTD_decompressDCtx.
    """

    cdef void *context
    cdef uint8_t *memory
    cdef Free release
    cdef Decompress decompress
    cdef readonly int64_t unpacked_bytes

    def __cinit__(self, size_t create, size_t release, size_t decompress, int64_t unpacked_bytes):
        if unpacked_bytes < 16 or unpacked_bytes % 16:
            raise ValueError(f"{unpacked_bytes} bytes are no planes of samples")
        self.release, self.decompress = <Free> release, <Decompress> decompress
        self.unpacked_bytes = unpacked_bytes
        self.context = (<Create> create)()
        self.memory = <uint8_t *> malloc(2 * unpacked_bytes)
        if self.context == NULL or self.memory == NULL:
            raise MemoryError

    def __dealloc__(self):
        if self.context != NULL:
            self.release(self.context)
        free(self.memory)

    def unpack(self, int file, places, uint8_t[::1] out):
        """Unpack chunks of a file behind one another into `out`; gives how many of them.

        places: offset and bytes of each, with the checksum behind a chunk that has one. Stops before one
        that is damaged, of another form, or not smaller than what comes of it; a part of its place in
        `out` may then have been written.
        """
        cdef int64_t offsets[MOST_CHUNKS]
        cdef int64_t sizes[MOST_CHUNKS]
        cdef Py_ssize_t n = min(len(places), MOST_CHUNKS, out.shape[0] // self.unpacked_bytes), done = 0
        for i in range(n):
            offsets[i], sizes[i] = places[i]
        with nogil:
            while done < n and self.one(file, offsets[done], sizes[done], &out[done * self.unpacked_bytes]):
                done += 1
        return done

    cdef bint one(self, int file, int64_t offset, int64_t n_bytes, uint8_t *out) noexcept nogil:
        cdef uint8_t *chunk = self.memory
        cdef uint8_t *planes = self.memory + self.unpacked_bytes
        cdef size_t room = self.unpacked_bytes
        if n_bytes > self.unpacked_bytes or read_at(file, chunk, n_bytes, offset) != n_bytes:
            return False
        if n_bytes == <int64_t> number_at(chunk, STORED_BYTES_AT) + SUM_BYTES:
            n_bytes -= SUM_BYTES
            if crc32_of(chunk, n_bytes, 0, False) != number_at(chunk, n_bytes):
                return False
        if not is_of_samples(chunk, n_bytes, self.unpacked_bytes):
            return False
        if self.decompress(self.context, planes, room, chunk + FRAME_AT, n_bytes - FRAME_AT) != room:
            return False
        join_planes(planes, self.unpacked_bytes // 16, out, False)
        return True
