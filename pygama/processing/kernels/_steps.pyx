# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Does single steps of the chain as their plain functions do, without the interpreter's lock.

Sums that each wait for the one before are worked on for eight rows side by side, four in the lanes of a
vector: samples come in as they lie, are turned so that sample k of four rows lies together, added up, and turned
back. So each row's sum is taken in the order in which NumPy takes it, and comes out the same to the last bit.
Sums over a stretch are taken in NumPy's order too. Nothing is written but one new array for each result.
"""

import numpy as np

from pygama.processing.kernels.memory import empty

from cpython.buffer cimport PyBUF_FORMAT, PyBUF_STRIDES, PyBuffer_Release, PyObject_GetBuffer
from libc.math cimport NAN, ceil, sqrt
from libc.stdint cimport int16_t, int64_t, uint16_t
from libc.stdlib cimport free, malloc

cdef extern from "c/sums_by_lane.h":
    enum:
        LANES
        CHUNK
    ctypedef struct Lanes:
        const double *in_ "in"[LANES]
        double *out[LANES]
    void add_up(const Lanes *lanes, int64_t n, double *sums) noexcept nogil
    void shape_lanes(const Lanes *lanes, int64_t n, int64_t rise, int64_t gap) noexcept nogil
    void add_up_and_correct(const Lanes *lanes, int64_t n, double *sums, double lost) noexcept nogil
    void add_up_decaying(const Lanes *lanes, int64_t n, double *sums, double keep) noexcept nogil
    void take_from_next(const double *x, int64_t begin, int64_t n, double part, double *out) noexcept nogil

cdef extern from "c/lines.h":
    void fill_counting() noexcept nogil
    void subtract_line_u2(const char *row, int64_t n, double value, double slope, double *out) noexcept nogil
    void subtract_line_i2(const char *row, int64_t n, double value, double slope, double *out) noexcept nogil
    void subtract_line_f8(const char *row, int64_t n, double value, double slope, double *out) noexcept nogil
    void widen_u2(const char *row, int64_t n, double *out) noexcept nogil
    void widen_i2(const char *row, int64_t n, double *out) noexcept nogil
    void take_distances(const double *x, const double *place, int64_t n, double level, double slope,
                        double *out) noexcept nogil
    void take_near(const double *x, const double *distance, int64_t n, double limit, double centre,
                   double *out) noexcept nogil
    void multiply(const double *a, const double *b, int64_t n, double *out) noexcept nogil

cdef extern from "c/levels.h":
    double highest_of(const double *x, int64_t n) noexcept nogil
    double lowest_of(const double *x, int64_t n) noexcept nogil
    int64_t place_of(const double *x, int64_t n, double height) noexcept nogil
    double last_rise(const double *x, int64_t n, int64_t end, double level, int64_t *last) noexcept nogil
    void count_outside_u2(const char *row, int64_t n, int low, int high, int64_t *counts) noexcept nogil
    void count_outside_i2(const char *row, int64_t n, int low, int high, int64_t *counts) noexcept nogil
    void count_outside_f8(const char *row, int64_t n, double low, double high, int64_t *counts) noexcept nogil
    int64_t next_over(const double *x, int64_t begin, int64_t n, double level) noexcept nogil

cdef extern from "c/sums.h":
    double sum_of(const double *x, int64_t n) noexcept nogil
    void take_away(const double *x, int64_t n, double number, double *out) noexcept nogil
    void square(double *x, int64_t n) noexcept nogil
    double product_of(const double *a, const double *b, int64_t n) noexcept nogil
    void take_shape_away(double *x, const double *shape, int64_t n, double size) noexcept nogil
    bint are_finite(const double *x, int64_t n) noexcept nogil
    bint has_nan(const double *x, int64_t n) noexcept nogil

cdef extern from "c/filters.h":
    void take_means(const double *sum, int64_t n, int64_t length, bint counts_few, double *out) noexcept nogil
    void take_difference_of_means(const double *sum, int64_t n, int64_t rise, int64_t fall, int64_t gap,
                                  double *out) noexcept nogil
    void take_derivative(const double *x, int64_t n, double *out) noexcept nogil
    void take_current(const double *x, int64_t n, int64_t length, double *out) noexcept nogil
    void weigh(const double *x, int64_t n, const double *weights, int64_t length, double *out) noexcept nogil
    ctypedef struct Cusp:
        int64_t rise, gap
        double keep, kept, height, part
    void lay_together(double **rows, int64_t n, double *x) noexcept nogil
    void shape_cusps(const double *x, double *grown, double *fallen, double *curved, int64_t n, const Cusp *cusp,
                     double **out) noexcept nogil

cdef extern from "c/order.h":
    double median_of(const double *x, int64_t n, double *scratch) noexcept nogil


fill_counting()


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


cdef inline const double *stretch_of(const Rows *rows, int64_t i, int64_t begin, int64_t n,
                                     double *scratch) noexcept nogil:
    """Give n samples from `begin` on as they lie, or in `scratch` where they are of 16 bits."""
    if rows.kind == c"d":
        return row_at(rows, i) + begin
    cdef const char *first = rows.first + i * rows.stride + 2 * begin
    if rows.kind == c"H":
        widen_u2(first, n, scratch)
    else:
        widen_i2(first, n, scratch)
    return scratch


cdef inline void lay_into_lanes(const Rows *rows, int64_t first, double *out, Lanes *lanes) noexcept nogil:
    """Lay a row into each lane; lanes left over do the work of the last row again."""
    cdef int64_t lane, row
    for lane in range(LANES):
        row = min(first + lane, rows.n_rows - 1)
        lanes.in_[lane] = row_at(rows, row)
        lanes.out[lane] = out + row * rows.n_samples


cdef inline void subtract_line(const Rows *rows, int64_t i, double value, double slope, double *out) noexcept nogil:
    cdef const char *row = rows.first + i * rows.stride
    if rows.kind == c"H":
        subtract_line_u2(row, rows.n_samples, value, slope, out)
    elif rows.kind == c"h":
        subtract_line_i2(row, rows.n_samples, value, slope, out)
    else:
        subtract_line_f8(row, rows.n_samples, value, slope, out)


def subtract_lines(waves, const double[::1] value, const double[::1] slope):
    """Give each row less the line value + slope * k."""
    cdef Rows rows = rows_of(waves, takes_whole=True)
    cdef int64_t i
    check_rows(&rows, value)
    check_rows(&rows, slope)
    made = empty((rows.n_rows, rows.n_samples))
    cdef double[:, ::1] out = made
    with nogil:
        for i in range(rows.n_rows):
            subtract_line(&rows, i, value[i], slope[i], &out[i, 0])
    return made


def trapezoids(waves, int64_t rise, int64_t flat):
    """Give the trapezoid of each row; flat: no more than one beyond the record."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t group
    cdef Lanes lanes
    if not 1 <= rise <= rows.n_samples or not 0 <= flat <= rows.n_samples:
        raise ValueError("rise and flat must be no longer than the waveforms")
    made = empty((rows.n_rows, rows.n_samples))
    cdef double[:, ::1] out = made
    with nogil:
        for group in range(groups_of(&rows)):
            lay_into_lanes(&rows, group * LANES, &out[0, 0], &lanes)
            shape_lanes(&lanes, rows.n_samples, rise, rise + flat)
    return made


