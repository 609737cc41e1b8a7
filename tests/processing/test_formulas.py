"""Formulas in the docstrings, worked out sample by sample as they stand there."""

from math import ceil, cos, exp, floor, pi, sinh, sqrt

import numpy as np
import pytest

from pygama.processing.declare import docstring_section
from pygama.processing.steps import REGISTRY

LIBRARY = {
    name: processor
    for name, processor in REGISTRY.items()
    if processor.function.__module__.startswith("pygama.processing.")
}
RNG = np.random.default_rng(11)
WAVE = np.round(RNG.normal(0, 3, 23) + np.where(np.arange(23) >= 9, 40, 0), 2)
N = len(WAVE)


def run(name, *arrays, **settings):
    given = REGISTRY[name].function(*arrays, **settings)
    return tuple(array[0] for array in given) if isinstance(given, tuple) else given[0]


def wave(name, **settings):
    return run(name, WAVE[None, :], **settings)


def x(k):
    return WAVE[k] if k >= 0 else 0.0


def mean(samples):
    return sum(samples) / len(samples)


def fitted_line(places, heights):
    """Least squares by the normal equations of a line."""
    middle, height = mean(places), mean(heights)
    slope = sum((p - middle) * h for p, h in zip(places, heights, strict=True))
    slope /= sum((p - middle) ** 2 for p in places)
    return height - slope * middle, slope


@pytest.mark.parametrize("processor", LIBRARY.values(), ids=LIBRARY)
def test_a_processor_of_the_library_has_a_formula_and_a_source(processor):
    assert processor.formula
    source = processor.help.split("\n\n")[-1]
    assert source.startswith("Source: ") and source.endswith(".")


@pytest.mark.parametrize("processor", LIBRARY.values(), ids=LIBRARY)
def test_a_formula_says_how_each_value_comes_about_and_uses_each_setting(processor):
    said = processor.formula
    for setting in processor.settings:
        assert {"taper": "hann"}.get(setting.name, setting.name) in said
    for name, _ in processor.writes:
        told = "y[k]" if processor.writes_waves else "tp" if processor.name == "time_points" else name
        assert told in said


def test_a_section_of_a_docstring_ends_at_an_empty_line_and_has_dashes_below_its_name():
    text = "Do.\n\nFormula\n-------\na = b\n    c = d\n\nFormula: none.\n"
    assert docstring_section(text, "Formula") == ["a = b", "    c = d"]
    assert docstring_section("Do.\n\nFormula\nof one line\n", "Formula") == []


def test_avg_baseline_is_the_mean_of_its_stretch():
    assert wave("avg_baseline", i_start=2, i_end=7) == pytest.approx(mean(WAVE[2:7]))


def test_fit_baseline_gives_the_line_of_least_squares():
    line = fitted_line(range(2, 9), WAVE[2:9])
    assert wave("fit_baseline", i_start=2, i_end=9) == pytest.approx(line)


def test_baseline_rms_divides_by_the_samples_less_two_for_a_line():
    at_zero, slope = fitted_line(range(2, 9), WAVE[2:9])
    left = sum((x(k) - at_zero - slope * k) ** 2 for k in range(2, 9))
    assert wave("baseline_rms", i_start=2, i_end=9) == pytest.approx(sqrt(left / (7 - 2)))


def test_robust_baseline_is_the_repeated_median_trimmed_three_times():
    samples = RNG.normal(100, 2, 40) + np.where(np.arange(40) > 34, 60, 0)
    parts = np.array_split(np.arange(4, 40), 16)
    heights = [mean(samples[part]) for part in parts]
    places = [mean(part) for part in parts]
    slopes = [
        np.median([(heights[i] - heights[j]) / (places[i] - places[j]) for j in range(16) if j != i])
        for i in range(16)
    ]
    slope = np.median(slopes)
    level = np.median([heights[i] - slope * places[i] for i in range(16)])
    for _ in range(3):
        distance = {k: abs(samples[k] - level - slope * k) for k in range(4, 40)}
        farthest = max(3 * 1.4826 * np.median(list(distance.values())), 1)
        kept = [k for k in distance if distance[k] <= farthest]
        level, slope = fitted_line(kept, samples[kept])
    assert len(kept) < 36
    given = run("robust_baseline", samples[None, :], i_start=4, i_end=40)
    assert given == pytest.approx((level, slope, len(kept) / 36))


def test_bl_subtract_takes_a_line_away():
    given = run("bl_subtract", WAVE[None, :], np.array([3.0]), np.array([0.5]))
    assert given == pytest.approx([x(k) - (3.0 + 0.5 * k) for k in range(N)])


def test_bl_subtract_polynomial_takes_the_fitted_line_away():
    at_zero, slope = fitted_line(range(1, 8), WAVE[1:8])
    given = wave("bl_subtract_polynomial", i_start=1, i_end=8, order=1)
    assert given == pytest.approx([x(k) - at_zero - slope * k for k in range(N)])


def test_pole_zero_is_its_recursion():
    y = 0.0
    for k, given in enumerate(wave("pole_zero", tau=7)):
        y = y + x(k) - x(k - 1) * exp(-1 / 7)
        assert given == pytest.approx(y)


def test_double_pole_zero_is_its_recursion():
    a, b = exp(-1 / 7), exp(-1 / 2)
    c = b + 0.1 * (a - b)
    y = v = 0.0
    for k, given in enumerate(wave("double_pole_zero", tau=7, tau2=2, fraction=0.1)):
        before, v = v, c * v + x(k) - b * x(k - 1)
        y = y + v - a * before
        assert given == pytest.approx(y)


