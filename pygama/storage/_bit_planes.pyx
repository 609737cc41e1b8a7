# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Puts the bits of 16-bit samples together again, without the interpreter's lock.

Blosc's bit shuffle stores the lowest bits of all samples first, then the second ones, and so on: 16 planes.
Eight planes are eight rows of a matrix of bits, which is turned around its diagonal, eight columns at a time,
by exchanging ever smaller squares. Only bytes are read and written, so the order of bytes does not matter.
"""

from libc.stdint cimport int64_t, uint8_t

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    /* Let the machine choose the width of its vectors at run time, where the loader can. */
    #if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
    #define CLONES __attribute__((target_clones("avx2", "default")))
    #else
    #define CLONES
    #endif

    /* Bytes of each plane that are worked on at a time: what comes of them stays in the nearest cache. */
    #define WORDS 32
    #define STRETCH (8 * WORDS)

    #define EXCHANGE(a, b, by, mask) { uint64_t t = (((a) >> (by)) ^ (b)) & (mask); (b) ^= t; (a) ^= t << (by); }

    /* Turn eight planes of STRETCH bytes: byte k of turned[j] is then made of bit j of each plane's byte k. */
    static inline void turn(const uint8_t *planes, int64_t plane_bytes, uint64_t turned[8][WORDS]) {
        const uint64_t fours = 0x0f0f0f0f0f0f0f0f, twos = 0x3333333333333333, ones = 0x5555555555555555;
        uint64_t rows[8][WORDS];
        for (int i = 0; i < 8; i++) memcpy(rows[i], planes + i * plane_bytes, STRETCH);
        for (int w = 0; w < WORDS; w++) {
            uint64_t a = rows[0][w], b = rows[1][w], c = rows[2][w], d = rows[3][w];
            uint64_t e = rows[4][w], f = rows[5][w], g = rows[6][w], h = rows[7][w];
            EXCHANGE(a, e, 4, fours) EXCHANGE(b, f, 4, fours) EXCHANGE(c, g, 4, fours) EXCHANGE(d, h, 4, fours)
            EXCHANGE(a, c, 2, twos) EXCHANGE(b, d, 2, twos) EXCHANGE(e, g, 2, twos) EXCHANGE(f, h, 2, twos)
            EXCHANGE(a, b, 1, ones) EXCHANGE(c, d, 1, ones) EXCHANGE(e, f, 1, ones) EXCHANGE(g, h, 1, ones)
            turned[0][w] = a; turned[1][w] = b; turned[2][w] = c; turned[3][w] = d;
            turned[4][w] = e; turned[5][w] = f; turned[6][w] = g; turned[7][w] = h;
        }
    }

    /* Make the samples of STRETCH bytes of each plane: 16 * STRETCH bytes. */
    CLONES static void join_stretch(const uint8_t *planes, int64_t plane_bytes, uint8_t *out) {
        uint64_t low[8][WORDS], high[8][WORDS];
        turn(planes, plane_bytes, low);
        turn(planes + 8 * plane_bytes, plane_bytes, high);
        const uint8_t *lows = (const uint8_t *)low, *highs = (const uint8_t *)high;
        for (int k = 0; k < STRETCH; k++) {
            for (int j = 0; j < 8; j++) {
                out[16 * k + 2 * j] = lows[j * STRETCH + k];
                out[16 * k + 2 * j + 1] = highs[j * STRETCH + k];
            }
        }
    }

    static void join_planes(const uint8_t *planes, int64_t plane_bytes, uint8_t *out) {
        int64_t at = 0;
        for (; at + STRETCH <= plane_bytes; at += STRETCH) join_stretch(planes + at, plane_bytes, out + 16 * at);
        int64_t left = plane_bytes - at;
        if (left) {
            uint8_t rest[16][STRETCH] = {{0}}, made[16 * STRETCH];
            for (int i = 0; i < 16; i++) memcpy(rest[i], planes + i * plane_bytes + at, left);
            join_stretch(&rest[0][0], STRETCH, made);
            memcpy(out + 16 * at, made, 16 * left);
        }
    }
    """
    void join_planes(const uint8_t *planes, int64_t plane_bytes, uint8_t *out) nogil


def join_samples(const uint8_t[::1] planes, uint8_t[::1] out):
    """Put 16-bit samples together from their 16 planes; both have the same length, a multiple of 16 bytes."""
    cdef int64_t n_bytes = planes.shape[0]
    if n_bytes % 16 or out.shape[0] != n_bytes:
        raise ValueError(f"{n_bytes} bytes of planes do not make {out.shape[0]} bytes of samples")
    if n_bytes:
        with nogil:
            join_planes(&planes[0], n_bytes // 16, &out[0])