def pole_zero(waves, double lost):
    """Give each row, to each sample of which is added what was lost of all before it."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t group, i, lane
    cdef double[LANES] sums
    cdef Lanes lanes
    made = empty((rows.n_rows, rows.n_samples))
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
    made = empty((rows.n_rows, rows.n_samples))
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
            time[i] = NAN if height[i] != height[i] else place_of(x, rows.n_samples, height[i]) * period_ns
    return heights, times


cdef int check_stretch(const Rows *rows, int64_t begin, int64_t end) except -1:
    if not 0 <= begin < end <= rows.n_samples:
        raise ValueError("the stretch must lie inside the waveforms")
    return 0


cdef int check_length(const Rows *rows, int64_t length) except -1:
    if not 1 <= length <= rows.n_samples:
        raise ValueError("the length must be that of the waveforms or less")
    return 0


def means(waves, int64_t begin, int64_t end):
    """Give the mean of the samples [begin, end)."""
    cdef Rows rows = rows_of(waves, takes_whole=True)
    cdef int64_t i
    check_stretch(&rows, begin, end)
    made = np.empty(rows.n_rows)
    cdef double[::1] out = made
    cdef double *scratch = scratch_of(end - begin)
    with nogil:
        for i in range(rows.n_rows):
            out[i] = sum_of(stretch_of(&rows, i, begin, end - begin, scratch), end - begin) / (end - begin)
        free(scratch)
    return made


def lines(waves, int64_t begin, int64_t end, const double[::1] at_zero, const double[::1] slope):
    """Give the mean of the samples [begin, end) and their sum, less the mean, by weights; and that by others."""
    cdef Rows rows = rows_of(waves, takes_whole=True)
    cdef int64_t i, n = end - begin
    cdef double mean
    cdef const double *x
    check_stretch(&rows, begin, end)
    if at_zero.shape[0] != n or slope.shape[0] != n:
        raise ValueError("each sample of the stretch needs its weight")
    values, slopes = np.empty(rows.n_rows), np.empty(rows.n_rows)
    cdef double[::1] value_out = values, slope_out = slopes
    cdef double *left = scratch_of(2 * n)
    with nogil:
        for i in range(rows.n_rows):
            x = stretch_of(&rows, i, begin, n, left + n)
            mean = sum_of(x, n) / n
            take_away(x, n, mean, left)
            value_out[i] = mean + product_of(left, &at_zero[0], n)
            slope_out[i] = product_of(left, &slope[0], n)
        free(left)
    return values, slopes


def without_polynomials(waves, int64_t begin, int64_t end, const double[:, ::1] inside,
                        const double[:, ::1] everywhere):
    """Give each row less its mean in [begin, end) and a sum of shapes, sized by weights in that stretch."""
    cdef Rows rows = rows_of(waves, takes_whole=True)
    cdef int64_t i, j, n = end - begin, n_terms = inside.shape[0]
    cdef double mean
    check_stretch(&rows, begin, end)
    if inside.shape[1] != n or everywhere.shape[0] != n_terms or everywhere.shape[1] != rows.n_samples:
        raise ValueError("each sample needs its weights")
    made = empty((rows.n_rows, rows.n_samples))
    cdef double[:, ::1] out = made
    cdef double *sizes = scratch_of(n_terms)
    with nogil:
        for i in range(rows.n_rows):
            subtract_line(&rows, i, 0, 0, &out[i, 0])
            mean = sum_of(&out[i, begin], n) / n
            take_away(&out[i, 0], rows.n_samples, mean, &out[i, 0])
            for j in range(n_terms):
                sizes[j] = product_of(&out[i, begin], &inside[j, 0], n)
            for j in range(n_terms):
                take_shape_away(&out[i, 0], &everywhere[j, 0], rows.n_samples, sizes[j])
        free(sizes)
    return made


def rms_about_polynomials(waves, int64_t begin, int64_t end, const double[:, ::1] basis):
    """Give the noise of the samples [begin, end) about their part along an orthonormal basis, (n_terms, n)."""
    cdef Rows rows = rows_of(waves, takes_whole=True)
    cdef int64_t i, j, n = end - begin, n_terms = basis.shape[0]
    cdef double mean
    cdef const double *x
    check_stretch(&rows, begin, end)
    if basis.shape[1] != n or n_terms >= n:
        raise ValueError("each sample of the stretch needs its place in the basis")
    made = np.empty(rows.n_rows)
    cdef double[::1] out = made
    cdef double *left = scratch_of(2 * n + n_terms)
    with nogil:
        for i in range(rows.n_rows):
            x = stretch_of(&rows, i, begin, n, left + n + n_terms)
            mean = sum_of(x, n) / n
            take_away(x, n, mean, left)
            for j in range(n_terms):
                left[n + j] = product_of(left, &basis[j, 0], n)
            for j in range(n_terms):
                take_shape_away(left, &basis[j, 0], n, left[n + j])
            square(left, n)
            out[i] = sqrt(sum_of(left, n) / (n - n_terms))
        free(left)
    return made


cdef inline double deviation_of(const double *x, int64_t n, double mean, double *scratch) noexcept nogil:
    take_away(x, n, mean, scratch)
    square(scratch, n)
    return sqrt(sum_of(scratch, n) / n)


def rms(waves, int64_t begin, int64_t end):
    """Give the standard deviation of the samples [begin, end)."""
    cdef Rows rows = rows_of(waves, takes_whole=True)
    cdef int64_t i, n = end - begin
    cdef const double *x
    check_stretch(&rows, begin, end)
    made = np.empty(rows.n_rows)
    cdef double[::1] out = made
    cdef double *scratch = scratch_of(2 * n)
    with nogil:
        for i in range(rows.n_rows):
            x = stretch_of(&rows, i, begin, n, scratch + n)
            out[i] = deviation_of(x, n, sum_of(x, n) / n, scratch)
        free(scratch)
    return made


def asymmetric_trapezoids(waves, int64_t rise, int64_t flat, int64_t fall):
    """Give the mean of the last `rise` samples less that of `fall` which end `rise + flat` earlier."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t group, i, lane, n = rows.n_samples
    cdef double[LANES] sums
    cdef Lanes lanes
    check_length(&rows, rise)
    check_length(&rows, fall)
    if not 0 <= flat <= n:
        raise ValueError("flat must be no longer than the waveforms")
    made = empty((rows.n_rows, n))
    cdef double[:, ::1] out = made
    cdef double *scratch = scratch_of(LANES * n)
    with nogil:
        for group in range(groups_of(&rows)):
            i = group * LANES
            for lane in range(LANES):
                sums[lane] = 0
                lanes.in_[lane] = row_at(&rows, min(i + lane, rows.n_rows - 1))
                lanes.out[lane] = scratch + lane * n
            add_up(&lanes, n, sums)
            for lane in range(min(LANES, rows.n_rows - i)):
                take_difference_of_means(scratch + lane * n, n, rise, fall, rise + flat, &out[i + lane, 0])
        free(scratch)
    return made


