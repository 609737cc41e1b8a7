/* Straight lines, and what lies off them. */

#ifndef PYGAMA_LINES_H
#define PYGAMA_LINES_H

#include "vectors.h"

/* 0, 1, 2 ...: a whole number is slower to turn into floating point than to look up. */
static double counting[CHUNK];

static void fill_counting(void) {
    for (int k = 0; k < CHUNK; k++) counting[k] = k;
}

#define SUBTRACT_LINE(name, type)                                                                    \
    CLONES static void name(const char *row, int64_t n, double value, double slope, double *out) {    \
        for (int64_t begin = 0; begin < n; begin += CHUNK) {                                          \
            const type *x = (const type *)row + begin;                                                \
            double first = (double)begin;                                                             \
            int32_t n_here = n - begin < CHUNK ? (int32_t)(n - begin) : CHUNK;                        \
            for (int32_t k = 0; k < n_here; k++)                                                      \
                out[begin + k] = (double)x[k] - (value + slope * (first + counting[k]));              \
        }                                                                                             \
    }
SUBTRACT_LINE(subtract_line_u2, uint16_t)
SUBTRACT_LINE(subtract_line_i2, int16_t)
SUBTRACT_LINE(subtract_line_f8, double)

#define WIDEN(name, type)                                                    \
    CLONES static void name(const char *row, int64_t n, double *out) {        \
        const type *x = (const type *)row;                                    \
        for (int64_t k = 0; k < n; k++) out[k] = (double)x[k];                \
    }
WIDEN(widen_u2, uint16_t)
WIDEN(widen_i2, int16_t)

/* How far each sample lies off the line level + slope * place. */
CLONES static void take_distances(const double *x, const double *place, int64_t n, double level, double slope,
                                  double *out) {
    for (int64_t k = 0; k < n; k++) out[k] = fabs(x[k] - (level + slope * place[k]));
}

/* x less `centre` where the distance is no more than `limit`, else 0. */
CLONES static void take_near(const double *x, const double *distance, int64_t n, double limit, double centre,
                             double *out) {
    for (int64_t k = 0; k < n; k++) {
        double v = x[k] - centre;
        out[k] = distance[k] <= limit ? v : 0.0;
    }
}

CLONES static void multiply(const double *a, const double *b, int64_t n, double *out) {
    for (int64_t k = 0; k < n; k++) out[k] = a[k] * b[k];
}

#endif
