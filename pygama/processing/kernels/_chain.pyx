# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Runs the hot parts of the chain over raw 16-bit samples, without the interpreter's lock.

Several rows are worked on side by side, one in each lane of a vector: sample k of all of them lies together,
so that running sums, each of which waits for the one before, fill the vector all the same. Sums of samples are
whole numbers and therefore exact. Rows may lie any number of bytes apart and at any address.
"""

import numpy as np

from libc.stdint cimport int64_t, uint16_t
from libc.stdlib cimport free

cdef extern from *:
    """
    #include <float.h>
    #include <stdint.h>
    #include <stdlib.h>
    #include <string.h>

    /* Let the machine choose the width of its vectors at run time, where the loader can. */
    #if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
    #define CLONES __attribute__((target_clones("avx2", "default")))
    #define WIDEST 32
    #else
    #define CLONES
    #define WIDEST 16
    #endif

    /* A compiler without vectors works on one row at a time: the same code, with plain numbers for vectors. */
    #if defined(__GNUC__)
    #define LANES 8
    #define PARTS (LANES * 8 / WIDEST)
    #define LANE(vector, lane) ((vector)[lane])
    #define INLINE static inline __attribute__((always_inline))
    typedef uint16_t narrow __attribute__((vector_size(16)));
    typedef int32_t wide __attribute__((vector_size(32)));
    typedef double part __attribute__((vector_size(WIDEST)));
    #else
    #define LANES 1
    #define PARTS 1
    #define LANE(number, lane) (number)
    #define INLINE static inline
    typedef uint16_t narrow;
    typedef int32_t wide;
    typedef double part;
    #endif
    #define PART_LANE(parts, lane) LANE((parts)[(lane) / (LANES / PARTS)], (lane) % (LANES / PARTS))

    /* Samples worked on at a time. The sum of j * sample, j = 1 ... CHUNK, fits 31 bits. */
    #define CHUNK 128

    /* rows: where each lane's row begins. ahead: how far on the rows that come next lie, or 0.
     * flip: 0x8000 makes unsigned samples, 32768 higher, of signed ones. */
    typedef struct {
        const char *rows[LANES];
        int64_t ahead;
        uint16_t flip;
    } Lanes;

    #if LANES == 8
    #ifdef __clang__
    #define SHUFFLE(type, a, b, ...) __builtin_shufflevector((type)(a), (type)(b), __VA_ARGS__)
    #else
    #define SHUFFLE(type, a, b, ...) __builtin_shuffle((type)(a), (type)(b), (type){__VA_ARGS__})
    #endif

    /* Sixteen samples of each row; of those that lie in a vector, the upper half is eight samples later. */
    INLINE void transpose_sixteen(const Lanes *lanes, int64_t at, narrow *out) {
        typedef uint16_t ones __attribute__((vector_size(32)));
        typedef uint32_t pairs __attribute__((vector_size(32)));
        typedef uint64_t fours __attribute__((vector_size(32)));
        ones of_two[8];
        for (int i = 0; i < 4; i++) {
            ones a, b;
            memcpy(&a, lanes->rows[2 * i] + at, sizeof a);
            memcpy(&b, lanes->rows[2 * i + 1] + at, sizeof b);
            of_two[i] = SHUFFLE(ones, a, b, 0, 16, 1, 17, 2, 18, 3, 19, 8, 24, 9, 25, 10, 26, 11, 27);
            of_two[i + 4] = SHUFFLE(ones, a, b, 4, 20, 5, 21, 6, 22, 7, 23, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        for (int i = 0; i < 8; i += 4) {
            pairs a = SHUFFLE(pairs, of_two[i], of_two[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
            pairs b = SHUFFLE(pairs, of_two[i + 2], of_two[i + 3], 0, 8, 1, 9, 4, 12, 5, 13);
            pairs c = SHUFFLE(pairs, of_two[i], of_two[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
            pairs d = SHUFFLE(pairs, of_two[i + 2], of_two[i + 3], 2, 10, 3, 11, 6, 14, 7, 15);
            fours eights[4] = {
                SHUFFLE(fours, a, b, 0, 4, 2, 6), SHUFFLE(fours, a, b, 1, 5, 3, 7),
                SHUFFLE(fours, c, d, 0, 4, 2, 6), SHUFFLE(fours, c, d, 1, 5, 3, 7),
            };
            for (int j = 0; j < 4; j++) {
                ones both = (ones)eights[j] ^ lanes->flip;
                memcpy(out + i + j, &both, sizeof(narrow));
                memcpy(out + i + j + 8, (const char *)&both + sizeof(narrow), sizeof(narrow));
            }
        }
    }
    #endif

    /* out[k]: sample begin + k of all lanes. */
    CLONES static void transpose(const Lanes *lanes, int64_t begin, int64_t n, narrow *out) {
        int64_t k = 0;
    #if LANES == 8
        Lanes own = *lanes;
        for (; k + 16 <= n; k += 16) {
            int64_t at = 2 * (begin + k);
            /* Rows that lie far apart are not foreseen by the hardware. */
            if (own.ahead && k % 32 == 0)
                for (int lane = 0; lane < LANES; lane++) __builtin_prefetch(own.rows[lane] + at + own.ahead, 0, 2);
            transpose_sixteen(&own, at, out + k);
        }
    #endif
        for (; k < n; k++) {
            for (int lane = 0; lane < LANES; lane++) {
                uint16_t sample;
                memcpy(&sample, lanes->rows[lane] + 2 * (begin + k), 2);
                LANE(out[k], lane) = sample ^ lanes->flip;
            }
        }
    }

    INLINE void widen(const narrow *samples, wide *out) {
        narrow given = *samples;
        wide made;
        for (int lane = 0; lane < LANES; lane++) LANE(made, lane) = LANE(given, lane);
        *out = made;
    }

    CLONES static void widen_all(const narrow *samples, int64_t n, wide *out) {
        for (int64_t k = 0; k < n; k++) widen(samples + k, out + k);
    }

    INLINE void split(const wide *whole, part *parts) {
        for (int lane = 0; lane < LANES; lane++) PART_LANE(parts, lane) = LANE(*whole, lane);
    }

    INLINE void keep_higher(part *highest, const part *height) {
    #if LANES == 8
        typedef int64_t mask __attribute__((vector_size(WIDEST)));
        mask higher = *height > *highest;
        *highest = (part)((higher & (mask)*height) | (~higher & (mask)*highest));
    #else
        *highest = *height > *highest ? *height : *highest;
    #endif
    }

    /* total: sum of the samples. rest: sum of (n - k) * sample k. */
    CLONES static void add_up(const narrow *samples, int64_t n, wide *total, wide *rest) {
        wide sum = {0}, sum_of_sums = {0};
        for (int64_t k = 0; k < n; k++) {
            wide sample;
            widen(samples + k, &sample);
            sum += sample;
            sum_of_sums += sum;
        }
        *total = sum;
        *rest = sum_of_sums;
    }

    /* Sum the samples [begin, end) of each lane, and each of them times its place in the stretch. */
    static void sum_stretch(const Lanes *lanes, int64_t begin, int64_t end, int64_t *total, int64_t *moment) {
        narrow samples[CHUNK];
        for (int lane = 0; lane < LANES; lane++) total[lane] = moment[lane] = 0;
        for (int64_t k = begin; k < end; k += CHUNK) {
            int64_t n = end - k < CHUNK ? end - k : CHUNK;
            wide sum, rest;
            transpose(lanes, k, n, samples);
            add_up(samples, n, &sum, &rest);
            for (int lane = 0; lane < LANES; lane++) {
                total[lane] += LANE(sum, lane);
                moment[lane] += (k - begin + n) * LANE(sum, lane) - LANE(rest, lane);
            }
        }
    }

    /* table0, table1: `rise` times the trapezoid of the line 1 and of the line 0, 1, 2 ...
     * settled: from this sample on the first is 0 and the second, which never falls, stands still.
     * lost: the part of its height that a pulse loses from one sample to the next; 0 leaves it as it is.
     * ring: the last `size` samples of all lanes, widened once for the four times that each is read.
     * before: as many of those before the record as are asked for at a time. */
    typedef struct {
        int64_t n, rise, gap, settled, size;
        const double *table0, *table1;
        double lost;
        wide *ring, *before;
        void *memory;
    } Trapezoid;

    /* Returns whether there is memory for the ring, at a place where no vector lies across two lines of it. */
    static int make_ring(Trapezoid *shape) {
        shape->memory = malloc((shape->size + CHUNK) * sizeof(wide) + 64);
        shape->ring = (wide *)(((uintptr_t)shape->memory + 63) / 64 * 64);
        shape->before = shape->ring + shape->size;
        return shape->memory != NULL;
    }

    /* The samples that come into and go out of the two windows whose difference is the trapezoid. */
    typedef struct {
        const wide *late_in, *late_out, *early_in, *early_out;
    } Taps;

    /* The baseline is before + value + slope * k, and samples before the record count as `before`.
     * height: `rise` times the trapezoid of the samples. unsettled, settled: its maxima before and from the
     * sample where the baseline's has settled. sum, top: sum and maximum of the height over the baseline's. */
    typedef struct {
        narrow before;
        wide height, unsettled, settled;
        part value[PARTS], slope[PARTS], sum[PARTS], top[PARTS];
    } State;

    INLINE void step(wide *height, const Taps *taps, int64_t k) {
        *height += (taps->late_in[k] - taps->late_out[k]) - (taps->early_in[k] - taps->early_out[k]);
    }

    CLONES static void walk(State *state, const Taps *taps, int64_t n, wide *maximum) {
        Taps own = *taps;
        wide height = state->height, highest = *maximum;
        for (int64_t k = 0; k < n; k++) {
            step(&height, &own, k);
            for (int lane = 0; lane < LANES; lane++)
                if (LANE(height, lane) > LANE(highest, lane)) LANE(highest, lane) = LANE(height, lane);
        }
        state->height = height;
        *maximum = highest;
    }

    /* Of pole-zero corrected samples the trapezoid is e[k] + lost * sum of e[j] over j < k, where e is that of
     * the samples as they are. */
    INLINE void walk_over(State *state, Taps taps, int64_t n, const double *table0, const double *table1,
                          double lost) {
        wide height = state->height;
        part value[PARTS], slope[PARTS], sum[PARTS], top[PARTS];
        for (int i = 0; i < PARTS; i++) {
            value[i] = state->value[i];
            slope[i] = state->slope[i];
            sum[i] = state->sum[i];
            top[i] = state->top[i];
        }
        for (int64_t k = 0; k < n; k++) {
            part over[PARTS];
            step(&height, &taps, k);
            split(&height, over);
            for (int i = 0; i < PARTS; i++) {
                over[i] -= value[i] * table0[k] + slope[i] * table1[k];
                part corrected = over[i];
                if (lost != 0) {
                    corrected += lost * sum[i];
                    sum[i] += over[i];
                }
                keep_higher(top + i, &corrected);
            }
        }
        state->height = height;
        for (int i = 0; i < PARTS; i++) {
            state->sum[i] = sum[i];
            state->top[i] = top[i];
        }
    }

    CLONES static void walk_over_baseline(State *state, const Taps *taps, int64_t n, const double *table0,
                                          const double *table1, double lost) {
        if (lost != 0) walk_over(state, *taps, n, table0, table1, lost);
        else walk_over(state, *taps, n, table0, table1, 0);
    }

    /* Find the samples from k on, which lie in the ring from `place` on, and those behind them; returns how many
     * of `n` there are before a tap comes to its end. */
    static int64_t place_taps(const Trapezoid *shape, int64_t k, int64_t place, int64_t n, Taps *taps) {
        const int64_t delays[4] = {0, shape->rise, shape->gap, shape->gap + shape->rise};
        const wide **const places[4] = {&taps->late_in, &taps->late_out, &taps->early_in, &taps->early_out};
        for (int i = 0; i < 4; i++) {
            int64_t at = place - delays[i] + (delays[i] > place ? shape->size : 0), left = shape->size - at;
            *places[i] = shape->ring + at;
            if (k < delays[i]) {
                *places[i] = shape->before;
                left = delays[i] - k;
            }
            n = n < left ? n : left;
        }
        return n;
    }

    CLONES static void fill(const narrow *sample, int64_t n, wide *out) {
        for (int64_t i = 0; i < n; i++) widen(sample, out + i);
    }

    /* Walk to sample `end`: over the baseline, or in whole numbers only, which is several times as fast. */
    static void walk_to(int64_t end, int is_over, State *state, const Lanes *lanes, const Trapezoid *shape) {
        int64_t n, ready = 0, place = 0;
        memset(&state->height, 0, sizeof state->height);
        fill(&state->before, CHUNK, shape->before);
        for (int64_t k = 0; k < end; k += n) {
            if (place == shape->size) place = 0;
            if (k == ready) {
                narrow samples[CHUNK];
                n = end - k < CHUNK ? end - k : CHUNK;
                transpose(lanes, k, n, samples);
                widen_all(samples, n, shape->ring + place);
                ready += n;
            }
            Taps taps;
            int is_settled = k >= shape->settled;
            int64_t stop = is_settled || ready < shape->settled ? ready : shape->settled;
            n = place_taps(shape, k, place, stop - k, &taps);
            if (is_over)
                walk_over_baseline(state, &taps, n, shape->table0 + k, shape->table1 + k, shape->lost);
            else
                walk(state, &taps, n, is_settled ? &state->settled : &state->unsettled);
            place += n;
        }
    }

    static void start(State *state, const double *value, const double *slope) {
        memset(state, 0, sizeof *state);
        for (int lane = 0; lane < LANES; lane++) {
            double before = value[lane] > 0 ? value[lane] < UINT16_MAX ? value[lane] : UINT16_MAX : 0;
            LANE(state->before, lane) = (uint16_t)before;
            PART_LANE(state->value, lane) = value[lane] - (uint16_t)before;
            PART_LANE(state->slope, lane) = slope[lane];
            PART_LANE(state->top, lane) = -DBL_MAX;
            LANE(state->unsettled, lane) = LANE(state->settled, lane) = INT32_MIN;
        }
    }

    /* Take the maximum of the settled samples for the top; returns whether none before them can be higher. */
    static int take_settled(State *state, const Trapezoid *shape) {
        int is_certain = 1;
        for (int lane = 0; lane < LANES; lane++) {
            double value = PART_LANE(state->value, lane);
            double ramp = PART_LANE(state->slope, lane) * shape->table1[shape->settled];
            double top = LANE(state->settled, lane) - ramp, bound = LANE(state->unsettled, lane);
            if (value < 0) bound -= value * shape->rise;
            if (ramp < 0) bound -= ramp;
            if (bound > top) is_certain = 0;
            PART_LANE(state->top, lane) = top;
        }
        return is_certain;
    }

    /* The highest of each lane's trapezoid less that of the line value + slope * k. */
    static void find_highest(const Lanes *lanes, const Trapezoid *shape, const double *value, const double *slope,
                             double *highest) {
        State state;
        start(&state, value, slope);
        if (shape->lost != 0 || shape->settled == shape->n) {
            walk_to(shape->n, 1, &state, lanes, shape);
        } else {
            walk_to(shape->n, 0, &state, lanes, shape);
            if (!take_settled(&state, shape)) walk_to(shape->settled, 1, &state, lanes, shape);
        }
        for (int lane = 0; lane < LANES; lane++) highest[lane] = PART_LANE(state.top, lane) / shape->rise;
    }
    """
    enum:
        LANES
        CHUNK
    ctypedef struct Lanes:
        const char *rows[LANES]
        int64_t ahead
        uint16_t flip
    ctypedef struct Trapezoid:
        int64_t n, rise, gap, settled, size
        const double *table0
        const double *table1
        double lost
        void *memory
    int make_ring(Trapezoid *shape) noexcept nogil
    void sum_stretch(const Lanes *lanes, int64_t begin, int64_t end, int64_t *total, int64_t *moment) noexcept nogil
    void find_highest(const Lanes *lanes, const Trapezoid *shape, const double *value, const double *slope,
                      double *highest) noexcept nogil


cdef struct Rows:
    const char *first
    int64_t n_rows
    int64_t n_samples
    int64_t stride
    uint16_t flip


cdef struct Stretch:
    int64_t begin
    int64_t end
    bint is_sloped


cdef Rows rows_of(waveforms) except *:
    """See 16-bit samples, (n_rows, n_samples), as they lie in memory."""
    cdef Rows rows
    if waveforms.dtype.char not in "Hh" or not waveforms.dtype.isnative or waveforms.strides[1] != 2:
        raise ValueError("samples of 16 bits that follow one another are needed")
    rows.first = <const char *><size_t>waveforms.__array_interface__["data"][0]
    rows.n_rows, rows.n_samples = waveforms.shape
    rows.stride = waveforms.strides[0]
    rows.flip = 0x8000 if waveforms.dtype.kind == "i" else 0
    return rows


cdef Stretch stretch_of(const Rows *rows, int64_t begin, int64_t end, int64_t order) except *:
    cdef Stretch stretch
    if not 0 <= begin < end <= rows.n_samples:
        raise ValueError("the stretch must lie inside the waveforms")
    if not 0 <= order <= 1 or order >= end - begin:
        raise ValueError("the order must be 0 or 1 and less than the number of samples")
    stretch.begin, stretch.end, stretch.is_sloped = begin, end, order == 1
    return stretch


cdef Trapezoid trapezoid_of(const Rows *rows, int64_t rise, int64_t flat, const double[::1] table0,
                            const double[::1] table1, double lost) except *:
    """Make everything ready but the ring."""
    cdef Trapezoid shape
    cdef int64_t n = rows.n_samples
    if not 1 <= rise <= min(n, 32767) or flat < 0:
        raise ValueError("rise must be from 1 to 32767 samples and no longer than the waveforms")
    if min(table0.shape[0], table1.shape[0]) < n:
        raise ValueError("each sample needs its entry in the tables")
    shape.n, shape.rise, shape.gap, shape.lost = n, rise, min(rise + flat, n), lost
    shape.settled = min(shape.gap + rise, n)
    shape.table0, shape.table1 = &table0[0], &table1[0]
    # A chunk is written in one piece, and not over samples that its first still needs.
    shape.size = (shape.gap + rise + 2 * CHUNK - 1) // CHUNK * CHUNK
    return shape


def baselines(waveforms, int64_t begin, int64_t end, int64_t order):
    """Value at sample 0 and slope of the line, of order 0 the mean and 0, of the samples [begin, end)."""
    cdef Rows rows = rows_of(waveforms)
    cdef Stretch stretch = stretch_of(&rows, begin, end, order)
    values, slopes = np.empty(rows.n_rows), np.empty(rows.n_rows)
    cdef double[::1] value = values, slope = slopes
    cdef int64_t i = 0
    with nogil:
        while i < rows.n_rows:
            fit_lanes(&rows, i, &stretch, &value[i], &slope[i])
            i += LANES
    return values, slopes


def trapezoid_maxima(waveforms, const double[::1] bl_int, const double[::1] bl_slope, int64_t rise, int64_t flat,
                     const double[::1] table0, const double[::1] table1, double lost):
    """Maximum of the trapezoid of each row less its baseline; NaN where the baseline is not finite.

    table0, table1: `rise` times the trapezoid of the constant 1 and of the ramp 0, 1, 2 … lost: what a pulse
    loses from one sample to the next, 1 - exp(-1/tau), where pole-zero correction is wanted, else 0.
    """
    cdef Rows rows = rows_of(waveforms)
    cdef Trapezoid shape = trapezoid_of(&rows, rise, flat, table0, table1, lost)
    if min(bl_int.shape[0], bl_slope.shape[0]) < rows.n_rows:
        raise ValueError("each row needs its baseline")
    maxima = np.empty(rows.n_rows)
    cdef double[::1] out = maxima
    cdef int64_t i = 0
    if not make_ring(&shape):
        raise MemoryError
    with nogil:
        while i < rows.n_rows:
            shape_lanes(&rows, i, &shape, &bl_int[i], &bl_slope[i], &out[i])
            i += LANES
        free(shape.memory)
    return maxima


def baselines_and_maxima(waveforms, int64_t begin, int64_t end, int64_t order, int64_t rise, int64_t flat,
                         const double[::1] table0, const double[::1] table1, double lost):
    """What `baselines` gives, and the `trapezoid_maxima` over it: the samples come from memory only once."""
    cdef Rows rows = rows_of(waveforms)
    cdef Stretch stretch = stretch_of(&rows, begin, end, order)
    cdef Trapezoid shape = trapezoid_of(&rows, rise, flat, table0, table1, lost)
    values, slopes, maxima = np.empty(rows.n_rows), np.empty(rows.n_rows), np.empty(rows.n_rows)
    cdef double[::1] value = values, slope = slopes, out = maxima
    cdef int64_t i = 0
    if not make_ring(&shape):
        raise MemoryError
    with nogil:
        while i < rows.n_rows:
            fit_lanes(&rows, i, &stretch, &value[i], &slope[i])
            shape_lanes(&rows, i, &shape, &value[i], &slope[i], &out[i])
            i += LANES
        free(shape.memory)
    return values, slopes, maxima


cdef inline int64_t lay_into_lanes(const Rows *rows, int64_t first, Lanes *lanes) noexcept nogil:
    """Lay a row into each lane, the last row into lanes left over; returns how many are not left over."""
    cdef int64_t lane, n = min(LANES, rows.n_rows - first)
    for lane in range(LANES):
        lanes.rows[lane] = rows.first + (first + min(lane, n - 1)) * rows.stride
    lanes.ahead = LANES * rows.stride if first + 2 * LANES <= rows.n_rows else 0
    lanes.flip = rows.flip
    return n


cdef void fit_lanes(const Rows *rows, int64_t first, const Stretch *stretch,
                    double *values, double *slopes) noexcept nogil:
    cdef Lanes lanes
    cdef int64_t total[LANES]
    cdef int64_t moment[LANES]
    cdef int64_t lane, n = stretch.end - stretch.begin, n_rows = lay_into_lanes(rows, first, &lanes)
    cdef double centre = stretch.begin + (n - 1) / 2.0, spread = <double>n * (<double>n * n - 1) / 6.0
    sum_stretch(&lanes, stretch.begin, stretch.end, total, moment)
    for lane in range(n_rows):
        total[lane] -= n * rows.flip
        moment[lane] -= n * (n - 1) // 2 * rows.flip
        slopes[lane] = (2 * moment[lane] - (n - 1) * total[lane]) / spread if stretch.is_sloped else 0
        values[lane] = <double>total[lane] / n - slopes[lane] * centre


cdef void shape_lanes(const Rows *rows, int64_t first, const Trapezoid *shape,
                      const double *bl_int, const double *bl_slope, double *maxima) noexcept nogil:
    cdef Lanes lanes
    cdef double value[LANES]
    cdef double slope[LANES]
    cdef double highest[LANES]
    cdef int64_t lane, given, n_rows = lay_into_lanes(rows, first, &lanes)
    for lane in range(LANES):
        given = min(lane, n_rows - 1)
        value[lane] = bl_int[given] + rows.flip
        slope[lane] = bl_slope[given]
    find_highest(&lanes, shape, value, slope, highest)
    for lane in range(n_rows):
        # What is not finite, less itself, is not a number.
        maxima[lane] = highest[lane] + (value[lane] - value[lane]) + (slope[lane] - slope[lane])
