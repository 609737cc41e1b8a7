# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Counts rows in bins, moves the rows of a range in and out, and finds points in polygons, without the lock.

The same as the functions of `counting.py`, which say what each of them does. Rows go through in blocks: values
become float64, values become bins, bins are counted; each of these loops is short, and the first two are of
the kind that the compiler turns into vector instructions.
"""

from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport free, malloc

cdef extern from *:
    """
    #include <math.h>
    #include <stddef.h>
    #include <stdint.h>
    #include <string.h>

    #if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
    #define PYGAMA_CLONES __attribute__((target_clones("arch=skylake-avx512", "avx2", "default")))
    #else
    #define PYGAMA_CLONES
    #endif

    #define PYGAMA_ROWS 1024

    typedef struct {
        const void *data;      /* of the column */
        int64_t kind;          /* of its values, as in counting.py */
        double low, high, per_bin, near;
        int64_t n_bins;
        const double *edges;
    } pygama_axis;

    typedef struct {
        const void *data;
        int64_t kind;
        double low, high;
        int64_t is_open, is_inverted;
    } pygama_range;

    #define PYGAMA_LOAD(CODE, TYPE)                                                    \\
        case CODE:                                                                     \\
            if (rows) for (int64_t k = 0; k < n; k++) out[k] = (double)((const TYPE *)data)[rows[k]]; \\
            else for (int64_t k = 0; k < n; k++) out[k] = (double)((const TYPE *)data)[start + k];    \\
            break;

    /* rows: the numbers of the rows, or NULL for those from start on. */
    PYGAMA_CLONES static void pygama_load(
        const void *data, int64_t kind, int64_t start, const uint32_t *rows, int64_t n, double *restrict out)
    {
        switch (kind) {
            PYGAMA_LOAD(0, double)
            PYGAMA_LOAD(1, float)
            PYGAMA_LOAD(2, int8_t)
            PYGAMA_LOAD(3, int16_t)
            PYGAMA_LOAD(4, int32_t)
            PYGAMA_LOAD(5, int64_t)
            PYGAMA_LOAD(6, uint8_t)
            PYGAMA_LOAD(7, uint16_t)
            PYGAMA_LOAD(8, uint32_t)
            PYGAMA_LOAD(9, uint64_t)
        }
    }

    /* n_bins, n_bins + 1, n_bins + 2: below, above, NaN. */
    PYGAMA_CLONES static void pygama_guess(
        const double *restrict x, int64_t n, double low, double high, double per_bin, int32_t n_bins,
        double *restrict place, int32_t *restrict bins)
    {
        for (int64_t k = 0; k < n; k++) {
            double value = x[k], at = (value - low) * per_bin;
            int is_inside = (value >= low) & (value < high);
            double safe = is_inside ? at : 0.0;
            int32_t bin = (int32_t)safe;
            bin = bin < n_bins ? bin : n_bins - 1;
            int32_t outside = value < low ? n_bins : (value >= high ? n_bins + 1 : n_bins + 2);
            place[k] = safe;
            bins[k] = is_inside ? bin : outside;
        }
    }

    /* Where rounding may have gone across an edge, the edges decide. */
    static void pygama_decide(
        const double *x, const double *place, int64_t n, const pygama_axis *axis, int32_t *bins)
    {
        double near = axis->near, far = 1.0 - axis->near;
        for (int64_t k = 0; k < n; k++) {
            int32_t bin = bins[k];
            double within = place[k] - bin;
            if ((within > near) & (within < far)) continue;
            if (bin >= axis->n_bins) continue;
            while (bin > 0 && x[k] < axis->edges[bin]) bin--;
            while (bin < axis->n_bins - 1 && x[k] >= axis->edges[bin + 1]) bin++;
            bins[k] = bin;
        }
    }

    static inline int pygama_in_range(double value, const pygama_range *range) {
        return (int)range->is_inverted ^ ((value >= range->low) & ((value < range->high) | (int)range->is_open));
    }

    PYGAMA_CLONES static void pygama_weigh(
        const double *restrict x, int64_t n, const pygama_range *range, int8_t *restrict weights)
    {
        double low = range->low, high = range->high;
        int is_open = (int)range->is_open, is_inverted = (int)range->is_inverted;
        for (int64_t k = 0; k < n; k++)
            weights[k] &= is_inverted ^ ((x[k] >= low) & ((x[k] < high) | is_open));
    }

    /* histograms: two places of axes each, the second -1 for one dimension; tables: with three more a side. */
    static void pygama_count(
        const pygama_axis *axes, int64_t n_axes, const int64_t *histograms, int32_t *const *tables,
        int64_t n_histograms, const int8_t *mask, const pygama_range *range, const uint32_t *rows,
        const int8_t *signs, int64_t start, int64_t stop, int32_t *bins)
    {
        double x[PYGAMA_ROWS], place[PYGAMA_ROWS];
        int8_t weights[PYGAMA_ROWS];
        uint32_t chosen[PYGAMA_ROWS];
        for (int64_t first = start; first < stop; first += PYGAMA_ROWS) {
            int64_t n = stop - first < PYGAMA_ROWS ? stop - first : PYGAMA_ROWS;
            const uint32_t *these = rows ? rows + first : NULL;
            const int8_t *weighs = signs ? signs + first : NULL;
            if (!rows && (mask || range)) {
                if (mask) memcpy(weights, mask + first, n);
                else memset(weights, 1, n);
                if (range) {
                    pygama_load(range->data, range->kind, first, NULL, n, x);
                    pygama_weigh(x, n, range, weights);
                }
                int64_t m = 0;
                for (int64_t k = 0; k < n; k++) { chosen[m] = (uint32_t)(first + k); m += weights[k]; }
                if (m == 0) continue;
                if (2 * m < n) { these = chosen; n = m; }
                else if (m < n) weighs = weights;
            }
            for (int64_t a = 0; a < n_axes; a++) {
                const pygama_axis *axis = axes + a;
                int32_t *of_axis = bins + a * PYGAMA_ROWS;
                pygama_load(axis->data, axis->kind, first, these, n, x);
                pygama_guess(x, n, axis->low, axis->high, axis->per_bin, (int32_t)axis->n_bins, place, of_axis);
                pygama_decide(x, place, n, axis, of_axis);
            }
            for (int64_t h = 0; h < n_histograms; h++) {
                const int32_t *across = bins + histograms[2 * h] * PYGAMA_ROWS;
                int32_t *table = tables[h];
                if (histograms[2 * h + 1] < 0) {
                    if (weighs) for (int64_t k = 0; k < n; k++) table[across[k]] += weighs[k];
                    else for (int64_t k = 0; k < n; k++) table[across[k]]++;
                    continue;
                }
                const int32_t *up = bins + histograms[2 * h + 1] * PYGAMA_ROWS;
                int64_t width = axes[histograms[2 * h + 1]].n_bins + 3;
                if (weighs) for (int64_t k = 0; k < n; k++) table[across[k] * width + up[k]] += weighs[k];
                else for (int64_t k = 0; k < n; k++) table[across[k] * width + up[k]]++;
            }
        }
    }

    static int64_t pygama_changes(
        const pygama_range *before, const pygama_range *after, const int8_t *mask, const uint32_t *rows,
        int64_t n_rows, uint32_t *out_rows, int8_t *out_signs)
    {
        double x[PYGAMA_ROWS];
        int64_t m = 0;
        for (int64_t first = 0; first < n_rows; first += PYGAMA_ROWS) {
            int64_t n = n_rows - first < PYGAMA_ROWS ? n_rows - first : PYGAMA_ROWS;
            pygama_load(after->data, after->kind, 0, rows + first, n, x);
            for (int64_t k = 0; k < n; k++) {
                int sign = pygama_in_range(x[k], after) - pygama_in_range(x[k], before);
                if (mask) sign *= mask[rows[first + k]];
                out_rows[m] = rows[first + k];
                out_signs[m] = (int8_t)sign;
                m += sign != 0;
            }
        }
        return m;
    }

    /* The number of knots at or below a value; n_knots + 1 for NaN. All rows take each halving together. */
    PYGAMA_CLONES static void pygama_buckets(
        const double *restrict x, int64_t n, const double *restrict knots, int64_t n_knots,
        uint16_t *restrict out)
    {
        int64_t from[PYGAMA_ROWS];
        for (int64_t k = 0; k < n; k++) from[k] = 0;
        for (int64_t left = n_knots; left > 1; left -= left / 2) {
            int64_t half = left / 2;
            for (int64_t k = 0; k < n; k++)
                from[k] += half & -(int64_t)(knots[from[k] + half - 1] <= x[k]);
        }
        for (int64_t k = 0; k < n; k++) {
            int64_t bucket = from[k] + (knots[from[k]] <= x[k]);
            out[k] = (uint16_t)(x[k] != x[k] ? n_knots + 1 : bucket);
        }
    }

    PYGAMA_CLONES static void pygama_cross(
        const double *restrict x, const double *restrict y, int64_t n, double x1, double y1, double y2,
        double slope, int64_t *restrict inside)
    {
        for (int64_t k = 0; k < n; k++)
            inside[k] ^= (y[k] >= y1) & (y[k] < y2) & (x[k] < x1 + (y[k] - y1) * slope);
    }
    """
    ctypedef struct pygama_axis:
        const void *data
        int64_t kind
        double low
        double high
        double per_bin
        double near
        int64_t n_bins
        const double *edges

    ctypedef struct pygama_range:
        const void *data
        int64_t kind
        double low
        double high
        int64_t is_open
        int64_t is_inverted

    int PYGAMA_ROWS
    void pygama_load(
        const void *data, int64_t kind, int64_t start, const uint32_t *rows, int64_t n, double *out
    ) nogil
    void pygama_count(
        const pygama_axis *axes, int64_t n_axes, const int64_t *histograms, int32_t **tables,
        int64_t n_histograms, const int8_t *mask, const pygama_range *range, const uint32_t *rows,
        const int8_t *signs, int64_t start, int64_t stop, int32_t *bins
    ) nogil
    int64_t pygama_changes(
        const pygama_range *before, const pygama_range *after, const int8_t *mask,
        const uint32_t *rows, int64_t n_rows, uint32_t *out_rows, int8_t *out_signs
    ) nogil
    void pygama_buckets(
        const double *x, int64_t n, const double *knots, int64_t n_knots, uint16_t *out
    ) nogil
    void pygama_cross(
        const double *x, const double *y, int64_t n, double x1, double y1, double y2, double slope,
        int64_t *inside
    ) nogil


cdef pygama_range _range(tuple of):
    """Take (address, kind, low, high, is_open, is_inverted)."""
    cdef pygama_range made
    made.data = <const void *><size_t>of[0]
    made.kind, made.low, made.high, made.is_open, made.is_inverted = of[1:]
    return made


def count(
    list axes,
    const int64_t[::1] histograms,
    list tables,
    const int8_t[::1] mask,
    tuple inside,
    const uint32_t[::1] rows,
    const int8_t[::1] signs,
    int64_t start,
    int64_t stop,
):
    """Count rows into tables; see `counting.count_plainly`. axes: (address, kind, low, high, per bin, near, edges)."""
    cdef Py_ssize_t n_axes = len(axes), n_histograms = len(tables), at
    cdef pygama_axis *of = <pygama_axis *>malloc((n_axes + 1) * sizeof(pygama_axis))
    cdef int32_t **into = <int32_t **>malloc((n_histograms + 1) * sizeof(int32_t *))
    cdef int32_t *bins = <int32_t *>malloc((n_axes + 1) * PYGAMA_ROWS * sizeof(int32_t))
    cdef pygama_range range_of
    cdef const pygama_range *range_at = NULL
    cdef const int8_t *mask_at = NULL
    cdef const uint32_t *rows_at = NULL
    cdef const int8_t *signs_at = NULL
    cdef const double[::1] edges
    cdef int32_t[::1] table
    if mask is not None and mask.shape[0]:
        mask_at = &mask[0]
    if rows is not None and rows.shape[0]:
        rows_at = &rows[0]
        signs_at = &signs[0]
    if inside is not None:
        range_of = _range(inside)
        range_at = &range_of
    try:
        if of == NULL or into == NULL or bins == NULL:
            raise MemoryError
        for at in range(n_axes):
            of[at].data = <const void *><size_t>axes[at][0]
            of[at].kind, of[at].low, of[at].high, of[at].per_bin, of[at].near, edges = axes[at][1:]
            of[at].n_bins = edges.shape[0] - 1
            of[at].edges = &edges[0]
        for at in range(n_histograms):
            table = tables[at]
            into[at] = &table[0]
        if start < stop:
            with nogil:
                pygama_count(
                    of, n_axes, &histograms[0], into, n_histograms, mask_at, range_at, rows_at, signs_at,
                    start, stop, bins,
                )
    finally:
        free(of)
        free(into)
        free(bins)


def changes(
    tuple before,
    tuple after,
    const int8_t[::1] mask,
    const uint32_t[::1] rows,
    uint32_t[::1] out_rows,
    int8_t[::1] out_signs,
):
    """Write the rows that come in or go out, with 1 or -1; give how many. See `counting.changes_plainly`."""
    cdef pygama_range old = _range(before), new = _range(after)
    cdef const int8_t *mask_at = NULL
    cdef int64_t n = rows.shape[0], found = 0
    if mask is not None and mask.shape[0]:
        mask_at = &mask[0]
    if n:
        with nogil:
            found = pygama_changes(&old, &new, mask_at, &rows[0], n, &out_rows[0], &out_signs[0])
    return found


def buckets(size_t address, int64_t kind, const double[::1] knots, uint16_t[::1] out):
    """Write the bucket of each row; see `counting.buckets_plainly`."""
    cdef int64_t n = out.shape[0], first, some
    cdef double x[1024]
    with nogil:
        for first in range(0, n, 1024):
            some = min(1024, n - first)
            pygama_load(<const void *>address, kind, first, NULL, some, x)
            pygama_buckets(x, some, &knots[0], knots.shape[0], &out[first])


def sort_rows(const uint16_t[::1] of_rows, int64_t[::1] starts, uint32_t[::1] out):
    """Write the rows by bucket, in their order within each; starts: where each bucket begins, is used up."""
    cdef int64_t row, n = of_rows.shape[0]
    with nogil:
        for row in range(n):
            out[starts[of_rows[row]]] = <uint32_t>row
            starts[of_rows[row]] += 1


def inside(const double[::1] x, const double[::1] y, const double[:, ::1] sides, uint8_t[::1] out):
    """Write whether each point is in the polygon of sides (x1, y1, y2, slope), by the even-odd rule."""
    cdef int64_t n = out.shape[0], first, some, k
    cdef Py_ssize_t side
    cdef int64_t found[1024]
    with nogil:
        for first in range(0, n, 1024):
            some = min(1024, n - first)
            for k in range(some):
                found[k] = 0
            for side in range(sides.shape[0]):
                pygama_cross(
                    &x[first], &y[first], some, sides[side, 0], sides[side, 1], sides[side, 2],
                    sides[side, 3], found,
                )
            for k in range(some):
                out[first + k] = <uint8_t>found[k]


def middles(
    const uint32_t[::1] order,
    const int64_t[::1] starts,
    const double[::1] ordered,
    const uint8_t[::1] mask,
    double[::1] room,
    int64_t[::1] numbers,
    double[::1] medians,
    double[::1] deviations,
):
    """Write how many of each group are chosen, their median, and that of their distances from it.

    order: rows by group, within each by value; ordered: their values; room: for one more than the values of
    the largest group; see `groups.middles_plainly`.
    """
    cdef Py_ssize_t group, at
    cdef int64_t n, first, second
    cdef double middle, one
    with nogil:
        for group in range(numbers.shape[0]):
            n = 0
            for at in range(starts[group], starts[group + 1]):
                # Without a branch: which rows are chosen, no processor can foresee.
                room[n] = ordered[at]
                n += mask[order[at]]
            numbers[group] = n
            if n == 0:
                continue
            first, second = (n - 1) // 2, n // 2
            middle = room[first]
            if second > first:
                middle = (middle + room[second]) / 2
            medians[group] = middle
            one = _distance(room, n, first + 1, middle, first)
            if second > first:
                one = (one + _distance(room, n, first + 1, middle, second)) / 2
            deviations[group] = one


cdef double _distance(
    double[::1] values, int64_t n, int64_t n_below, double middle, int64_t rank
) noexcept nogil:
    """Give the distance from the middle that so many of `n` sorted values are nearer than.

    n_below: values before the middle; their distances rise backwards, those of the others forwards, and the
    nearest are so many of the ones and the rest of the others.
    """
    cdef int64_t low = max(rank + 1 - (n - n_below), 0)
    cdef int64_t high = min(rank + 1, n_below)
    cdef int64_t at, other
    cdef double found = 0
    while low < high:
        at = (low + high) // 2
        other = rank - at
        if middle - values[n_below - 1 - at] < values[n_below + other] - middle:
            low = at + 1
        else:
            high = at
    other = rank + 1 - low
    if low > 0:
        found = middle - values[n_below - low]
    if other > 0:
        found = max(found, values[n_below + other - 1] - middle)
    return found