def moving_windows(waves, int64_t length, int64_t passes):
    """Give the mean of the last `length` samples at each, several times one after the other."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t group, i, lane, row, turn, n = rows.n_samples
    cdef double[LANES] sums
    cdef Lanes lanes
    check_length(&rows, length)
    if passes < 1:
        raise ValueError("one pass or more is needed")
    made = empty((rows.n_rows, n))
    cdef double[:, ::1] out = made
    cdef double *scratch = scratch_of(LANES * n)
    with nogil:
        for group in range(groups_of(&rows)):
            i = group * LANES
            for turn in range(passes):
                for lane in range(LANES):
                    row = min(i + lane, rows.n_rows - 1)
                    sums[lane] = 0
                    lanes.in_[lane] = row_at(&rows, row) if turn == 0 else &out[row, 0]
                    lanes.out[lane] = scratch + lane * n
                add_up(&lanes, n, sums)
                for lane in range(min(LANES, rows.n_rows - i)):
                    take_means(scratch + lane * n, n, length, True, &out[i + lane, 0])
        free(scratch)
    return made


def derivatives(waves):
    """Give half the difference of the samples after and before each."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t i
    made = empty((rows.n_rows, rows.n_samples))
    cdef double[:, ::1] out = made
    with nogil:
        for i in range(rows.n_rows):
            take_derivative(row_at(&rows, i), rows.n_samples, &out[i, 0])
    return made


