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

#define EACH for (int lane = 0; lane < LANES; lane++)

/* Shape the rows of all lanes; x, grown, fallen: sample k of all lanes together, with zeros before sample 0.
 * grown: the differences of the last `rise` samples, the oldest by 1 and the others by less and less; fallen:
 * the newest by 1. The former is summed from the end, where it fades: so rounding fades as well. curved: what
 * a parabola makes of them. Lanes left over write the same as their row's own, so each is written in one go. */
CLONES static void shape_cusps(const double *x, double *grown, double *fallen, double *curved, int64_t n,
                               const Cusp *cusp, double *const *out) {
    const int64_t rise = cusp->rise, gap = cusp->gap;
    const double keep = cusp->keep, height = cusp->height;
    const double newest = pow(keep, (double)(rise - 1));
    double sum[LANES] = {0}, moment[LANES] = {0};
#define X(k) x[(k) * LANES + lane]
#define STEP(k) (X(k) - X((k) - 1))
    for (int64_t k = n - 1; k >= n - rise; k--) EACH sum[lane] = sum[lane] * keep + STEP(k);
    EACH grown[(n - 1) * LANES + lane] = sum[lane];
    for (int64_t k = n - 2; k >= 0; k--)
        EACH {
            sum[lane] = keep * (sum[lane] - newest * STEP(k + 1)) + STEP(k - rise + 1);
            grown[k * LANES + lane] = sum[lane];
        }
    EACH sum[lane] = 0;
    for (int64_t k = 0; k < n; k++)
        EACH {
            sum[lane] = keep * sum[lane] + STEP(k) - cusp->kept * STEP(k - rise);
            fallen[k * LANES + lane] = sum[lane];
        }
    EACH sum[lane] = 0;
    for (int64_t k = 0; k < n && cusp->part != 0; k++)
        EACH {
            moment[lane] += sum[lane] - rise * X(k - rise);
            sum[lane] += X(k) - X(k - rise);
            curved[k * LANES + lane] = (rise - 1) * sum[lane] - 2 * moment[lane];
        }
    for (int64_t k = 0; k < n; k++)
        EACH {
            const int64_t late = k * LANES + lane, early = late - gap * LANES;
            const double oldest = STEP(k - gap - rise + 1);
            double shaped = height * (grown[late] - cusp->kept * keep * fallen[late]);
            shaped += X(k - rise) - X(k - gap);
            shaped += height * keep * (fallen[early] - newest * oldest);
            shaped -= height * cusp->kept * (grown[early] - oldest);
            out[lane][k] = shaped - cusp->part * (curved[late] + curved[early]);
        }
#undef X
#undef STEP
}
#undef EACH

#endif
