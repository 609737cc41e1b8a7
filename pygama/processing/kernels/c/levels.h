/* Highest and lowest samples, and where a level is passed. */

#ifndef PYGAMA_LEVELS_H
#define PYGAMA_LEVELS_H

#include "vectors.h"

/* The highest, or lowest, of the samples, of which there is one at least; NaN where one of them is. Two halves
 * of a stretch are compared first, so that one look tells whether either holds no number. */
#define BEST_OF(name, beats)                                                                               \
    CLONES static double name(const double *x, int64_t n) {                                                \
        double best[16];                                                                                   \
        int64_t lost[16] = {0}, is_lost = 0, k = 0;                                                        \
        for (int j = 0; j < 16; j++) best[j] = x[0];                                                       \
        for (; k + 32 <= n; k += 32) {                                                                     \
            for (int j = 0; j < 16; j++) {                                                                 \
                double one = x[k + j], other = x[k + 16 + j];                                              \
                double better = one beats other ? one : other;                                             \
                best[j] = better beats best[j] ? better : best[j];                                         \
                lost[j] |= isunordered(one, other) ? -1 : 0;                                               \
            }                                                                                              \
        }                                                                                                  \
        for (int j = 0; j < 16; j++) {                                                                     \
            is_lost |= lost[j];                                                                            \
            if (best[j] beats best[0]) best[0] = best[j];                                                  \
        }                                                                                                  \
        for (; k < n; k++) {                                                                               \
            if (x[k] beats best[0]) best[0] = x[k];                                                        \
            is_lost |= x[k] != x[k];                                                                       \
        }                                                                                                  \
        return is_lost || best[0] != best[0] ? NAN : best[0];                                              \
    }
BEST_OF(highest_of, >)
BEST_OF(lowest_of, <)

/* The first sample that is `height`, which one of them is. */
CLONES static int64_t place_of(const double *x, int64_t n, double height) {
    int64_t k = 0;
#if HAS_VECTORS
    for (; k + 16 <= n; k += 16) {
        mask found = {0};
        UNROLL
        for (int i = 0; i < 4; i++) found |= AT(x + k + 4 * i) == height;
        if (is_any(&found)) break;
    }
#endif
    while (k < n - 1 && x[k] != height) k++;
    return k;
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

/* How many samples lie at or below one bound, and how many at or above the other. */
#define COUNT_OUTSIDE(name, type, bound)                                                                   \
    CLONES static void name(const char *row, int64_t n, bound low, bound high, int64_t *counts) {           \
        const type *x = (const type *)row;                                                                  \
        counts[0] = counts[1] = 0;                                                                          \
        for (int64_t begin = 0; begin < n; begin += 32768) {                                                \
            uint16_t n_low = 0, n_high = 0;                                                                 \
            int32_t n_here = n - begin < 32768 ? (int32_t)(n - begin) : 32768;                              \
            for (int32_t k = 0; k < n_here; k++) n_low += x[begin + k] <= low;                              \
            for (int32_t k = 0; k < n_here; k++) n_high += x[begin + k] >= high;                            \
            counts[0] += n_low;                                                                             \
            counts[1] += n_high;                                                                            \
        }                                                                                                   \
    }
COUNT_OUTSIDE(count_outside_u2, uint16_t, uint16_t)
COUNT_OUTSIDE(count_outside_i2, int16_t, int16_t)
COUNT_OUTSIDE(count_outside_f8, double, double)

CLONES static void count_up_to(const double *x, int64_t n, double low, double high, int64_t *below,
                               int64_t *up_to) {
    int64_t n_below = 0, n_up_to = 0, k = 0;
#if HAS_VECTORS
    mask sum_below = {0}, sum_up_to = {0};
    for (; k + 4 <= n; k += 4) {
        four v = AT(x + k);
        sum_below -= v < low;
        sum_up_to -= v <= high;
    }
    for (int lane = 0; lane < 4; lane++) {
        n_below += sum_below[lane];
        n_up_to += sum_up_to[lane];
    }
#endif
    for (; k < n; k++) {
        n_below += x[k] < low;
        n_up_to += x[k] <= high;
    }
    *below = n_below;
    *up_to = n_up_to;
}

/* The first sample from `begin` on that is above a level, or n. */
CLONES static int64_t next_over(const double *x, int64_t begin, int64_t n, double level) {
    int64_t k = begin;
#if HAS_VECTORS
    for (; k + 16 <= n; k += 16) {
        mask found = {0};
        UNROLL
        for (int i = 0; i < 4; i++) found |= AT(x + k + 4 * i) > level;
        if (is_any(&found)) break;
    }
#endif
    while (k < n && !(x[k] > level)) k++;
    return k;
}

#endif