def currents(waves, int64_t length):
    """Give each sample less the one `length` earlier, or the first, divided by `length`."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t i
    check_length(&rows, length)
    made = empty((rows.n_rows, rows.n_samples))
    cdef double[:, ::1] out = made
    with nogil:
        for i in range(rows.n_rows):
            take_current(row_at(&rows, i), rows.n_samples, length, &out[i, 0])
    return made


def smoothed(waves, const double[:, ::1] weights):
    """Weigh the samples around each; row j of the weights gives sample j of the first or last so many."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t i, j, length = weights.shape[1], half = length // 2, end = rows.n_samples - half
    cdef const double *x
    check_length(&rows, length)
    if length % 2 == 0 or weights.shape[0] != length:
        raise ValueError("an odd number of weights is needed for as many samples")
    made = empty((rows.n_rows, rows.n_samples))
    cdef double[:, ::1] out = made
    with nogil:
        for i in range(rows.n_rows):
            x = row_at(&rows, i)
            weigh(x, end - half, &weights[half, 0], length, &out[i, half])
            for j in range(half):
                out[i, j] = product_of(x, &weights[j, 0], length)
                out[i, end + j] = product_of(x + rows.n_samples - length, &weights[half + 1 + j, 0], length)
    return made


def rises(waves, double period_ns, const double[::1] parts):
    """Give when each row reaches the parts, in ascending order, of its maximum: (n_parts, n_rows)."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t i, j, end
    cdef double highest
    cdef const double *x
    made = np.empty((parts.shape[0], rows.n_rows))
    cdef double[:, ::1] out = made
    with nogil:
        for i in range(rows.n_rows):
            x = row_at(&rows, i)
            highest = highest_of(x, rows.n_samples)
            # What is not above 0, or infinite, has no parts.
            end = place_of(x, rows.n_samples, highest) if highest > 0 and highest - highest == 0 else 0
            for j in range(parts.shape[0] - 1, -1, -1):
                out[j, i] = period_ns * last_rise(x, rows.n_samples, end, parts[j] * highest, &end)
                end += 1
    return made


def beginnings(waves, double period_ns, int64_t begin, int64_t stop, double n_sigma):
    """Give when each row last rises before its maximum through `n_sigma` times the noise in [begin, stop)."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t i, place, n = stop - begin
    cdef double highest, threshold, mean
    cdef const double *x
    check_stretch(&rows, begin, stop)
    made = np.empty(rows.n_rows)
    cdef double[::1] out = made
    cdef double *scratch = scratch_of(n)
    with nogil:
        for i in range(rows.n_rows):
            x = row_at(&rows, i)
            mean = sum_of(x + begin, n) / n
            threshold = mean + n_sigma * deviation_of(x + begin, n, mean, scratch)
            highest = highest_of(x, rows.n_samples)
            out[i] = NAN
            if highest > threshold:
                place = place_of(x, rows.n_samples, highest)
                out[i] = period_ns * last_rise(x, rows.n_samples, place, threshold, &place)
        free(scratch)
    return made


