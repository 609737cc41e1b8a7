# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Runs the hot parts of the chain in one pass over raw 16-bit samples, without the interpreter's lock.

Sums of samples are integers and therefore exact. Rows may lie any number of bytes apart and at any address.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

cdef extern from *:
    """
    #include <math.h>
    #include <stdint.h>
    #include <string.h>

    /* Let the machine choose the width of its vectors at run time, where the loader can. */
    #if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
    #define CLONES __attribute__((target_clones("avx2", "default")))
    /* A maximum of finite numbers may be taken in any order: the result is the same to the last bit. */
    #define FINITE __attribute__((optimize("finite-math-only", "no-signed-zeros")))
    #else
    #define CLONES
    #define FINITE
    #endif

    #if defined(__has_builtin)
    #if __has_builtin(__builtin_shufflevector)
    #define HAS_SHUFFLE
    #endif
    #endif

    #define BLOCK 128

    /* Ask for the next row while this one is worked on: rows far apart are not foreseen by the hardware. */
    static void fetch(const char *row, int64_t n_bytes) {
    #if defined(__GNUC__)
        for (int64_t at = 0; at < n_bytes; at += 64) __builtin_prefetch(row + at);
    #else
        (void)row; (void)n_bytes;
    #endif
    }

    /* widen: samples to 32 bits. sums: of w[k] and of k * w[k]; BLOCK samples fit 32 bits. */
    #define FOR_SAMPLES_OF(TYPE, SUFFIX)                                                                  \\
    CLONES static void widen_##SUFFIX(const char *row, int64_t n, int32_t *out) {                         \\
        for (int64_t k = 0; k < n; k++) {                                                                 \\
            TYPE sample;                                                                                  \\
            memcpy(&sample, row + 2 * k, 2);                                                              \\
            out[k] = sample;                                                                              \\
        }                                                                                                 \\
    }                                                                                                     \\
    CLONES static void sums_##SUFFIX(const char *row, int64_t n, int64_t *total, int64_t *moment) {       \\
        *total = *moment = 0;                                                                             \\
        for (int64_t begin = 0; begin < n; begin += BLOCK) {                                              \\
            int32_t length = n - begin < BLOCK ? (int32_t)(n - begin) : BLOCK, t = 0, m = 0;              \\
            for (int32_t k = 0; k < length; k++) {                                                        \\
                TYPE sample;                                                                              \\
                memcpy(&sample, row + 2 * (begin + k), 2);                                                \\
                t += sample;                                                                              \\
                m += k * sample;                                                                          \\
            }                                                                                             \\
            *total += t;                                                                                  \\
            *moment += begin * t + m;                                                                     \\
        }                                                                                                 \\
    }
    FOR_SAMPLES_OF(uint16_t, u2)
    FOR_SAMPLES_OF(int16_t, i2)

    /* window[k] = sum of the `rise` samples that end with k; the `rise` places before `samples` hold 0. */
    CLONES static void window_sums(const int32_t *samples, int64_t n, int64_t rise, int32_t *window) {
        const int32_t *leaving = samples - rise;
        int32_t sum = 0;
        int64_t k = 0;
    #ifdef HAS_SHUFFLE
        typedef int32_t four __attribute__((vector_size(16)));
        four zero = {0}, carry = {0};
        for (; k + 8 <= n; k += 8) {
            four x, y, x_out, y_out;
            memcpy(&x, samples + k, 16);
            memcpy(&y, samples + k + 4, 16);
            memcpy(&x_out, leaving + k, 16);
            memcpy(&y_out, leaving + k + 4, 16);
            x -= x_out;
            y -= y_out;
            x += __builtin_shufflevector(zero, x, 0, 4, 5, 6);
            y += __builtin_shufflevector(zero, y, 0, 4, 5, 6);
            x += __builtin_shufflevector(zero, x, 0, 1, 4, 5);
            y += __builtin_shufflevector(zero, y, 0, 1, 4, 5);
            four x_sum = __builtin_shufflevector(x, x, 3, 3, 3, 3);
            four y_sum = __builtin_shufflevector(y, y, 3, 3, 3, 3);
            y += x_sum;
            x += carry;
            y += carry;
            carry += x_sum + y_sum;
            memcpy(window + k, &x, 16);
            memcpy(window + k + 4, &y, 16);
        }
        sum = carry[0];
    #endif
        for (; k < n; k++) {
            sum += samples[k] - leaving[k];
            window[k] = sum;
        }
    }

    /* Where the baseline's own trapezoid still changes: line k is c0 * table0[k] + c1 * table1[k]. */
    CLONES FINITE static double highest_over_line(const int32_t *window, int64_t gap, int64_t n,
            const double *table0, const double *table1, double c0, double c1) {
        const int32_t *before = window - gap;
        double highest = -INFINITY;
        for (int64_t k = 0; k < n; k++) {
            double height = (window[k] - before[k]) - c0 * table0[k] - c1 * table1[k];
            highest = height > highest ? height : highest;
        }
        return highest;
    }

    CLONES static int32_t highest_of(const int32_t *window, int64_t gap, int64_t n) {
        const int32_t *before = window - gap;
        int32_t highest = INT32_MIN;
        for (int64_t k = 0; k < n; k++) {
            int32_t height = window[k] - before[k];
            highest = height > highest ? height : highest;
        }
        return highest;
    }

    /* The trapezoid of the pole-zero corrected samples is D[k] + lost * sum of D[j] over j < k. */
    CLONES FINITE static double highest_corrected(const int32_t *window, int64_t gap, int64_t n,
            const double *table0, const double *table1, double c0, double c1, double lost, double *sums) {
        const int32_t *before = window - gap;
        double sum = 0;
        int64_t k = 0;
        /* Whole numbers below 2**53: exact in double, in any order of adding. */
        for (; k < n; k++) sums[k] = window[k] - before[k];
        for (k = 0; k + 4 <= n; k += 4) {
            double first = sums[k], two = first + sums[k + 1], three = two + sums[k + 2];
            double four = two + (sums[k + 2] + sums[k + 3]);
            sums[k] = sum;
            sums[k + 1] = sum + first;
            sums[k + 2] = sum + two;
            sums[k + 3] = sum + three;
            sum += four;
        }
        for (; k < n; k++) {
            double height = sums[k];
            sums[k] = sum;
            sum += height;
        }
        double highest = -INFINITY;
        for (int64_t k = 0; k < n; k++) {
            double height = (window[k] - before[k]) + lost * sums[k] - c0 * table0[k] - c1 * table1[k];
            highest = height > highest ? height : highest;
        }
        return highest;
    }

    #undef CLONES
    #undef FINITE
    #undef BLOCK
    """
    void fetch(const char *row, int64_t n_bytes) noexcept nogil
    void widen_u2(const char *row, int64_t n, int32_t *out) noexcept nogil
    void widen_i2(const char *row, int64_t n, int32_t *out) noexcept nogil
    void sums_u2(const char *row, int64_t n, int64_t *total, int64_t *moment) noexcept nogil
    void sums_i2(const char *row, int64_t n, int64_t *total, int64_t *moment) noexcept nogil
    void window_sums(const int32_t *samples, int64_t n, int64_t rise, int32_t *window) noexcept nogil
    int32_t highest_of(const int32_t *window, int64_t gap, int64_t n) noexcept nogil
    double highest_over_line(const int32_t *window, int64_t gap, int64_t n, const double *table0,
                             const double *table1, double c0, double c1) noexcept nogil
    double highest_corrected(const int32_t *window, int64_t gap, int64_t n, const double *table0,
                             const double *table1, double c0, double c1, double lost,
                             double *sums) noexcept nogil