def test_the_trapezoids_are_their_recursions():
    y = z = 0.0
    given = zip(
        wave("trap_filter", rise=3, flat=2), wave("asym_trap_filter", rise=3, flat=2, fall=6), strict=True
    )
    for k, (even, odd) in enumerate(given):
        y = y + (x(k) - x(k - 3) - x(k - 5) + x(k - 8)) / 3
        z = z + (x(k) - x(k - 3)) / 3 - (x(k - 5) - x(k - 11)) / 6
        assert (even, odd) == pytest.approx((y, z))


def test_moving_window_averages_what_there_is():
    def smoothed(samples):
        return [mean(samples[max(k - 4 + 1, 0) : k + 1]) for k in range(N)]

    assert wave("moving_window", length=4, passes=2) == pytest.approx(smoothed(smoothed(WAVE)))


def test_savitzky_golay_of_order_1_reads_lines_also_at_the_ends():
    expected = []
    for k in range(N):
        b = min(max(k - 2, 0), N - 5)
        at_zero, slope = fitted_line(range(b, b + 5), WAVE[b : b + 5])
        expected.append(at_zero + slope * k)
    assert wave("savitzky_golay", length=5, order=1) == pytest.approx(expected)


def test_derivative_and_current_are_differences():
    inner = [(x(k + 1) - x(k - 1)) / 2 for k in range(1, N - 1)]
    assert wave("derivative") == pytest.approx([x(1) - x(0), *inner, x(N - 1) - x(N - 2)])
    assert wave("current", length=4) == pytest.approx([(x(k) - x(max(k - 4, 0))) / 4 for k in range(N)])


@pytest.mark.parametrize("name", ["cusp_filter", "zac_filter"])
def test_the_cusps_weigh_the_differences_by_h(name):
    rise, flat, sigma = 5, 2, 3.0
    length = 2 * rise + flat
    u = [max(min(i + 1, rise, length - 1 - i), 0) for i in range(N)]
    h = [sinh(part / sigma) / sinh(rise / sigma) for part in u]
    if name == "zac_filter":
        q = sum(h) / sum(part * (rise - part) for part in u)
        h = [height - q * part * (rise - part) for height, part in zip(h, u, strict=True)]
    expected = [sum(h[i] * (x(k - i) - x(k - i - 1)) for i in range(k + 1)) for k in range(N)]
    assert wave(name, rise=rise, flat=flat, sigma=sigma) == pytest.approx(expected)


def crossing(level, before):
    k = max(k for k in range(before) if x(k) <= level)
    return 10.0 * (k + (level - x(k)) / (x(k + 1) - x(k)))


def test_times_lie_on_the_line_between_two_samples():
    top = max(range(N), key=lambda k: WAVE[k])
    expected = [crossing(part * WAVE[top], top) for part in (0.1, 0.5, 0.9, 0.99)]
    assert run("time_points", WAVE[None, :], 10.0)[1:] == pytest.approx(expected)
    m = mean(WAVE[0:8])
    s = sqrt(mean((WAVE[0:8] - m) ** 2))
    t0 = crossing(m + 2 * s, top)
    assert run("t0", WAVE[None, :], 10.0, i_end=8, n_sigma=2.0) == pytest.approx(t0)
    p = t0 / 10.0 + 6
    i = floor(p)
    height = x(i) + (p - i) * (x(i + 1) - x(i))
    assert run("fixed_time_pickoff", WAVE[None, :], np.array([t0]), 10.0, delay=6) == pytest.approx(height)


def test_tail_slope_is_the_rise_between_the_means_of_two_stretches():
    first, last = ceil(93.0 / 10.0) + 2, N - 4
    expected = (mean(WAVE[last:]) - mean(WAVE[first : first + 4])) / (last - first)
    given = run("tail_slope", WAVE[None, :], np.array([93.0]), 10.0, delay=2, length=4)
    assert given == pytest.approx(expected)


@pytest.mark.parametrize("taper", ["none", "hann"])
@pytest.mark.parametrize("n", [7, 8])
def test_psd_is_the_sum_over_the_stretch(taper, n):
    s = WAVE[1 : 1 + n] - mean(WAVE[1 : 1 + n])
    w = [1.0 if taper == "none" else 0.5 - 0.5 * cos(2 * pi * (j + 0.5) / n) for j in range(n)]
    expected = []
    for k in range(n // 2 + 1):
        f = sum(w[j] * s[j] * np.exp(-2j * pi * j * k / n) for j in range(n))
        c = 1 if k == 0 or k == n / 2 else 2
        expected.append(c * 1e-3 * 10.0 * abs(f) ** 2 / sum(part**2 for part in w))
    given = run("psd", WAVE[None, :], 10.0, i_start=1, i_end=1 + n, taper=taper)
    assert given == pytest.approx(expected, abs=1e-12)


def test_count_pulses_needs_a_gap_before_a_pulse():
    current = np.array([0, 1, 0, -1, 9, 0, 9, 0, 1, 0, -1, 0, 9, 0, 0, 1.0])
    m = np.median(current)
    limit = m + 4 * 1.4826 * np.median(abs(current - m))
    above = current > limit
    begins = [k for k in range(16) if above[k] and not above[max(k - 3, 0) : k].any()]
    assert begins == [4, 12]
    assert run("count_pulses", current[None, :], 10.0, n_sigma=4.0, gap=3) == (2, 1, 120)


def test_resampling_puts_means_at_the_middle_of_what_they_span():
    stored = np.array([1.0, 2, 3, 8, 10])
    m = [1.0, 2, 3, 8 * 2 / 4, 10 * 2 / 4]
    c = [0, 1, 2, 3 + 1.5, 3 + 4 + 1.5]
    given = run("resample_multisampled", stored[None, :], *np.array([[3.0], [4.0], [2.0]]), length=13)
    assert given[:11] == pytest.approx(np.interp(np.arange(11), c, m))
    assert np.isnan(given[11:]).all()