def heights_at(waves, const double[::1] times_ns, double period_ns, double delay):
    """Give the height of each row `delay` samples after a time, between two samples on a line."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t i, low, last = rows.n_samples - 1
    cdef double position
    cdef const double *x
    check_rows(&rows, times_ns)
    made = np.empty(rows.n_rows)
    cdef double[::1] out = made
    with nogil:
        for i in range(rows.n_rows):
            x = row_at(&rows, i)
            position = times_ns[i] / period_ns + delay
            out[i] = NAN
            if 0 <= position <= last:
                low = <int64_t>position
                out[i] = x[low] + (position - low) * (x[min(low + 1, last)] - x[low])
    return made


def tail_slopes(waves, const double[::1] times_ns, double period_ns, double delay, int64_t length):
    """Give the mean of the last samples less that of as many from `delay` after a time, over their distance."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t i, first, n = rows.n_samples
    cdef double begin
    cdef const double *x
    check_rows(&rows, times_ns)
    check_length(&rows, length)
    made = np.empty(rows.n_rows)
    cdef double[::1] out = made
    with nogil:
        for i in range(rows.n_rows):
            x = row_at(&rows, i)
            begin = ceil(times_ns[i] / period_ns) + delay
            out[i] = NAN
            if 0 <= begin <= n - 2 * length and are_finite(x, n - length):
                first = <int64_t>begin
                out[i] = (sum_of(x + n - length, length) - sum_of(x + first, length)) / (
                    <double>length * (n - length - first)
                )
    return made


