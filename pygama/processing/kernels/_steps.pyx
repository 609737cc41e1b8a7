# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Does single steps of the chain as their plain functions do, without the interpreter's lock.

Sums that each wait for the one before are worked on for eight rows side by side, four in the lanes of a
vector: samples come in as they lie, are turned so that sample k of four rows lies together, added up, and turned
back. So each row's sum is taken in the order in which NumPy takes it, and comes out the same to the last bit.
Sums over a stretch are taken in NumPy's order too. Nothing is written but one new array for each result.
"""

import numpy as np

from cpython.buffer cimport PyBUF_FORMAT, PyBUF_STRIDES, PyBuffer_Release, PyObject_GetBuffer
from libc.math cimport NAN, ceil, sqrt
from libc.stdint cimport int16_t, int64_t, uint16_t
from libc.stdlib cimport free, malloc

cdef extern from *:
    """
    #include <math.h>
    #include <stdint.h>
    #include <string.h>

    /* Let the machine choose the width of its vectors at run time, where the loader can. */
    #if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
    #define CLONES __attribute__((target_clones("avx2", "default")))
    #else
    #define CLONES
    #endif

    /* Rows worked on side by side, and samples worked on at a time. */
    #define LANES 8
    #define CHUNK 128

    #if defined(__GNUC__)
    #define HAS_VECTORS 1
    #define INLINE static inline __attribute__((always_inline))
    typedef double four __attribute__((vector_size(32)));
    typedef int64_t mask __attribute__((vector_size(32)));
    typedef double loose __attribute__((vector_size(32), aligned(8), may_alias));
    #define AT(pointer) (*(const loose *)(pointer))
    #define PUT(pointer) (*(loose *)(pointer))
    #ifdef __clang__
    #define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
    #define UNROLL _Pragma("unroll")
    #else
    #define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (mask){__VA_ARGS__})
    #define UNROLL _Pragma("GCC unroll 8")
    #endif

    /* Make of four samples of four rows the four rows of each sample, and the other way round. */
    INLINE void turn(four *v) {
        four a = SHUFFLE(v[0], v[1], 0, 4, 2, 6), b = SHUFFLE(v[0], v[1], 1, 5, 3, 7);
        four c = SHUFFLE(v[2], v[3], 0, 4, 2, 6), d = SHUFFLE(v[2], v[3], 1, 5, 3, 7);
        v[0] = SHUFFLE(a, c, 0, 1, 4, 5);
        v[1] = SHUFFLE(b, d, 0, 1, 4, 5);
        v[2] = SHUFFLE(a, c, 2, 3, 6, 7);
        v[3] = SHUFFLE(b, d, 2, 3, 6, 7);
    }

    INLINE int is_any(const mask *found) {
        return ((*found)[0] | (*found)[1] | (*found)[2] | (*found)[3]) != 0;
    }
    #else
    #define HAS_VECTORS 0
    #define INLINE static inline
    #endif

    /* One row's place in each lane. */
    typedef struct {
        const double *in[LANES];
        double *out[LANES];
    } Lanes;

    enum Ending { PLAIN, DIVIDED, CORRECTED };

    INLINE double ended(int ending, double sum, double sample, double by) {
        return ending == DIVIDED ? sum / by : ending == CORRECTED ? (sum - sample) * by + sample : sum;
    }

    /* The sum of the samples up to each, which goes on from `sums`: as it is, divided, or of pole-zero corrected
     * samples. keep: what of the sum goes on to the next sample; 1 or, for a decay, less. */
    INLINE void run_on(const Lanes *lanes, int64_t n, double *sums, int ending, int decays, double keep, double by) {
        int64_t k = 0;
    #if HAS_VECTORS
        Lanes own = *lanes;
        four low = AT(sums), high = AT(sums + 4);
        for (; k + 4 <= n; k += 4) {
            four v[LANES];
            UNROLL
            for (int lane = 0; lane < LANES; lane++) v[lane] = AT(own.in[lane] + k);
            turn(v);
            turn(v + 4);
            UNROLL
            for (int i = 0; i < 4; i++) {
                v[i] = low = v[i] + (decays ? keep * low : low);
                v[i + 4] = high = v[i + 4] + (decays ? keep * high : high);
            }
            turn(v);
            turn(v + 4);
            UNROLL
            for (int lane = 0; lane < LANES; lane++) {
                four sum = v[lane];
                if (ending == DIVIDED) sum /= by;
                if (ending == CORRECTED) {
                    four sample = AT(own.in[lane] + k);
                    sum = (sum - sample) * by + sample;
                }
                PUT(own.out[lane] + k) = sum;
            }
        }
        PUT(sums) = low;
        PUT(sums + 4) = high;
    #endif
        for (; k < n; k++) {
            double samples[LANES];
            for (int lane = 0; lane < LANES; lane++) samples[lane] = lanes->in[lane][k];
            for (int lane = 0; lane < LANES; lane++) {
                sums[lane] = samples[lane] + (decays ? keep * sums[lane] : sums[lane]);
                lanes->out[lane][k] = ended(ending, sums[lane], samples[lane], by);
            }
        }
    }

    CLONES static void add_up(const Lanes *lanes, int64_t n, double *sums) {
        run_on(lanes, n, sums, PLAIN, 0, 1, 1);
    }

    CLONES static void add_up_and_divide(const Lanes *lanes, int64_t n, double *sums, double by) {
        run_on(lanes, n, sums, DIVIDED, 0, 1, by);
    }

    CLONES static void add_up_and_correct(const Lanes *lanes, int64_t n, double *sums, double lost) {
        run_on(lanes, n, sums, CORRECTED, 0, 1, lost);
    }

    CLONES static void add_up_decaying(const Lanes *lanes, int64_t n, double *sums, double keep) {
        run_on(lanes, n, sums, PLAIN, 1, keep, 1);
    }

    /* What comes into and goes out of the two windows of a trapezoid at samples begin ... begin + n - 1. */
    CLONES static void take_differences(const double *x, int64_t begin, int64_t n, int64_t rise, int64_t gap,
                                        double *out) {
        x += begin;
        if (begin >= gap + rise) {
            const double *a = x - rise, *b = x - gap, *c = x - gap - rise;
            for (int64_t k = 0; k < n; k++) out[k] = x[k] - a[k] - b[k] + c[k];
            return;
        }
        for (int64_t k = 0; k < n; k++) out[k] = x[k];
        for (int64_t k = rise > begin ? rise - begin : 0; k < n; k++) out[k] -= x[k - rise];
        for (int64_t k = gap > begin ? gap - begin : 0; k < n; k++) out[k] -= x[k - gap];
        for (int64_t k = gap + rise > begin ? gap + rise - begin : 0; k < n; k++) out[k] += x[k - gap - rise];
    }

    /* Sample k less `part` times the one before it; before the first there is 0. */
    CLONES static void take_from_next(const double *x, int64_t begin, int64_t n, double part, double *out) {
        x += begin;
        if (begin == 0) out[0] = x[0];
        for (int64_t k = begin == 0; k < n; k++) out[k] = x[k] - part * x[k - 1];
    }

    #define SUBTRACT_LINE(name, type)                                                                   \\
        CLONES static void name(const char *row, int32_t n, double value, double slope, double *out) {   \\
            const type *x = (const type *)row;                                                           \\
            for (int32_t k = 0; k < n; k++) out[k] = (double)x[k] - (value + slope * (double)k);         \\
        }
    SUBTRACT_LINE(subtract_line_u2, uint16_t)
    SUBTRACT_LINE(subtract_line_i2, int16_t)
    SUBTRACT_LINE(subtract_line_f8, double)

    /* The highest of the samples, of which there is one at least; NaN where one of them is. */
    CLONES static double highest_of(const double *x, int64_t n) {
        double top = x[0];
        int is_lost = 0;
        int64_t k = 0;
    #if HAS_VECTORS
        if (n >= 16) {
            four best[4];
            mask lost[4] = {{0}};
            UNROLL
            for (int i = 0; i < 4; i++) best[i] = AT(x + 4 * i);
            for (; k + 16 <= n; k += 16) {
                UNROLL
                for (int i = 0; i < 4; i++) {
                    four v = AT(x + k + 4 * i);
                    mask higher = v > best[i];
                    best[i] = (four)((higher & (mask)v) | (~higher & (mask)best[i]));
                    lost[i] |= v != v;
                }
            }
            for (int i = 0; i < 4; i++) {
                is_lost |= is_any(lost + i);
                for (int lane = 0; lane < 4; lane++)
                    if (best[i][lane] > top) top = best[i][lane];
            }
        }
    #endif
        for (; k < n; k++) {
            if (x[k] > top) top = x[k];
            is_lost |= x[k] != x[k];
        }
        return is_lost ? NAN : top;
    }

    CLONES static double lowest_of(const double *x, int64_t n) {
        double low = x[0];
        int is_lost = 0;
        int64_t k = 0;
    #if HAS_VECTORS
        if (n >= 16) {
            four best[4];
            mask lost[4] = {{0}};
            UNROLL
            for (int i = 0; i < 4; i++) best[i] = AT(x + 4 * i);
            for (; k + 16 <= n; k += 16) {
                UNROLL
                for (int i = 0; i < 4; i++) {
                    four v = AT(x + k + 4 * i);
                    mask lower = v < best[i];
                    best[i] = (four)((lower & (mask)v) | (~lower & (mask)best[i]));
                    lost[i] |= v != v;
                }
            }
            for (int i = 0; i < 4; i++) {
                is_lost |= is_any(lost + i);
                for (int lane = 0; lane < 4; lane++)
                    if (best[i][lane] < low) low = best[i][lane];
            }
        }
    #endif
        for (; k < n; k++) {
            if (x[k] < low) low = x[k];
            is_lost |= x[k] != x[k];
        }
        return is_lost ? NAN : low;
    }

    /* The first sample that is `height`, which one of them is. */
    CLONES static int64_t place_of(const double *x, double height) {
        int64_t k = 0;
        for (;; k++)
            if (x[k] == height) return k;
    }

    /* The last sample before `end` that is at or below a level, or -1. */
    CLONES static int64_t last_below(const double *x, int64_t end, double level) {
        int64_t k = end;
    #if HAS_VECTORS
        for (; k >= 16; k -= 16) {
            mask found = {0};
            UNROLL
            for (int i = 1; i <= 4; i++) found |= AT(x + k - 4 * i) <= level;
            if (is_any(&found)) break;
        }
    #endif
        while (k > 0 && !(x[k - 1] <= level)) k--;
        return k - 1;
    }

    /* Where x rises last through a level before sample `end`, on the line between two samples; NaN if nowhere. */
    static double last_rise(const double *x, int64_t n, int64_t end, double level, int64_t *last) {
        *last = level == level ? last_below(x, end, level) : -1;
        if (*last < 0) return NAN;
        double here = x[*last], next = x[*last + 1 < n ? *last + 1 : n - 1];
        return *last + (level - here) / (next - here);
    }

    /* The sum of n numbers in the order in which NumPy takes it: eight at a time, and halves of long stretches. */
    CLONES static double sum_of_few(const double *x, int64_t n) {
        double sum = 0;
        int64_t k = 0;
        if (n >= 8) {
    #if HAS_VECTORS
            four low = AT(x), high = AT(x + 4);
            for (k = 8; k + 8 <= n; k += 8) {
                low += AT(x + k);
                high += AT(x + k + 4);
            }
            sum = ((low[0] + low[1]) + (low[2] + low[3])) + ((high[0] + high[1]) + (high[2] + high[3]));
    #else
            double part[8];
            memcpy(part, x, sizeof part);
            for (k = 8; k + 8 <= n; k += 8)
                for (int i = 0; i < 8; i++) part[i] += x[k + i];
            sum = ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
    #endif
        }
        for (; k < n; k++) sum += x[k];
        return sum;
    }

    static double sum_of(const double *x, int64_t n) {
        if (n <= 128) return sum_of_few(x, n);
        int64_t half = n / 2;
        half -= half % 8;
        return sum_of(x, half) + sum_of(x + half, n - half);
    }

    /* Each sample less a number. */
    CLONES static void take_away(const double *x, int64_t n, double number, double *out) {
        for (int64_t k = 0; k < n; k++) out[k] = x[k] - number;
    }

    CLONES static void square(double *x, int64_t n) {
        for (int64_t k = 0; k < n; k++) x[k] *= x[k];
    }

    /* The sum of a[k] * b[k]. */
    CLONES static double product_of(const double *a, const double *b, int64_t n) {
        double sum = 0;
        int64_t k = 0;
    #if HAS_VECTORS
        four part[4] = {{0}};
        for (; k + 16 <= n; k += 16) {
            UNROLL
            for (int i = 0; i < 4; i++) part[i] += AT(a + k + 4 * i) * AT(b + k + 4 * i);
        }
        part[0] = (part[0] + part[1]) + (part[2] + part[3]);
        sum = (part[0][0] + part[0][1]) + (part[0][2] + part[0][3]);
    #endif
        for (; k < n; k++) sum += a[k] * b[k];
        return sum;
    }

    /* x[k] less `size` times shape[k]. */
    CLONES static void take_shape_away(double *x, const double *shape, int64_t n, double size) {
        for (int64_t k = 0; k < n; k++) x[k] -= size * shape[k];
    }
    """
    enum:
        LANES
        CHUNK
    ctypedef struct Lanes:
        const double *in_ "in"[LANES]
        double *out[LANES]
    void add_up(const Lanes *lanes, int64_t n, double *sums) noexcept nogil
    void add_up_and_divide(const Lanes *lanes, int64_t n, double *sums, double by) noexcept nogil
    void add_up_and_correct(const Lanes *lanes, int64_t n, double *sums, double lost) noexcept nogil
    void add_up_decaying(const Lanes *lanes, int64_t n, double *sums, double keep) noexcept nogil
    void take_differences(const double *x, int64_t begin, int64_t n, int64_t rise, int64_t gap,
                          double *out) noexcept nogil
    void take_from_next(const double *x, int64_t begin, int64_t n, double part, double *out) noexcept nogil
    void subtract_line_u2(const char *row, int n, double value, double slope, double *out) noexcept nogil
    void subtract_line_i2(const char *row, int n, double value, double slope, double *out) noexcept nogil
    void subtract_line_f8(const char *row, int n, double value, double slope, double *out) noexcept nogil
    double highest_of(const double *x, int64_t n) noexcept nogil
    double lowest_of(const double *x, int64_t n) noexcept nogil
    int64_t place_of(const double *x, double height) noexcept nogil
    double last_rise(const double *x, int64_t n, int64_t end, double level, int64_t *last) noexcept nogil
    double sum_of(const double *x, int64_t n) noexcept nogil
    void take_away(const double *x, int64_t n, double number, double *out) noexcept nogil
    void square(double *x, int64_t n) noexcept nogil
    double product_of(const double *a, const double *b, int64_t n) noexcept nogil
    void take_shape_away(double *x, const double *shape, int64_t n, double size) noexcept nogil


cdef struct Rows:
    const char *first
    int64_t n_rows
    int64_t n_samples
    int64_t stride
    char kind


cdef Rows rows_of(waves, bint takes_whole=False) except *:
    """See samples, (n_rows, n_samples), as they lie in memory: of float64 or, if taken, of 16 bits."""
    cdef Rows rows
    cdef Py_buffer seen
    PyObject_GetBuffer(waves, &seen, PyBUF_STRIDES | PyBUF_FORMAT)
    try:
        rows.kind = seen.format[0]
        if seen.format[1] != 0 or not (rows.kind == c"d" or takes_whole and rows.kind in (c"H", c"h")):
            raise ValueError("samples of another type are needed")
        if seen.ndim != 2 or not 1 <= seen.shape[1] < 2**31:
            raise ValueError("waveforms of one sample or more are needed")
        if seen.shape[1] > 1 and seen.strides[1] != seen.itemsize:
            raise ValueError("samples that follow one another are needed")
        rows.first = <const char *>seen.buf
        rows.n_rows, rows.n_samples, rows.stride = seen.shape[0], seen.shape[1], seen.strides[0]
    finally:
        # The caller holds the array, and with it the samples, until the work is done.
        PyBuffer_Release(&seen)
    return rows


cdef int check_rows(const Rows *rows, const double[::1] values) except -1:
    if values.shape[0] != rows.n_rows:
        raise ValueError("each row needs its value")
    return 0


cdef double *scratch_of(int64_t n) except NULL:
    cdef double *scratch = <double *>malloc(max(n, 1) * sizeof(double))
    if scratch == NULL:
        raise MemoryError
    return scratch


cdef inline int64_t groups_of(const Rows *rows) noexcept nogil:
    return (rows.n_rows + LANES - 1) // LANES


cdef inline const double *row_at(const Rows *rows, int64_t i) noexcept nogil:
    return <const double *>(rows.first + i * rows.stride)


cdef inline void lay_into_lanes(const Rows *rows, int64_t first, double *out, Lanes *lanes) noexcept nogil:
    """Lay a row into each lane; lanes left over do the work of the last row again."""
    cdef int64_t lane, row
    for lane in range(LANES):
        row = min(first + lane, rows.n_rows - 1)
        lanes.in_[lane] = row_at(rows, row)
        lanes.out[lane] = out + row * rows.n_samples


def subtract_lines(waves, const double[::1] value, const double[::1] slope):
    """Give each row less the line value + slope * k."""
    cdef Rows rows = rows_of(waves, takes_whole=True)
    cdef int64_t i
    check_rows(&rows, value)
    check_rows(&rows, slope)
    made = np.empty((rows.n_rows, rows.n_samples))
    cdef double[:, ::1] out = made
    with nogil:
        for i in range(rows.n_rows):
            if rows.kind == c"H":
                subtract_line_u2(rows.first + i * rows.stride, rows.n_samples, value[i], slope[i], &out[i, 0])
            elif rows.kind == c"h":
                subtract_line_i2(rows.first + i * rows.stride, rows.n_samples, value[i], slope[i], &out[i, 0])
            else:
                subtract_line_f8(rows.first + i * rows.stride, rows.n_samples, value[i], slope[i], &out[i, 0])
    return made


def trapezoids(waves, int64_t rise, int64_t flat):
    """Give the trapezoid of each row; flat: no more than one beyond the record."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t group, i, lane, chunk, k, n, row, gap = rise + flat
    cdef double[LANES * CHUNK] differences
    cdef double[LANES] sums
    cdef Lanes lanes
    if not 1 <= rise <= rows.n_samples or not 0 <= flat <= rows.n_samples:
        raise ValueError("rise and flat must be no longer than the waveforms")
    made = np.empty((rows.n_rows, rows.n_samples))
    cdef double[:, ::1] out = made
    with nogil:
        for group in range(groups_of(&rows)):
            i = group * LANES
            for lane in range(LANES):
                sums[lane] = 0
            for chunk in range((rows.n_samples + CHUNK - 1) // CHUNK):
                k = chunk * CHUNK
                n = min(CHUNK, rows.n_samples - k)
                for lane in range(LANES):
                    row = min(i + lane, rows.n_rows - 1)
                    lanes.in_[lane] = &differences[lane * CHUNK]
                    lanes.out[lane] = &out[row, k]
                    take_differences(row_at(&rows, row), k, n, rise, gap, &differences[lane * CHUNK])
                add_up_and_divide(&lanes, n, sums, rise)
    return made


def pole_zero(waves, double lost):
    """Give each row, to each sample of which is added what was lost of all before it."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t group, i, lane
    cdef double[LANES] sums
    cdef Lanes lanes
    made = np.empty((rows.n_rows, rows.n_samples))
    cdef double[:, ::1] out = made
    with nogil:
        for group in range(groups_of(&rows)):
            i = group * LANES
            for lane in range(LANES):
                sums[lane] = 0
            lay_into_lanes(&rows, i, &out[0, 0], &lanes)
            add_up_and_correct(&lanes, rows.n_samples, sums, lost)
    return made


def double_pole_zero(waves, double lost, double second, double keep):
    """Give v, where v[k] = keep * v[k-1] + x[k] - second * x[k-1], after `pole_zero`."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t group, i, lane, chunk, k, n, row
    cdef double[LANES * CHUNK] differences
    cdef double[LANES] decaying
    cdef double[LANES] sums
    cdef Lanes lanes, back
    made = np.empty((rows.n_rows, rows.n_samples))
    cdef double[:, ::1] out = made
    with nogil:
        for group in range(groups_of(&rows)):
            i = group * LANES
            for lane in range(LANES):
                sums[lane] = decaying[lane] = 0
                back.in_[lane] = lanes.in_[lane] = lanes.out[lane] = &differences[lane * CHUNK]
            for chunk in range((rows.n_samples + CHUNK - 1) // CHUNK):
                k = chunk * CHUNK
                n = min(CHUNK, rows.n_samples - k)
                for lane in range(LANES):
                    row = min(i + lane, rows.n_rows - 1)
                    back.out[lane] = &out[row, k]
                    take_from_next(row_at(&rows, row), k, n, second, &differences[lane * CHUNK])
                add_up_decaying(&lanes, n, decaying, keep)
                add_up_and_correct(&back, n, sums, lost)
    return made


def maxima(waves):
    """Give the highest sample of each row; NaN where one of them is."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t i
    made = np.empty(rows.n_rows)
    cdef double[::1] out = made
    with nogil:
        for i in range(rows.n_rows):
            out[i] = highest_of(row_at(&rows, i), rows.n_samples)
    return made


def extremes(waves, double period_ns, bint is_lowest):
    """Give the highest or lowest sample of each row and the time of the first so high or low."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t i
    heights, times = np.empty(rows.n_rows), np.empty(rows.n_rows)
    cdef double[::1] height = heights, time = times
    cdef const double *x
    with nogil:
        for i in range(rows.n_rows):
            x = row_at(&rows, i)
            height[i] = lowest_of(x, rows.n_samples) if is_lowest else highest_of(x, rows.n_samples)
            time[i] = NAN if height[i] != height[i] else place_of(x, height[i]) * period_ns
    return heights, times
