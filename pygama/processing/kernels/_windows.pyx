# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Finds the centre of a window in raw samples and copies windows out, without the interpreter's lock."""

from libc.string cimport memcpy

cdef extern from *:
    """
    #include <stddef.h>
    #include <stdint.h>
    #include <stdlib.h>

    /* The maximum of a stretch is all that needs wide vectors: let the machine choose at run time. */
    #if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
    #define PYGAMA_CLONES __attribute__((target_clones("arch=skylake-avx512", "avx2", "default")))
    #else
    #define PYGAMA_CLONES
    #endif

    #define PYGAMA_STRETCH 512

    #define PYGAMA_FIRST_MAXIMUM(NAME, TYPE)                                        \\
    PYGAMA_CLONES static TYPE NAME##_of(const TYPE *w, ptrdiff_t n) {               \\
        TYPE best = w[0];                                                           \\
        for (ptrdiff_t i = 1; i < n; i++) best = w[i] > best ? w[i] : best;         \\
        return best;                                                                \\
    }                                                                               \\
    static int64_t NAME(const TYPE *w, int64_t n) {                                 \\
        if (n <= 0) return 0;                                                       \\
        int64_t where = 0;                                                          \\
        TYPE best = w[0];                                                           \\
        for (int64_t i = 0; i < n; i += PYGAMA_STRETCH) {                           \\
            int64_t length = n - i < PYGAMA_STRETCH ? n - i : PYGAMA_STRETCH;       \\
            TYPE highest = NAME##_of(w + i, length);                                \\
            if (highest > best) { best = highest; where = i; }                      \\
        }                                                                           \\
        while (w[where] != best) where++;                                           \\
        return where;                                                               \\
    }

    PYGAMA_FIRST_MAXIMUM(pygama_first_maximum_u2, uint16_t)
    PYGAMA_FIRST_MAXIMUM(pygama_first_maximum_i2, int16_t)
    """
    long long pygama_first_maximum_u2(const unsigned short *w, long long n) nogil
    long long pygama_first_maximum_i2(const short *w, long long n) nogil

ctypedef fused sample:
    unsigned short
    short


def gather(const sample[::1] source, const long long[::1] first, sample[:, ::1] out):
    """Copy out.shape[1] samples from each `first` into the rows of `out`."""
    cdef Py_ssize_t row, n_bytes = out.shape[1] * sizeof(sample)
    if out.shape[0] == 0 or out.shape[1] == 0:
        return
    with nogil:
        for row in range(out.shape[0]):
            memcpy(&out[row, 0], &source[first[row]], n_bytes)


def first_maximum(
    const sample[::1] source, const long long[::1] first, const long long[::1] count, long long[::1] out
):
    """Write the place of the first maximum of each row into `out`."""
    cdef Py_ssize_t row
    with nogil:
        for row in range(out.shape[0]):
            if count[row] <= 0:
                out[row] = 0
            elif sample is short:
                out[row] = pygama_first_maximum_i2(&source[first[row]], count[row])
            else:
                out[row] = pygama_first_maximum_u2(&source[first[row]], count[row])


cdef long long _half_height(const sample *w, long long n, long long n_line) noexcept nogil:
    cdef long long k, total = 0, weighted = 0
    cdef double c0, c1, mean_k, spread, best, height
    if n <= 0:
        return 0
    n_line = min(n_line, n)
    for k in range(n_line):
        total += w[k]
        weighted += k * w[k]
    mean_k = (n_line - 1) / 2.0
    spread = n_line * (<double>n_line * n_line - 1.0) / 12.0
    c1 = (weighted - mean_k * total) / spread if n_line > 1 else 0.0
    c0 = <double>total / n_line - c1 * mean_k
    best = w[0] - c0
    for k in range(1, n):
        height = w[k] - (c0 + c1 * k)
        if height > best:
            best = height
    best = 0.5 * best
    for k in range(n):
        if w[k] - (c0 + c1 * k) >= best:
            return k
    return 0


def half_height(
    const sample[::1] source,
    const long long[::1] first,
    const long long[::1] count,
    long long n_line,
    long long[::1] out,
):
    """Write the first sample at half height above a line through the first `n_line` samples into `out`."""
    cdef Py_ssize_t row
    with nogil:
        for row in range(out.shape[0]):
            out[row] = 0 if count[row] <= 0 else _half_height(&source[first[row]], count[row], n_line)
