"""Tests what is drawn of a waveform, by what the processors declare."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from pygama.processing.declare import REGISTRY, PeriodNs, Values, Waves, calculator, transform
from pygama_gui.data import chain_facts
from pygama_gui.data.samples import Sample
from pygama_gui.data.shaping import Look
from pygama_gui.session.state import Step
from pygama_gui.views.waveforms.cursors import cursor_words
from pygama_gui.views.waveforms.traces import Traces, traces_of

CHAIN = (
    Step("fit_baseline"),
    Step("baseline_rms"),
    Step("bl_subtract"),
    Step("time_points"),
    Step("rise_time"),
    Step("trap_filter"),
    Step("trap_max"),
    Step("current"),
)
PERIOD_NS = 16.0


def a_step() -> Sample:
    waveform = np.full(2000, 8000, np.uint16)
    waveform[1000:] += 4000
    waveform[1000] = 10_000
    return Sample("D", waveform, {"period_ns": PERIOD_NS})


def traces(look: Look, chain: tuple[Step, ...] = CHAIN) -> Traces:
    sample = a_step()
    made, problem = chain_facts.traces_of(chain, sample.waveform, sample.period_ns, sample.numbers)
    assert problem == ""
    return traces_of(sample, made, chain, look)


def levels_of(found: Traces) -> dict[str, float]:
    return {level.name: level.height for level in found.levels}


def test_times_stand_where_they_are() -> None:
    found = {instant.name: instant.x for instant in traces(Look()).instants}
    assert found["tp_50"] == pytest.approx(1000 * PERIOD_NS / 1000)


def test_a_length_of_time_has_no_place() -> None:
    assert "rise_time" not in {instant.name for instant in traces(Look()).instants}


def test_a_level_has_a_point_where_its_curve_is_so_high() -> None:
    (level,) = traces(Look()).levels
    assert (level.name, level.words) == ("trap_max", "trap_max 4000.0 ADC")
    assert level.point is not None
    x, y = level.point
    assert x == pytest.approx((1000 + 400) * PERIOD_NS / 1000)
    assert y == pytest.approx(4000)


def test_the_baseline_is_a_level_of_raw_counts_alone() -> None:
    assert levels_of(traces(Look(is_above_baseline=False)))["bl_int"] == pytest.approx(8000)
    assert "bl_int" not in levels_of(traces(Look()))


def test_the_noise_is_no_level() -> None:
    assert "bl_rms" not in levels_of(traces(Look(is_above_baseline=False)))


def test_a_curve_in_another_unit_is_scaled_by_a_round_factor() -> None:
    found = traces(Look())
    assert set(found.scales) == {"wf_current"}  # 4000 counts in 10 samples: 400 counts a sample
    assert found.scales["wf_current"] == 5.0
    assert found.computed["wf_current"].max() == pytest.approx(2000)


def test_an_aligned_waveform_begins_before_time_0() -> None:
    found = traces(Look(aligned_by="tp_50"))
    assert found.x[1000] == pytest.approx(0.0)
    assert {one.name: one.x for one in found.instants}["tp_50"] == pytest.approx(0.0)


def test_levels_are_normalised_with_their_curves() -> None:
    found = traces(Look(is_normalised=True))
    assert levels_of(found)["trap_max"] == pytest.approx(1.0)
    assert ([level.words for level in found.levels], found.unit) == (["trap_max 4000.0 ADC"], "")


def test_heights_without_an_energy_are_told_in_adc_counts() -> None:
    found = traces(Look(is_calibrated=True))
    assert ([level.words for level in found.levels], found.unit) == (["trap_max 4000.0 ADC"], "ADC")


def test_a_look_that_is_not_to_be_had_says_so() -> None:
    sample = Sample("D", np.full(2000, 8000, np.uint16), {"period_ns": PERIOD_NS})
    made, _ = chain_facts.traces_of(CHAIN, sample.waveform, PERIOD_NS, sample.numbers)
    found = traces_of(sample, made, CHAIN, Look(aligned_by="tp_50"))
    assert found.problem == "This waveform has no tp_50 to stand at time 0."
    assert found.x[0] == 0.0


@pytest.fixture
def plug_in() -> Iterator[None]:
    before = dict(REGISTRY)

    @transform(wf_half="adc")
    def halve(wf_blsub: Waves) -> Waves:
        """Halve each waveform."""
        return wf_blsub / 2

    @calculator(half_max="adc", tp_half="ns")
    def half_values(wf_half: Waves, period_ns: PeriodNs) -> tuple[Values, Values]:
        """Take the maximum of half a waveform, and its time."""
        return wf_half.max(axis=1), wf_half.argmax(axis=1) * period_ns

    yield
    REGISTRY.clear()
    REGISTRY.update(before)


@pytest.mark.usefixtures("plug_in")
def test_values_of_a_plug_in_are_marked_by_their_units() -> None:
    found = traces(Look(), (*CHAIN[:3], Step("halve"), Step("half_values")))
    assert levels_of(found) == {"half_max": 2000.0}
    assert {one.name: one.x for one in found.instants} == {"tp_half": pytest.approx(1001 * PERIOD_NS / 1000)}


def test_cursors_say_distances_in_ns_and_samples() -> None:
    heights = np.arange(100.0)
    assert cursor_words((10, 87), 0, heights, 16.0, "ADC") == (
        "A 0.160 µs: 10 ADC   B 1.392 µs: 87 ADC   Δt 1232 ns, 77 samples   Δ 77 ADC"
    )
    assert cursor_words((87, 10), 0, None, None, "ADC") == "A sample 87   B sample 10   Δt −77 samples"


def test_a_long_distance_stands_in_µs_beside() -> None:
    assert cursor_words((100, 1100), 0, None, 16.0, "ADC").endswith(
        "Δt 16\u202f000 ns (16.000 µs), 1000 samples"
    )
    assert cursor_words((1, 0), 0, None, 12.5, "ADC").endswith("Δt −12.5 ns, −1 sample")


def test_a_cursor_outside_of_the_record_has_no_height() -> None:
    assert cursor_words((-5, 10), 0, np.arange(100.0), 16.0, "ADC").startswith(
        "A −0.080 µs   B 0.160 µs: 10 ADC"
    )


def test_cursors_of_an_aligned_waveform_read_its_own_samples() -> None:
    assert "A 0.000 µs: 40 ADC" in cursor_words((0, 1), -40, np.arange(100.0), 16.0, "ADC")
