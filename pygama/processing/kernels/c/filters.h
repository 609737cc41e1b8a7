/* Filters that make a waveform of a waveform. */

#ifndef PYGAMA_FILTERS_H
#define PYGAMA_FILTERS_H

#include "vectors.h"

/* From sums up to each sample, the mean of the last `length` at each; fewer at the beginning count as all. */
CLONES static void take_means(const double *sum, int64_t n, int64_t length, int counts_few, double *out) {
    const double *before = sum - length;
    if (counts_few)
        for (int32_t k = 0; k < length; k++) out[k] = sum[k] / (double)(k + 1);
    else
        for (int64_t k = 0; k < length; k++) out[k] = sum[k] / (double)length;
    for (int64_t k = length; k < n; k++) out[k] = (sum[k] - before[k]) / (double)length;
}

/* From sums up to each sample, the mean of the last `rise` less that of `fall` which end `gap` earlier. */
CLONES static void take_difference_of_means(const double *sum, int64_t n, int64_t rise, int64_t fall, int64_t gap,
                                            double *out) {
    int64_t settled = gap + fall < n ? gap + fall : n, begun = gap < n ? gap : n;
    const double *a = sum - rise, *b = sum - gap, *c = sum - gap - fall;
    for (int64_t k = 0; k < rise; k++) out[k] = sum[k] / (double)rise;
    for (int64_t k = rise; k < settled; k++) out[k] = (sum[k] - a[k]) / (double)rise;
    for (int64_t k = begun; k < settled; k++) out[k] -= b[k] / (double)fall;
    int64_t k = settled;
    if (k < rise) {
        for (; k < rise; k++) out[k] -= (b[k] - c[k]) / (double)fall;
    }
    for (; k < n; k++) out[k] = (sum[k] - a[k]) / (double)rise - (b[k] - c[k]) / (double)fall;
}

CLONES static void take_derivative(const double *x, int64_t n, double *out) {
    if (n < 2) {
        out[0] = x[0] - x[0];
        return;
    }
    out[0] = x[1] - x[0];
    for (int64_t k = 1; k < n - 1; k++) out[k] = (x[k + 1] - x[k - 1]) / 2.0;
    out[n - 1] = x[n - 1] - x[n - 2];
}

CLONES static void take_current(const double *x, int64_t n, int64_t length, double *out) {
    const double *before = x - length;
    double first = x[0];
    for (int64_t k = 0; k < length; k++) out[k] = (x[k] - first) / (double)length;
    for (int64_t k = length; k < n; k++) out[k] = (x[k] - before[k]) / (double)length;
}

/* out[k]: the sum of weights[j] * x[k + j]. */
CLONES static void weigh(const double *x, int64_t n, const double *weights, int64_t length, double *out) {
    int64_t k = 0;
#if HAS_VECTORS
    for (; k + 16 <= n; k += 16) {
        four sum[4] = {{0}};
        for (int64_t j = 0; j < length; j++) {
            UNROLL
            for (int i = 0; i < 4; i++) sum[i] += weights[j] * AT(x + k + j + 4 * i);
        }
        UNROLL
        for (int i = 0; i < 4; i++) PUT(out + k + 4 * i) = sum[i];
    }
#endif
    for (; k < n; k++) {
        double sum = 0;
        for (int64_t j = 0; j < length; j++) sum += weights[j] * x[k + j];
        out[k] = sum;
    }
}

/* What a cusp is made of: the lengths of a flank and of both with the top, what a flank keeps from one sample
 * to the next, what it keeps over its length, its height, and how much of a parabola is taken away. */
typedef struct {
    int64_t rise, gap;
    double keep, kept, height, part;
} Cusp;

/* As many rows as are worked on at once. */
#if HAS_VECTORS
typedef four wide;
#else
typedef double wide;
#define AT(pointer) (*(pointer))
#define PUT(pointer) (*(pointer))
#endif
#define WIDE ((int)(sizeof(wide) / sizeof(double)))
#define PARTS (LANES / WIDE)
#define EACH for (int part = 0; part < PARTS; part++)

/* Lay sample k of all lanes together. */
CLONES static void lay_together(const double *const *rows, int64_t n, double *x) {
    int64_t k = 0;
#if HAS_VECTORS
    for (; k + 4 <= n; k += 4)
        EACH {
            four v[4];
            UNROLL
            for (int i = 0; i < 4; i++) v[i] = AT(rows[4 * part + i] + k);
            turn(v);
            UNROLL
            for (int i = 0; i < 4; i++) PUT(x + (k + i) * LANES + 4 * part) = v[i];
        }
#endif
    for (; k < n; k++)
        for (int lane = 0; lane < LANES; lane++) x[k * LANES + lane] = rows[lane][k];
}

