/* Sums that go on from sample to sample, of several rows side by side. */

#ifndef PYGAMA_SUMS_BY_LANE_H
#define PYGAMA_SUMS_BY_LANE_H

#include "vectors.h"

/* One row's place in each lane. */
typedef struct {
    const double *in[LANES];
    double *out[LANES];
} Lanes;

enum Ending { PLAIN, DIVIDED, CORRECTED };

INLINE double ended(int ending, double sum, double sample, double by) {
    return ending == DIVIDED ? sum / by : ending == CORRECTED ? (sum - sample) * by + sample : sum;
}

/* What is summed at a sample: the sample, or that less the one `rise` before it, less the one `gap` before it,
 * and the one `gap + rise` before it: of so many of them, the others lie before the record. */
typedef struct {
    int64_t rise, gap;
    int n;
} Taps;

#define TAPPED(type, at, x)                                  \
    type tapped = at(x);                                     \
    if (taps->n > 1) tapped -= at((x) - taps->rise);         \
    if (taps->n > 2) tapped -= at((x) - taps->gap);          \
    if (taps->n > 3) tapped += at((x) - taps->gap - taps->rise);

/* The sum up to each sample, which goes on from `sums`: as it is, divided, or of pole-zero corrected samples.
 * keep: what of the sum goes on to the next sample; 1 or, for a decay, less. */
INLINE void run_on(const Lanes *lanes, const Taps *taps, int64_t n, double *sums, int ending, int decays,
                   double keep, double by) {
    int64_t k = 0;
#if HAS_VECTORS
    Lanes own = *lanes;
    four low = AT(sums), high = AT(sums + 4);
    for (; k + 4 <= n; k += 4) {
        four v[LANES];
        UNROLL
        for (int lane = 0; lane < LANES; lane++) {
            TAPPED(four, AT, own.in[lane] + k)
            v[lane] = tapped;
        }
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
        for (int lane = 0; lane < LANES; lane++) {
            TAPPED(double, *, lanes->in[lane] + k)
            samples[lane] = tapped;
        }
        for (int lane = 0; lane < LANES; lane++) {
            sums[lane] = samples[lane] + (decays ? keep * sums[lane] : sums[lane]);
            lanes->out[lane][k] = ended(ending, sums[lane], samples[lane], by);
        }
    }
}

CLONES static void add_up(const Lanes *lanes, int64_t n, double *sums) {
    Taps taps = {0, 0, 1};
    run_on(lanes, &taps, n, sums, PLAIN, 0, 1, 1);
}

CLONES static void add_up_and_correct(const Lanes *lanes, int64_t n, double *sums, double lost) {
    Taps taps = {0, 0, 1};
    run_on(lanes, &taps, n, sums, CORRECTED, 0, 1, lost);
}

CLONES static void add_up_decaying(const Lanes *lanes, int64_t n, double *sums, double keep) {
    Taps taps = {0, 0, 1};
    run_on(lanes, &taps, n, sums, PLAIN, 1, keep, 1);
}

/* Shape the samples from `begin` to `end - 1`, at which so many of the taps lie within the record. */
INLINE void shape(const Lanes *lanes, int n_taps, int64_t rise, int64_t gap, int64_t begin, int64_t end,
                  double *sums) {
    Taps taps = {rise, gap, n_taps};
    Lanes here;
    if (begin >= end) return;
    for (int lane = 0; lane < LANES; lane++) {
        here.in[lane] = lanes->in[lane] + begin;
        here.out[lane] = lanes->out[lane] + begin;
    }
    run_on(&here, &taps, end - begin, sums, DIVIDED, 0, 1, (double)rise);
}

CLONES static void shape_lanes(const Lanes *lanes, int64_t n, int64_t rise, int64_t gap) {
    double sums[LANES] = {0};
    int64_t flat_begins = gap < n ? gap : n, settled = gap + rise < n ? gap + rise : n;
    shape(lanes, 1, rise, gap, 0, rise, sums);
    shape(lanes, 2, rise, gap, rise, flat_begins, sums);
    shape(lanes, 3, rise, gap, flat_begins, settled, sums);
    shape(lanes, 4, rise, gap, settled, n, sums);
}

/* Sample k less `part` times the one before it; before the first there is 0. */
CLONES static void take_from_next(const double *x, int64_t begin, int64_t n, double part, double *out) {
    x += begin;
    if (begin == 0) out[0] = x[0];
    for (int64_t k = begin == 0; k < n; k++) out[k] = x[k] - part * x[k - 1];
}

#endif