def outside(waves, double low, double high):
    """Count the samples at or below `low`, and at or above `high`; NaN where one is."""
    cdef Rows rows = rows_of(waves, takes_whole=True)
    cdef int64_t i
    cdef int64_t[2] counts
    cdef double lowest = low, highest = high
    if rows.kind != c"d":
        lowest, highest = (0, 65535) if rows.kind == c"H" else (-32768, 32767)
    # A bound that no sample of 16 bits can reach would not fit 16 bits itself.
    cdef bint has_low = low >= lowest, has_high = high <= highest
    cdef int first = 0, last = 0
    if rows.kind != c"d":
        first, last = <int>min(max(low, lowest), highest), <int>min(max(high, lowest), highest)
    n_low, n_high, is_any = np.empty(rows.n_rows), np.empty(rows.n_rows), np.empty(rows.n_rows)
    cdef double[::1] low_out = n_low, high_out = n_high, any_out = is_any
    with nogil:
        for i in range(rows.n_rows):
            if rows.kind == c"H":
                count_outside_u2(rows.first + i * rows.stride, rows.n_samples, first, last, counts)
            elif rows.kind == c"h":
                count_outside_i2(rows.first + i * rows.stride, rows.n_samples, first, last, counts)
            else:
                count_outside_f8(rows.first + i * rows.stride, rows.n_samples, low, high, counts)
            low_out[i] = counts[0] if has_low else 0
            high_out[i] = counts[1] if has_high else 0
            any_out[i] = low_out[i] + high_out[i] > 0
            if rows.kind == c"d" and has_nan(row_at(&rows, i), rows.n_samples):
                low_out[i] = high_out[i] = any_out[i] = NAN
    return n_low, n_high, is_any


