# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Puts the bits of 16-bit samples together again, which Blosc's bit shuffle laid apart."""

from libc.stdint cimport int64_t, uint8_t

cdef extern from "c/bit_planes.h":
    void join_planes(const uint8_t *planes, int64_t plane_bytes, uint8_t *out, bint plainly) nogil
    bint has_vectors() nogil


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