cdef struct Rows:
    const char *first
    int64_t n_rows
    int64_t n_samples
    int64_t stride
    bint is_signed


cdef Rows rows_of(waveforms) except *:
    """See 16-bit samples, (n_rows, n_samples), as they lie in memory."""
    cdef Rows rows
    if waveforms.dtype.char not in "Hh" or not waveforms.dtype.isnative or waveforms.strides[1] != 2:
        raise ValueError("samples of 16 bits that follow one another are needed")
    rows.first = <const char *><size_t>waveforms.__array_interface__["data"][0]
    rows.n_rows, rows.n_samples = waveforms.shape
    rows.stride = waveforms.strides[0]
    rows.is_signed = waveforms.dtype.kind == "i"
    return rows


def stretch_means(waveforms, int64_t begin, int64_t end):
    """Mean of the samples [begin, end) of each row."""
    cdef Rows rows = rows_of(waveforms)
    means = np.empty(rows.n_rows)
    cdef double[::1] out = means
    cdef int64_t i, total, moment
    with nogil:
        for i in range(rows.n_rows):
            row_sums(&rows, i, begin, end, &total, &moment)
            out[i] = <double>total / (end - begin)
    return means


def stretch_lines(waveforms, int64_t begin, int64_t end):
    """Value at sample 0 and slope of the line fitted to the samples [begin, end) of each row."""
    cdef Rows rows = rows_of(waveforms)
    values, slopes = np.empty(rows.n_rows), np.empty(rows.n_rows)
    cdef double[::1] c0 = values, c1 = slopes
    cdef int64_t i, total, moment, n = end - begin
    cdef double centre = begin + (n - 1) / 2.0, spread = <double>n * (<double>n * n - 1) / 6.0
    with nogil:
        for i in range(rows.n_rows):
            row_sums(&rows, i, begin, end, &total, &moment)
            c1[i] = (2 * moment - (n - 1) * total) / spread
            c0[i] = <double>total / n - c1[i] * centre
    return values, slopes


