/* Medians, and samples picked by size. */

#ifndef PYGAMA_ORDER_H
#define PYGAMA_ORDER_H

#include "vectors.h"
#include "sums.h"
#include "levels.h"

/* Move the samples from `low` to `high` to the front; returns how many there are. */
INLINE int64_t keep_these(double *x, int64_t k, int64_t end, double low, double high, int64_t kept) {
    for (; k < end; k++) {
        double v = x[k];
        x[kept] = v;
        kept += (v >= low) & (v <= high);
    }
    return kept;
}

CLONES static int64_t keep_between(double *x, int64_t n, double low, double high) {
    int64_t kept = 0, k = 0;
#if HAS_VECTORS
    for (; k + 8 <= n; k += 8) {
        four a = AT(x + k), b = AT(x + k + 4);
        mask found = ((a >= low) & (a <= high)) | ((b >= low) & (b <= high));
        if (is_any(&found)) kept = keep_these(x, k, k + 8, low, high, kept);
    }
#endif
    return keep_these(x, k, n, low, high, kept);
}

static int64_t keep_below(double *x, int64_t n, double level) {
    int64_t kept = 0;
    for (int64_t k = 0; k < n; k++) {
        double v = x[k];
        x[kept] = v;
        kept += v < level;
    }
    return kept;
}

static int64_t keep_above(double *x, int64_t n, double level) {
    int64_t kept = 0;
    for (int64_t k = 0; k < n; k++) {
        double v = x[k];
        x[kept] = v;
        kept += v > level;
    }
    return kept;
}

static void sort_few(double *x, int64_t n) {
    for (int64_t i = 1; i < n; i++) {
        double v = x[i];
        int64_t j = i;
        for (; j > 0 && x[j - 1] > v; j--) x[j] = x[j - 1];
        x[j] = v;
    }
}

#define FEW 32

/* Two bounds, and how many numbers lie below the first and up to the second. */
typedef struct {
    double low, high;
    int64_t below, up_to;
} Bounds;

INLINE int are_around(const Bounds *bounds, int64_t place) {
    return bounds->below <= place && place < bounds->up_to;
}

/* Draw the bounds together to where the number lies if those between them are spread evenly, if it does. */
static int narrow(const double *x, int64_t n, int64_t place, Bounds *bounds) {
    double n_between = (double)(bounds->up_to - bounds->below), step = (bounds->high - bounds->low) / n_between;
    double middle = bounds->low + (place - bounds->below + 0.5) * step, reach = (2 * sqrt(n_between) + 2) * step;
    Bounds closer = {middle - reach, middle + reach, 0, 0};
    if (!(closer.low > bounds->low && closer.high < bounds->high)) return 0;
    count_up_to(x, n, closer.low, closer.high, &closer.below, &closer.up_to);
    if (!are_around(&closer, place)) return 0;
    *bounds = closer;
    return 1;
}

/* The number that would be at a place if x, without NaN, were sorted; x is left in disorder.
 *
 * Two of a few sorted samples, around the place, are bounds between which most of the rest need not be
 * looked at again; where they cut little away, one sample alone parts the numbers in three. */
static double select_from(double *x, int64_t n, int64_t place) {
    while (n > FEW) {
        double some[FEW];
        for (int64_t i = 0; i < FEW; i++) some[i] = x[i * n / FEW];
        sort_few(some, FEW);
        int64_t middle = place * FEW / n, from = middle - 3, to = middle + 3;
        Bounds bounds = {some[from < 0 ? 0 : from], some[to > FEW - 1 ? FEW - 1 : to], 0, 0};
        count_up_to(x, n, bounds.low, bounds.high, &bounds.below, &bounds.up_to);
        if (are_around(&bounds, place) && bounds.up_to - bounds.below > n / 2) {
            bounds.low = bounds.high = some[middle];
            count_up_to(x, n, bounds.low, bounds.high, &bounds.below, &bounds.up_to);
        } else if (are_around(&bounds, place)) {
            /* A look at all is quicker than moving some. Numbers that are equal stay together. */
            for (int turn = 0; turn < 2 && bounds.up_to - bounds.below > FEW; turn++)
                if (!narrow(x, n, place, &bounds)) break;
        }
        if (place < bounds.below) {
            n = keep_below(x, n, bounds.low);
        } else if (place >= bounds.up_to) {
            n = keep_above(x, n, bounds.high);
            place -= bounds.up_to;
        } else {
            if (bounds.low == bounds.high) return bounds.low;
            n = keep_between(x, n, bounds.low, bounds.high);
            place -= bounds.below;
        }
    }
    sort_few(x, n);
    return x[place];
}

/* The lowest number above a level; infinity where there is none. */
CLONES static double next_above(const double *x, int64_t n, double level) {
    double next = INFINITY;
    int64_t k = 0;
#if HAS_VECTORS
    four best = {INFINITY, INFINITY, INFINITY, INFINITY};
    for (; k + 4 <= n; k += 4) {
        four v = AT(x + k);
        mask better = (v > level) & (v < best);
        best = (four)((better & (mask)v) | (~better & (mask)best));
    }
    for (int lane = 0; lane < 4; lane++) next = best[lane] < next ? best[lane] : next;
#endif
    for (; k < n; k++)
        if (x[k] > level && x[k] < next) next = x[k];
    return next;
}

/* The median; NaN where one of the numbers is. scratch: as many numbers. */
static double median_of(const double *x, int64_t n, double *scratch) {
    if (has_nan(x, n)) return NAN;
    memcpy(scratch, x, n * sizeof *x);
    double low = select_from(scratch, n, (n - 1) / 2), high = low;
    if (n % 2 == 0) {
        int64_t below, up_to;
        count_up_to(x, n, low, low, &below, &up_to);
        if (up_to <= n / 2) high = next_above(x, n, low);
        return (low + high) / 2;
    }
    return low;
}

#endif