def pulses(waves, double period_ns, double n_sigma, int64_t gap, double sigma_of_mad):
    """Count where each row rises over its median and the noise after `gap` samples that did not."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t i, k, before, n = rows.n_samples, n_here
    cdef double middle, threshold
    cdef const double *x
    n_pulses, is_pile_up, tp_second = np.empty(rows.n_rows), np.empty(rows.n_rows), np.empty(rows.n_rows)
    cdef double[::1] n_out = n_pulses, pile_up = is_pile_up, second = tp_second
    cdef double *scratch = scratch_of(3 * n)
    with nogil:
        for k in range(n):
            scratch[k] = 0
        for i in range(rows.n_rows):
            x = row_at(&rows, i)
            second[i] = NAN
            middle = median_of(x, n, scratch + n)
            if middle != middle:
                n_out[i] = pile_up[i] = NAN
                continue
            take_distances(x, scratch, n, middle, 0, scratch + n)
            threshold = middle + n_sigma * (sigma_of_mad * median_of(scratch + n, n, scratch + 2 * n))
            n_here = 0
            before = -gap - 1
            k = next_over(x, 0, n, threshold)
            while k < n:
                if k - before > gap:
                    n_here += 1
                    if n_here == 2:
                        second[i] = k * period_ns
                before = k
                k = k + 1 if k + 1 < n and x[k + 1] > threshold else next_over(x, k + 1, n, threshold)
            n_out[i] = n_here
            pile_up[i] = n_here > 1
        free(scratch)
    return n_pulses, is_pile_up, tp_second


def robust_lines(waves, int64_t begin, int64_t end, double n_sigma, const double[::1] position,
                 const int64_t[::1] part_ends, const double[::1] part_centres, int64_t n_rounds, double sigma_of_mad):
    """Fit lines to the samples [begin, end) as `robust_baseline` does; gives value at 0, slope and part kept.

    position: place of each sample about the middle of the stretch. part_ends: where each part of it ends.
    part_centres: the mean place of each.
    """
    cdef Rows rows = rows_of(waves)
    cdef int64_t i, n = end - begin, n_parts = part_ends.shape[0]
    cdef Fit fit
    check_stretch(&rows, begin, end)
    if position.shape[0] != n or part_centres.shape[0] != n_parts or not 2 <= n_parts <= n:
        raise ValueError("each sample needs its position and each part its centre")
    if part_ends[n_parts - 1] != n or part_ends[0] < 1 or np.any(np.diff(part_ends) < 1):
        raise ValueError("the parts must fill the stretch")
    values, slopes, kept = np.empty(rows.n_rows), np.empty(rows.n_rows), np.empty(rows.n_rows)
    cdef double[::1] value_out = values, slope_out = slopes, kept_out = kept
    cdef double *scratch = scratch_of(4 * n + 5 * n_parts)
    fit.n, fit.position, fit.sigma_of_mad, fit.n_sigma = n, &position[0], sigma_of_mad, n_sigma
    fit.stretch, fit.distance, fit.chosen, fit.spare = scratch, scratch + n, scratch + 2 * n, scratch + 3 * n
    with nogil:
        for i in range(rows.n_rows):
            start_fit(&fit, row_at(&rows, i) + begin)
            if fit.shift == fit.shift:
                take_repeated_medians(&fit, &part_ends[0], &part_centres[0], n_parts, scratch + 4 * n)
                trim(&fit, n_rounds)
            value_out[i] = fit.level + fit.shift - fit.slope * (begin + (n - 1) / 2.0)
            slope_out[i] = fit.slope
            kept_out[i] = fit.kept
        free(scratch)
    return values, slopes, kept


cdef struct Fit:
    int64_t n
    const double *position
    double sigma_of_mad
    double n_sigma
    double *stretch
    double *distance
    double *chosen
    double *spare
    double shift
    double level
    double slope
    double kept


cdef void start_fit(Fit *fit, const double *x) noexcept nogil:
    """Take the median away; all is NaN where a sample is not finite."""
    fit.shift = fit.level = fit.slope = fit.kept = NAN
    if are_finite(x, fit.n):
        fit.shift = median_of(x, fit.n, fit.spare)
        take_away(x, fit.n, fit.shift, fit.stretch)


cdef void take_repeated_medians(Fit *fit, const int64_t *ends, const double *centres, int64_t n_parts,
                                double *scratch) noexcept nogil:
    """Draw the line whose slope is the median of the medians of the slopes between the parts' means."""
    cdef int64_t i, j, begin = 0, n_slopes
    cdef double *height = scratch
    cdef double *slopes = scratch + n_parts
    cdef double *medians = scratch + 2 * n_parts
    cdef double *spare = scratch + 3 * n_parts
    for i in range(n_parts):
        height[i] = sum_of(fit.stretch + begin, ends[i] - begin) / (ends[i] - begin)
        begin = ends[i]
    for i in range(n_parts):
        n_slopes = 0
        for j in range(n_parts):
            if j != i:
                slopes[n_slopes] = (height[i] - height[j]) / (centres[i] - centres[j])
                n_slopes += 1
        medians[i] = median_of(slopes, n_slopes, spare)
    fit.slope = median_of(medians, n_parts, spare)
    for i in range(n_parts):
        slopes[i] = height[i] - fit.slope * centres[i]
    fit.level = median_of(slopes, n_parts, spare)


