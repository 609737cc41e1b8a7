"""Tests that what cuts do to a data set on disk is what they do to one in memory."""

from __future__ import annotations

import numpy as np
import pytest

from pygama.analysis.cuts import Cut, CutSet
from pygama.analysis.efficiency import peak_bands
from pygama_gui.data.channels import CODE
from pygama_gui.data.linked import Counter, axis_along
from pygama_gui.data.tally import Figures, Peak
from pygama_gui.data.tally_from_files import Tallying

N = 20_000
CUTS = CutSet(
    [
        Cut("steady", "abs(slope) < 1"),
        Cut("off", "energy > 900", enabled=False),
        Cut("high", "energy > 300"),
        Cut("late", "steady & t > 0.2", inverted=True),
    ]
)
PEAKS = (
    Peak("energy", peak_bands("1000", 1000.0, 6.0)),
    Peak("energy", peak_bands("1000", 1000.0, 6.0), channel=2),
    Peak("energy", peak_bands("300", 300.0, 20.0)),
)


def rows_of() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    energy = np.where(rng.random(N) < 0.3, rng.normal(1000, 2.5, N), rng.exponential(500, N))
    slope = rng.normal(0, 1, N)
    slope[::50], energy[::77] = np.nan, np.nan
    return {"energy": energy, "slope": slope, "t": rng.random(N), CODE: rng.integers(0, 4, N)}


def tallied(n_rows: int = N) -> Figures:
    rows = rows_of()
    tallying = Tallying(CUTS, N, PEAKS, axis_along("energy", rows["energy"]))
    for part in np.array_split(np.arange(n_rows), 7):
        tallying.add({name: rows[name][part] for name in tallying.columns})
    found = tallying.found(is_whole=n_rows == N)
    assert found is not None
    return found


def test_efficiencies_survival_and_curves_are_those_of_the_rows_in_memory() -> None:
    expected, found = Counter().figures("run", rows_of(), CUTS, PEAKS, "energy"), tallied()
    assert found.table == expected.table
    assert len(found.peaks) == 3
    for peak, other in zip(found.peaks, expected.peaks, strict=True):
        assert dict(peak.by_cut) == dict(other.by_cut)
        assert (peak.by_all, peak.through) == (other.by_all, other.through)
    assert found.peaks[1].by_all.kept.window < found.peaks[0].by_all.kept.window
    assert list(found.curves) == list(expected.curves) == ["steady", "high", "late"]
    for name, curve in found.curves.items():
        other_curve = expected.curves[name]
        for one in ("edges", "n_in", "n_out"):
            assert np.array_equal(getattr(curve, one), getattr(other_curve, one))
        assert 0 < curve.n_out.sum() < curve.n_in.sum()


def test_what_is_known_half_way_is_of_the_rows_so_far() -> None:
    found = tallied(5000)
    expected = Counter().figures(
        "run", {name: values[:5000] for name, values in rows_of().items()}, CUTS, PEAKS, "energy"
    )
    assert (found.is_whole, tallied().is_whole, expected.is_whole) == (False, True, True)
    assert found.table == expected.table
    assert found.peaks[0].by_all == expected.peaks[0].by_all


def test_nothing_is_told_before_the_first_row() -> None:
    assert Tallying(CUTS, N).found(is_whole=False) is None


def test_columns_that_no_cut_reads_are_read_for_peaks_and_curves_alone() -> None:
    cuts = CutSet([Cut("steady", "abs(slope) < 1")])
    assert Tallying(cuts, N).columns == {"slope"}
    assert Tallying(cuts, N, PEAKS[:1]).columns == {"slope", "energy", CODE}
    assert Tallying(cuts, N, (), axis_along("t", np.linspace(0, 1, 9))).columns == {"slope", "t"}


def test_without_a_cut_that_is_on_there_is_no_curve() -> None:
    cuts = CutSet([Cut("off", "t > 1", enabled=False)])
    tallying = Tallying(cuts, N, (), axis_along("t", np.linspace(0, 1, 9)))
    tallying.add({"t": np.linspace(0, 2, 10)})
    found = tallying.found()
    assert found is not None
    assert found.curves == {}
    assert found.table.rows[0].alone.n_out == pytest.approx(5)