cdef inline void row_sums(Rows *rows, int64_t i, int64_t begin, int64_t end,
                          int64_t *total, int64_t *moment) noexcept nogil:
    cdef const char *row = rows.first + i * rows.stride + 2 * begin
    if i + 1 < rows.n_rows:
        fetch(row + rows.stride, 2 * (end - begin))
    if rows.is_signed:
        sums_i2(row, end - begin, total, moment)
    else:
        sums_u2(row, end - begin, total, moment)


def trapezoid_maxima(waveforms, const double[::1] bl_int, const double[::1] bl_slope, int64_t rise, int64_t flat,
                     const double[::1] table0, const double[::1] table1, double lost):
    """Maximum of the trapezoid of each row less its baseline; NaN where the baseline is not finite.

    table0, table1: `rise` times the trapezoid of a constant 1 and of the ramp 0, 1, 2 … lost: what a pulse loses
    from one sample to the next, 1 - exp(-1/tau), where pole-zero correction is wanted, else 0.
    `rise` times 65535 must fit 31 bits.
    """
    cdef Rows rows = rows_of(waveforms)
    cdef int64_t i, n = rows.n_samples, gap = min(rise + flat, n), settled = min(rise + gap, n)
    if min(bl_int.shape[0], bl_slope.shape[0]) < rows.n_rows or min(table0.shape[0], table1.shape[0]) < n:
        raise ValueError("each row needs its baseline and each sample its entry in the tables")
    if rise < 1 or flat < 0 or rise > 32767 or n < 1:
        raise ValueError("rise must be from 1 to 32767 samples")
    maxima = np.empty(rows.n_rows)
    cdef double[::1] out = maxima
    cdef size_t n_words = rise + n + gap + n
    cdef int32_t *words = <int32_t *>malloc(n_words * sizeof(int32_t))
    if words == NULL:
        raise MemoryError
    cdef double *sums = <double *>malloc(n * sizeof(double)) if lost else NULL
    if lost and sums == NULL:
        free(words)
        raise MemoryError
    cdef int32_t *samples = words + rise
    cdef int32_t *window = samples + n + gap
    cdef double highest, rest
    with nogil:
        memset(words, 0, n_words * sizeof(int32_t))
        for i in range(rows.n_rows):
            if not (bl_int[i] - bl_int[i] == 0 and bl_slope[i] - bl_slope[i] == 0):
                out[i] = bl_int[i] * 0 + bl_slope[i] * 0
                continue
            if i + 1 < rows.n_rows:
                fetch(rows.first + (i + 1) * rows.stride, 2 * n)
            if rows.is_signed:
                widen_i2(rows.first + i * rows.stride, n, samples)
            else:
                widen_u2(rows.first + i * rows.stride, n, samples)
            window_sums(samples, n, rise, window)
            if lost:
                highest = highest_corrected(window, gap, n, &table0[0], &table1[0], bl_int[i], bl_slope[i], lost,
                                            sums)
            else:
                highest = highest_over_line(window, gap, settled, &table0[0], &table1[0], bl_int[i], bl_slope[i])
                if settled < n:
                    rest = highest_of(window + settled, gap, n - settled) - bl_int[i] * table0[settled]
                    rest = rest - bl_slope[i] * table1[settled]
                    highest = rest if rest > highest else highest
            out[i] = highest / rise
        free(words)
        free(sums)
    return maxima
