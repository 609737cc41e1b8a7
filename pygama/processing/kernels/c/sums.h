/* Sums in the order in which NumPy takes them, and whether numbers are finite. */

#ifndef PYGAMA_SUMS_H
#define PYGAMA_SUMS_H

#include "vectors.h"

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

/* Whether all of the samples are numbers below infinity. */
CLONES static int are_finite(const double *x, int64_t n) {
    int is_lost = 0;
    int64_t k = 0;
#if HAS_VECTORS
    mask lost[4] = {{0}};
    for (; k + 16 <= n; k += 16) {
        UNROLL
        for (int i = 0; i < 4; i++) {
            four v = AT(x + k + 4 * i);
            lost[i] |= v - v != 0;
        }
    }
    for (int i = 0; i < 4; i++) is_lost |= is_any(lost + i);
#endif
    for (; k < n; k++) is_lost |= x[k] - x[k] != 0;
    return !is_lost;
}

CLONES static int has_nan(const double *x, int64_t n) {
    int is_lost = 0;
    for (int64_t k = 0; k < n; k++) is_lost |= x[k] != x[k];
    return is_lost;
}

#endif