/* Part samples first .. first + n again into the row of each lane; lanes left over write what their row's own does. */
INLINE void lay_apart(const double *x, int64_t first, int64_t n, double *const *rows) {
    int64_t k = 0;
#if HAS_VECTORS
    for (; k + 4 <= n; k += 4)
        EACH {
            four v[4];
            UNROLL
            for (int i = 0; i < 4; i++) v[i] = AT(x + (k + i) * LANES + 4 * part);
            turn(v);
            UNROLL
            for (int i = 0; i < 4; i++) PUT(rows[4 * part + i] + first + k) = v[i];
        }
#endif
    for (; k < n; k++)
        for (int lane = 0; lane < LANES; lane++) rows[lane][first + k] = x[k * LANES + lane];
}

#define OF(array, k) AT((array) + (k) * LANES + WIDE * part)
#define TO(array, k) PUT((array) + (k) * LANES + WIDE * part)
#define STEP(k) (OF(x, k) - OF(x, (k) - 1))

/* Sum what a parabola makes of each flank of `rise` samples. */
CLONES static void sum_parabolas(const double *x, double *curved, int64_t n, int64_t rise) {
    wide sum[PARTS], moment[PARTS];
    memset(sum, 0, sizeof sum);
    memset(moment, 0, sizeof moment);
    for (int64_t k = 0; k < n; k++)
        EACH {
            moment[part] += sum[part] - (double)rise * OF(x, k - rise);
            sum[part] += OF(x, k) - OF(x, k - rise);
            TO(curved, k) = (double)(rise - 1) * sum[part] - 2.0 * moment[part];
        }
}

/* Sum the differences of the last `rise` samples, the oldest by 1 and the others by less and less; from the end,
 * where the sum fades: so rounding fades as well. */
CLONES static void sum_growing(const double *x, double *grown, int64_t n, const Cusp *cusp, double newest) {
    const int64_t rise = cusp->rise;
    const double keep = cusp->keep;
    wide sum[PARTS];
    memset(sum, 0, sizeof sum);
    for (int64_t k = n - 1; k >= n - rise; k--) EACH sum[part] = sum[part] * keep + STEP(k);
    EACH TO(grown, n - 1) = sum[part];
    for (int64_t k = n - 2; k >= 0; k--)
        EACH {
            sum[part] = keep * (sum[part] - newest * STEP(k + 1)) + STEP(k - rise + 1);
            TO(grown, k) = sum[part];
        }
}

/* Shape the rows of all lanes; x, grown, fallen, curved: sample k of all lanes together, with zeros before sample
 * 0. fallen: the differences of the last `rise` samples, the newest by 1. curved: only needed, and filled, where
 * a parabola is taken away. */
CLONES static void shape_cusps(const double *x, double *grown, double *fallen, double *curved, int64_t n,
                               const Cusp *cusp, double *const *out) {
    const int64_t rise = cusp->rise, gap = cusp->gap;
    const double keep = cusp->keep, kept = cusp->kept, height = cusp->height;
    const double newest = pow(keep, (double)(rise - 1));
    sum_growing(x, grown, n, cusp, newest);
    if (cusp->part != 0) sum_parabolas(x, curved, n, rise);
    wide sum[PARTS];
    memset(sum, 0, sizeof sum);
    for (int64_t first = 0; first < n; first += CHUNK) {
        const int64_t last = first + CHUNK < n ? first + CHUNK : n;
        double shaped[CHUNK * LANES];
        for (int64_t k = first; k < last; k++)
            EACH {
                const wide oldest = STEP(k - gap - rise + 1);
                sum[part] = keep * sum[part] + STEP(k) - kept * STEP(k - rise);
                TO(fallen, k) = sum[part];
                wide value = height * (OF(grown, k) - kept * keep * sum[part]);
                value += OF(x, k - rise) - OF(x, k - gap);
                value += height * keep * (OF(fallen, k - gap) - newest * oldest);
                value -= height * kept * (OF(grown, k - gap) - oldest);
                if (cusp->part != 0) value -= cusp->part * (OF(curved, k) + OF(curved, k - gap));
                TO(shaped, k - first) = value;
            }
        lay_apart(shaped, first, last - first, out);
    }
}
#undef OF
#undef TO
#undef STEP
#undef EACH

#endif