cdef void trim(Fit *fit, int64_t n_rounds) noexcept nogil:
    """Leave out what lies off the line and draw it anew, several times."""
    cdef int64_t k, turn, count, n = fit.n
    cdef double limit, centre, mean, spread
    for turn in range(n_rounds):
        take_distances(fit.stretch, fit.position, n, fit.level, fit.slope, fit.distance)
        limit = fit.n_sigma * (fit.sigma_of_mad * median_of(fit.distance, n, fit.spare))
        # Of the rounded samples of a quiet baseline, more than half can lie on the line.
        limit = max(limit, 1.0)
        count = 0
        for k in range(n):
            count += fit.distance[k] <= limit
        fit.kept = <double>count / n
        take_near(fit.position, fit.distance, n, limit, 0, fit.chosen)
        centre = sum_of(fit.chosen, n) / count
        take_near(fit.stretch, fit.distance, n, limit, 0, fit.spare)
        mean = sum_of(fit.spare, n) / count
        take_near(fit.position, fit.distance, n, limit, centre, fit.chosen)
        multiply(fit.chosen, fit.spare, n, fit.spare)
        square(fit.chosen, n)
        spread = sum_of(fit.chosen, n)
        if spread > 0:
            fit.slope = sum_of(fit.spare, n) / spread
            fit.level = mean - fit.slope * centre


def ratios(const double[::1] top, const double[::1] bottom):
    """Give top / bottom; NaN where one is not finite or the bottom not above 0."""
    cdef int64_t i, n = top.shape[0]
    if bottom.shape[0] != n:
        raise ValueError("as many of one as of the other are needed")
    made = np.empty(n)
    cdef double[::1] out = made
    with nogil:
        for i in range(n):
            out[i] = NAN
            if bottom[i] > 0 and top[i] - top[i] == 0 and bottom[i] - bottom[i] == 0:
                out[i] = top[i] / bottom[i]
    return made


def cusps(waves, int64_t rise, int64_t flat, double sigma, double part):
    """Give each row as `cusp_filter` shapes it, less `part` times a parabola under each flank."""
    cdef Rows rows = rows_of(waves)
    cdef int64_t group, lane, k, n = rows.n_samples, before = 2 * rise + flat + 1
    cdef Cusp cusp
    cdef Lanes lanes
    cdef double[LANES] row_is_good
    check_length(&rows, rise)
    if not 0 <= flat <= n:
        raise ValueError("flat must be no longer than the waveforms")
    cusp.rise, cusp.gap, cusp.part = rise, rise + flat, part
    cusp.keep, cusp.kept = np.exp(-1 / sigma), np.exp(-rise / sigma)
    cusp.height = -1 / np.expm1(-2 * rise / sigma)
    made = empty((rows.n_rows, n))
    cdef double[:, ::1] out = made
    cdef int64_t size = (before + n) * LANES
    cdef double *scratch = scratch_of(4 * size)
    cdef double *x = scratch + before * LANES
    with nogil:
        for k in range(4 * size):
            scratch[k] = 0
        for group in range(groups_of(&rows)):
            lay_into_lanes(&rows, group * LANES, &out[0, 0], &lanes)
            for lane in range(LANES):
                row_is_good[lane] = are_finite(lanes.in_[lane], n)
            lay_together(lanes.in_, n, x)
            shape_cusps(x, x + size, x + 2 * size, x + 3 * size, n, &cusp, lanes.out)
            for lane in range(LANES):
                if not row_is_good[lane]:
                    for k in range(n):
                        lanes.out[lane][k] = NAN
        free(scratch)
    return made
