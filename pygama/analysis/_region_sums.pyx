# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Works out what a likelihood needs of the model of a region, in one pass over its bins, without the lock.

The same as `region_sums.sums_plainly`, which says what comes out. At each edge the counts below it and their
derivatives are worked out, and the differences of two edges are those of a bin.
"""

from libc.stdint cimport int64_t

import numpy as np

cdef extern from *:
    """
    #include <math.h>
    #include <stdint.h>
    #include <string.h>

    #define PYGAMA_SQRT_2 1.4142135623730951
    #define PYGAMA_SQRT_2_PI 2.5066282746310002
    #define PYGAMA_SQRT_PI 1.7724538509055159
    #define PYGAMA_FAR 20.0
    #define PYGAMA_N_FRACTIONS 15

    /* What a model is made of; places are those of the values, -1 for what it lacks. */
    typedef struct {
        const double *edges, *flat, *tilted, *counts;
        const int64_t *peaks;      /* places of area, position and sigma, peak by peak */
        int64_t n_bins, n_values, n_peaks, fraction, slope, step;
        double floor;
    } pygama_region;

    static double pygama_tail(double z, double s)
    {
        double b = (z + s) / PYGAMA_SQRT_2;
        if (!(b > PYGAMA_FAR)) return 0.5 * exp(z * s + 0.5 * s * s) * erfc(b);
        double fraction = b;
        for (int k = PYGAMA_N_FRACTIONS; k > 0; k--) fraction = b + 0.5 * k / fraction;
        return 0.5 * exp(-0.5 * z * z) / (PYGAMA_SQRT_PI * fraction);
    }

    /* below: counts of the peaks below x, and then their derivatives by each of the values. */
    static void pygama_below(const pygama_region *region, const double *values, double x, double *below)
    {
        memset(below, 0, (size_t)(region->n_values + 1) * sizeof(double));
        for (int64_t i = 0; i < region->n_peaks; i++) {
            const int64_t *at = region->peaks + 3 * i;
            double area = values[at[0]], sigma = values[at[2]];
            double z = (x - values[at[1]]) / sigma;
            double share = 0.5 * erfc(-z / PYGAMA_SQRT_2), bell = exp(-0.5 * z * z) / PYGAMA_SQRT_2_PI;
            double whole = share, by_z = bell, by_sigma = 0.0;
            if (region->fraction >= 0) {
                double fraction = values[region->fraction], slope = values[region->slope];
                double s = sigma / slope, tail = pygama_tail(z, s);
                double by_s = area * fraction * ((z + s) * tail - bell);
                whole += fraction * tail;
                by_z += fraction * (s * tail - bell);
                by_sigma = by_s / slope;
                below[1 + region->fraction] += area * tail;
                below[1 + region->slope] += -s / slope * by_s;
            }
            if (region->step >= 0) {
                double step = values[region->step];
                double ramp = (z * (1.0 - share) - bell) / PYGAMA_SQRT_2_PI;
                whole += step * ramp;
                by_z += step / PYGAMA_SQRT_2_PI * (1.0 - share);
                below[1 + region->step] += area * ramp;
            }
            double by_position = -area / sigma * by_z;
            below[0] += area * whole;
            below[1 + at[0]] += whole;
            below[1 + at[1]] += by_position;
            below[1 + at[2]] += z * by_position + by_sigma;
        }
    }

    /* sums: the slope (k,), the reach (k,) and the curvature (k, k), one after the other; work: 3 (k + 1).
       Gives the likelihood ratio. */
    static double pygama_region_sums(
        const pygama_region *region, const double *values, double *sums, double *work)
    {
        const int64_t k = region->n_values;
        const double background = values[k - 2], tilt = values[k - 1];
        double *low = work, *high = work + k + 1, *by = work + 2 * (k + 1), chi2 = 0.0;
        double *slope = sums, *reach = sums + k, *curvature = sums + 2 * k;
        memset(sums, 0, (size_t)(k * (k + 2)) * sizeof(double));
        pygama_below(region, values, region->edges[0], low);
        for (int64_t bin = 0; bin < region->n_bins; bin++) {
            pygama_below(region, values, region->edges[bin + 1], high);
            double line = region->flat[bin] + tilt * region->tilted[bin];
            double expected = high[0] - low[0] + background * line;
            for (int64_t j = 0; j < k - 2; j++) by[j] = high[1 + j] - low[1 + j];
            by[k - 2] = line;
            by[k - 1] = background * region->tilted[bin];
            expected = (expected < 0.0 ? 0.0 : expected) + region->floor;
            double counts = region->counts[bin], ratio = (counts > 0.0 ? counts : 1.0) / expected;
            double part = 2.0 * (expected - counts + counts * log(ratio)), weight = 1.0 - counts / expected;
            chi2 += part < 0.0 ? 0.0 : part;
            for (int64_t j = 0; j < k; j++) {
                double each = by[j] / expected;
                slope[j] += 2.0 * weight * by[j];
                reach[j] += fabs(by[j]);
                for (int64_t i = 0; i <= j; i++) curvature[j * k + i] += each * by[i];
            }
            double *passed = low;
            low = high;
            high = passed;
        }
        for (int64_t j = 0; j < k; j++)
            for (int64_t i = 0; i < j; i++) curvature[i * k + j] = curvature[j * k + i];
        return chi2;
    }
    """
    ctypedef struct pygama_region:
        const double *edges
        const double *flat
        const double *tilted
        const double *counts
        const int64_t *peaks
        int64_t n_bins
        int64_t n_values
        int64_t n_peaks
        int64_t fraction
        int64_t slope
        int64_t step
        double floor

    double pygama_region_sums(const pygama_region *region, const double *values, double *sums, double *work) nogil


cdef class Sums:
    """Counts in bins held against a model.

    edges: (n + 1,), flat, tilted, counts: (n,) float64; peaks: (p, 3) int64 places of area, position and
    sigma among k values, the last two of which are the background and its slope; fraction, slope, step:
    places of the tail and of the step, or -1; floor: counts that each bin holds at least.
    """

    cdef pygama_region region
    cdef const double[::1] edges, flat, tilted, counts
    cdef const int64_t[:, ::1] peaks
    cdef double[::1] work

    def __init__(
        self, const double[::1] edges, const double[::1] flat, const double[::1] tilted, const double[::1] counts,
        const int64_t[:, ::1] peaks, int64_t n_values, int64_t fraction, int64_t slope, int64_t step, double floor,
    ):
        cdef Py_ssize_t n = counts.shape[0]
        if n < 1 or edges.shape[0] != n + 1 or flat.shape[0] != n or tilted.shape[0] != n:
            raise ValueError("edges, bins and counts do not belong together")
        if peaks.shape[0] < 1 or peaks.shape[1] != 3 or n_values < 2:
            raise ValueError("a region has a peak and a background")
        for place in (*np.ravel(peaks), fraction, slope, step):
            if not -1 <= place < n_values - 2:
                raise ValueError(f"there is no value of a peak at place {place}")
        if np.min(peaks) < 0 or (fraction < 0) != (slope < 0):
            raise ValueError("a peak has an area, a position and a sigma, and a tail a share and a slope")
        self.edges, self.flat, self.tilted, self.counts, self.peaks = edges, flat, tilted, counts, peaks
        self.work = np.empty(3 * (n_values + 1))
        self.region.edges, self.region.flat, self.region.tilted = &edges[0], &flat[0], &tilted[0]
        self.region.counts, self.region.peaks = &counts[0], &peaks[0, 0]
        self.region.n_bins, self.region.n_values, self.region.n_peaks = n, n_values, peaks.shape[0]
        self.region.fraction, self.region.slope, self.region.step = fraction, slope, step
        self.region.floor = floor

    def at(self, const double[::1] values):
        """Give the likelihood ratio at values, (k,), its slope and the reach, (k,), and the curvature, (k, k)."""
        cdef int64_t k = self.region.n_values
        if values.shape[0] != k:
            raise ValueError(f"{k} values are asked for, not {values.shape[0]}")
        found = np.empty(k * (k + 2))
        cdef double[::1] sums = found
        cdef double chi2
        with nogil:
            chi2 = pygama_region_sums(&self.region, &values[0], &sums[0], &self.work[0])
        return chi2, found[:k], found[k : 2 * k], found[2 * k :].reshape(k, k)
