"""Fits the lines of a source where they are expected in a spectrum, those that overlap in one region.

A line beside another one is pulled towards it by a fit of one peak. So neighbours are fitted together, with
one width and an area each. Where a neighbour is weak, or so near that the counts alone cannot part the two,
it is held at its distance from the stronger one, which is known to a few eV; only the stronger one then
carries a position. Lines nearer than about half a width cannot be parted at all: the stronger one is trusted
less by what the other can move it. Lines that Doppler widens (annihilation, single escape) stay alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from pygama.analysis.curves import fit_curve
from pygama.analysis.fit_request import FitRequest
from pygama.analysis.fits import fit_region
from pygama.analysis.lines import GammaLine, lines_of
from pygama.analysis.matching import Hypothesis, Spectrum, on_off_ratio
from pygama.analysis.peaks import PeakFit
from pygama.analysis.region_fit import FittedPeak, RegionFit
from pygama.quick_dataclass import dataclass

Fit = Callable[[np.ndarray, np.ndarray], PeakFit]
"""Fits the one peak of a histogram: counts (n,) and edges (n + 1,)."""

_N_BINS = 60
_REACH_FWHM = 4.5
"""Half of the window of a line, and what it keeps to both sides of neighbours."""
_FAINTEST = 0.02
"""Lines with less of the strongest one's intensity are not looked for: a peak of another source would be
taken for them, as that of K-40 for the line of Ac-228 at 1459.1 keV."""
_NEAR_FWHM = 4.0
"""Lines nearer than so many FWHM disturb each other."""
_PARTED_FWHM = 0.6
"""Lines nearer than this cannot be told apart."""
_FREE_FWHM = 1.0
"""Lines farther apart than this have a position each, where both are strong."""
_STRONG_NEIGHBOUR, _WEAK_NEIGHBOUR, _NO_NEIGHBOUR = 0.3, 0.02, 0.005
"""Intensities of a neighbour, as parts of the line's."""
_MIN_AREA, _MIN_AREA_WEAK = 3.0, 5.0
"""In units of its error, of a main line and of others."""
_MIN_RATIO = 3.0
"""Logarithm of the likelihood ratio of a peak, below which a line that need not be there is not fitted."""
_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class MatchedLine:
    """A line and the peak that is taken for it; errors are of one standard deviation.

    disturbed_kev: how far a line that cannot be told from it may move the peak. fitted_with: energies of the
    neighbours that were fitted in one region with it. position: in the unit of the column. residual_kev: of
    the curve at the position, less the line's energy; residual_error_kev: what the fit of the peak, the
    line's own error and its neighbours allow. is_used: whether the curve was fitted to it; if not, `note`
    says why. is_width_used: whether FWHM(E) was fitted to its width. Numbers that are not known are None.
    """

    name: str
    energy_kev: float
    energy_error_kev: float
    disturbed_kev: float = 0.0
    is_broad: bool = False
    is_escape: bool = False
    position: float | None = None
    position_error: float | None = None
    area: float | None = None
    area_error: float | None = None
    fwhm_kev: float | None = None
    fwhm_error_kev: float | None = None
    residual_kev: float | None = None
    residual_error_kev: float | None = None
    fitted_with: tuple[float, ...] = ()
    is_used: bool = False
    is_width_used: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Sought:
    """A line that is looked for, and what is known of its surroundings.

    is_asked: False for a line that is there only for its neighbours. note: why it is no good at all.
    """

    line: GammaLine
    is_main: bool
    is_asked: bool
    disturbed_kev: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Expected:
    """What is expected of an energy: its place and its FWHM, both in the unit of the values."""

    place: Callable[[float], float]
    fwhm: Callable[[float], float]
    gain: float


def fit_lines(spectrum: Spectrum, best: Hypothesis, fit: Fit) -> list[MatchedLine]:
    """Fit the main lines in wide windows, and then all of them in windows that suit their widths.

    fit: of lines that stand alone. Gives what was asked for, in order of energy; empty where no main line
    could be fitted.
    """
    lines = _lines_of(best)
    first = {}
    for one in lines:
        if one.is_main:
            energy = one.line.energy_kev
            half = 10.0 + 0.004 * energy
            found = _fit_at(spectrum, best.gain * energy, best.gain * half, fit)
            if found.converged and abs(found.position / best.gain - energy) < half / 2:
                first[energy] = found
    if not first:
        return []
    width = _widths(first, best.gain)
    expected = _Expected(_places(first, best.gain), lambda e: best.gain * width(e), best.gain)
    judged = [_judged(one, lines, width(one.line.energy_kev)) for one in lines]
    found_lines = [
        line for group in _groups(judged, width) for line in _fit_group(spectrum, group, expected, fit)
    ]
    return sorted(found_lines, key=lambda line: line.energy_kev)


def _lines_of(best: Hypothesis) -> list[_Sought]:
    sought: dict[tuple[str, float], _Sought] = {}
    for name in best.source.split(" + "):
        lines = lines_of(name)
        strongest = max((line.intensity or 0.0 for line in lines), default=0.0)
        for line in lines:
            is_asked = line.intensity is None or line.intensity >= _FAINTEST * strongest
            known = sought.get((line.origin, line.energy_kev))
            is_asked = is_asked or (known is not None and known.is_asked)
            sought[line.origin, line.energy_kev] = _Sought(line, line.energy_kev in best.found, is_asked)
    return sorted(sought.values(), key=lambda one: one.line.energy_kev)


def _fit_at(spectrum: Spectrum, position: float, half: float, fit: Fit) -> PeakFit:
    counts, edges = spectrum.window(position - half, position + half, _N_BINS)
    if len(counts) < 8:
        return PeakFit(
            (position - half, position + half), len(counts), note="fewer than 8 bins lie in the window"
        )
    return fit(counts, edges)


def _widths(fits: Mapping[float, PeakFit], gain: float) -> Callable[[float], float]:
    """Give the FWHM in keV that is expected of an energy: noise and statistics through what was fitted."""
    energies = np.array(list(fits))
    widths = np.array([one.fwhm for one in fits.values()]) / gain
    errors = np.array([one.fwhm_error for one in fits.values()]) / gain
    # the square of a usual width, as much wider as the lines are
    weight = (widths / np.maximum(errors, 1e-3 * widths)) ** 2
    factor = float(np.average(widths / _usual_fwhm(energies), weights=weight))
    return lambda energy: factor * float(_usual_fwhm(np.array(energy)))


def _usual_fwhm(energy_kev: np.ndarray) -> np.ndarray:
    return np.sqrt(1.0 + 0.0032 * energy_kev)


def _places(fits: Mapping[float, PeakFit], gain: float) -> Callable[[float], float]:
    """Give where an energy is expected: on a straight line through the peaks, or on that through zero."""
    if len(fits) < 2:
        energy, one = next(iter(fits.items()))
        return lambda other: other * one.position / energy
    positions = [one.position for one in fits.values()]
    # of half a keV: the main lines weigh the same, whatever their counts
    curve = fit_curve(positions, [0.5 * gain] * len(fits), list(fits))
    return lambda energy: float(curve.value(energy))


# Which lines go together


def _judged(one: _Sought, others: Sequence[_Sought], fwhm_kev: float) -> _Sought:
    """Say how far a line may be moved by what cannot be told from it, in keV, or why it is no good."""
    line = one.line
    if line.is_broad and not line.escapes:
        return replace(one, note="broad")
    moved = [0.0]
    for other in (other.line for other in others):
        apart = abs(other.energy_kev - line.energy_kev)
        if other is line or apart > _NEAR_FWHM * fwhm_kev or not line.intensity or not other.intensity:
            continue
        ratio = other.intensity / line.intensity
        cannot_be_parted = apart < _PARTED_FWHM * fwhm_kev or other.is_broad or line.is_broad
        if ratio > (_STRONG_NEIGHBOUR if cannot_be_parted else 1 / _WEAK_NEIGHBOUR):
            return replace(one, note=f"too near {other.energy_kev:.1f} keV")
        if cannot_be_parted and ratio > _NO_NEIGHBOUR:
            moved.append(apart * ratio / (1 + ratio))
    return replace(one, disturbed_kev=math.hypot(*moved))


def _groups(lines: Sequence[_Sought], width: Callable[[float], float]) -> Iterator[list[_Sought]]:
    """Part lines, in order of energy, into those that are fitted together; broad ones stay alone."""
    group: list[_Sought] = []
    for one in lines:
        if one.line.is_broad or (one.note and not _is_neighbour(one, lines, width)):
            yield [one]
            continue
        if group and not _is_near(group[-1], one, width):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _is_near(left: _Sought, right: _Sought, width: Callable[[float], float]) -> bool:
    apart = right.line.energy_kev - left.line.energy_kev
    return apart < _NEAR_FWHM * width(right.line.energy_kev)


def _is_neighbour(one: _Sought, lines: Sequence[_Sought], width: Callable[[float], float]) -> bool:
    """Say whether a line that is no good for itself can be parted from all that are stronger."""
    fwhm = width(one.line.energy_kev)
    return one.line.intensity is not None and not any(
        abs(other.line.energy_kev - one.line.energy_kev) < _PARTED_FWHM * fwhm
        and (other.line.intensity or 0.0) >= (one.line.intensity or 0.0)
        for other in lines
        if other is not one
    )


# One region


def _fit_group(spectrum: Spectrum, group: list[_Sought], expected: _Expected, fit: Fit) -> list[MatchedLine]:
    members = _members(group) if any(one.is_asked for one in group) else []
    if len(members) < 2:
        return [_alone(one, spectrum, expected, fit) for one in group if one.is_asked]
    lead = _lead(members)
    if not any(one.is_main or _is_seen(one, spectrum, expected) for one in members):
        return [replace(_plain(one), note=one.note or "not seen") for one in group if one.is_asked]
    found = _fit_together(spectrum, members, lead, expected)
    if found is None:  # too few counts for so many peaks: the strongest one, by itself, and less trusted
        loose = replace(lead, disturbed_kev=math.hypot(lead.disturbed_kev, _moved_by(lead, members)))
        return [
            _not_of_another(_alone(loose, spectrum, expected, fit), members, expected)
            if one is lead
            else replace(_plain(one), note=one.note or f"too near {lead.line.energy_kev:.1f} keV")
            for one in group
            if one.is_asked
        ]
    return [
        found.get(one.line.energy_kev) or replace(_plain(one), note=one.note or "too near others")
        for one in group
        if one.is_asked
    ]


def _members(group: list[_Sought]) -> list[_Sought]:
    """Leave out what is too weak to matter to any other."""
    strongest = max((one.line.intensity or 0.0 for one in group), default=0.0)
    least = _NO_NEIGHBOUR * strongest
    return [one for one in group if one.line.intensity is None or one.line.intensity >= least]


def _lead(members: Sequence[_Sought]) -> _Sought:
    return max(members, key=lambda one: one.line.intensity or 0.0)


def _moved_by(lead: _Sought, members: Sequence[_Sought]) -> float:
    """Say how far neighbours that were not fitted may move the strongest line, in keV."""
    moved = [0.0]
    for other in (one.line for one in members if one is not lead):
        if other.intensity and lead.line.intensity:
            ratio = other.intensity / lead.line.intensity
            moved.append(abs(other.energy_kev - lead.line.energy_kev) * ratio / (1 + ratio))
    return math.hypot(*moved)


def _fit_together(
    spectrum: Spectrum, members: list[_Sought], lead: _Sought, expected: _Expected
) -> dict[float, MatchedLine] | None:
    """Fit neighbours in one region; None where that gives nothing. Energy -> what was found."""
    energies = [one.line.energy_kev for one in members]
    reach = _REACH_FWHM * expected.fwhm(energies[-1])
    low, high = expected.place(energies[0]) - reach, expected.place(energies[-1]) + reach
    n_bins = math.ceil(_N_BINS * (high - low) / (2 * reach))
    counts, edges = spectrum.window(low, high, n_bins)
    if len(counts) < 8:
        return None
    free = _free(members, lead, expected)
    fit = _settled(counts, edges, members, free, expected)
    if fit is not None:
        strong = [i for i in free if members[i] is lead or _is_strong(fit.peaks[i])]
        if len(strong) < len(free):
            free, fit = strong, _settled(counts, edges, members, strong, expected)
    if fit is None:
        return None
    return {
        one.line.energy_kev: _of_group(i, members, free, fit, lead, expected) for i, one in enumerate(members)
    }


def _not_of_another(found: MatchedLine, members: Sequence[_Sought], expected: _Expected) -> MatchedLine:
    """Take no peak for a line that stands nearer to where one of its neighbours is expected."""
    if found.position is None:
        return found
    position = found.position
    energy = min(
        (one.line.energy_kev for one in members), key=lambda energy: abs(expected.place(energy) - position)
    )
    if energy == found.energy_kev:
        return found
    note = f"the peak there is that of {energy:.1f} keV"
    return replace(found, is_used=False, is_width_used=False, note=note)


def _is_strong(peak: FittedPeak) -> bool:
    return peak.area > _MIN_AREA_WEAK * peak.area_error


def _free(members: Sequence[_Sought], lead: _Sought, expected: _Expected) -> list[int]:
    """Choose the lines that get a position of their own: the strongest, and strong ones apart from it."""
    order = sorted(range(len(members)), key=lambda i: -(members[i].line.intensity or 0.0))
    order.sort(key=lambda i: members[i] is not lead)
    strongest = lead.line.intensity or 0.0
    free: list[int] = []
    for i in order:
        line = members[i].line
        share = 1.0 if line.intensity is None else line.intensity / strongest if strongest else 0.0
        apart = min((_apart(members[i], members[j], expected) for j in free), default=math.inf)
        if not free or (share > _STRONG_NEIGHBOUR and apart > _FREE_FWHM):
            free.append(i)
    return free


def _apart(one: _Sought, other: _Sought, expected: _Expected) -> float:
    """Give how far two lines are apart, in FWHM."""
    at = [expected.place(each.line.energy_kev) for each in (one, other)]
    return abs(at[1] - at[0]) / expected.fwhm(one.line.energy_kev)


def _settled(
    counts: np.ndarray, edges: np.ndarray, members: Sequence[_Sought], free: list[int], expected: _Expected
) -> RegionFit | None:
    """Fit again until the lines that are held stand at their distances from where their holders came out."""
    places = [expected.place(one.line.energy_kev) for one in members]
    at = list(places)
    for _ in range(_ROUNDS):
        held = {f"position_{i + 1}": at[i] for i in range(len(at)) if i not in free}
        request = FitRequest(float(edges[0]), float(edges[-1]), tuple(at), fixed=held, errors="parabola")
        if not all(request.low < one < request.high for one in at):
            return None
        fit = fit_region(counts, edges, request)
        if not fit.converged:
            return None
        before, at = at, [fit.peaks[i].position for i in range(len(at))]
        for i in range(len(at)):
            if i not in free:
                holder = _nearest(i, free, places)
                at[i] = at[holder] + places[i] - places[holder]
        moved = max((abs(at[i] - before[i]) for i in range(len(at)) if i not in free), default=0.0)
        if moved < 0.02 * min(fit.peaks[i].position_error for i in free):
            break
    return fit


def _nearest(i: int, free: Sequence[int], places: Sequence[float]) -> int:
    return min(free, key=lambda j: abs(places[j] - places[i]))


def _of_group(
    i: int, members: Sequence[_Sought], free: list[int], fit: RegionFit, lead: _Sought, expected: _Expected
) -> MatchedLine:
    one, peak = members[i], fit.peaks[i]
    others = tuple(each.line.energy_kev for each in members if each is not one)
    plain = replace(_plain(one), fitted_with=others, area=peak.area, area_error=peak.area_error)
    if i not in free:
        near = _nearest(i, free, [each.line.energy_kev for each in members])
        return replace(plain, note=f"held at its distance from {members[near].line.energy_kev:.1f} keV")
    energy = one.line.energy_kev
    found = PeakFit(
        (float(fit.edges[0]), float(fit.edges[-1])),
        len(fit.counts),
        peak.position,
        peak.position_error,
        peak.fwhm,
        peak.fwhm_error,
        peak.area,
        peak.area_error,
        converged=True,
    )
    note = one.note or _what_is_wrong(found, expected.place(energy), expected.fwhm(energy), one)
    filled = _filled(plain, found, note, expected.gain)
    # the width is shared: it counts once, for the strongest
    return filled if one is lead else replace(filled, is_width_used=False)


# One line


def _plain(one: _Sought) -> MatchedLine:
    line = one.line
    return MatchedLine(
        line.origin,
        line.energy_kev,
        line.energy_error_kev,
        one.disturbed_kev,
        is_broad=line.is_broad,
        is_escape=line.escapes > 0,
        note=one.note,
    )


def _alone(one: _Sought, spectrum: Spectrum, expected: _Expected, fit: Fit) -> MatchedLine:
    line, plain = one.line, _plain(one)
    if one.note:
        return plain
    if not one.is_main and not _is_seen(one, spectrum, expected):
        return replace(plain, note="not seen")
    place, fwhm = expected.place(line.energy_kev), expected.fwhm(line.energy_kev)
    found = _fit_at(spectrum, place, _REACH_FWHM * fwhm * (1.5 if line.is_broad else 1.0), fit)
    return _filled(plain, found, _what_is_wrong(found, place, fwhm, one), expected.gain)


def _filled(plain: MatchedLine, found: PeakFit, note: str, gain: float) -> MatchedLine:
    if not found.converged:
        return replace(plain, note=note)
    return replace(
        plain,
        position=found.position,
        position_error=found.position_error,
        area=found.area,
        area_error=found.area_error,
        fwhm_kev=found.fwhm / gain,
        fwhm_error_kev=found.fwhm_error / gain,
        is_used=not note,
        is_width_used=not note and not plain.is_broad and found.fwhm_error > 0,
        note=note,
    )


def _is_seen(one: _Sought, spectrum: Spectrum, expected: _Expected) -> bool:
    """Say whether a peak stands out at a place: by its likelihood ratio against the counts beside it."""
    energy = one.line.energy_kev
    edges = expected.place(energy) + expected.fwhm(energy) * np.array([-3.0, -1.0, 1.0, 3.0])
    left, inside, right = np.diff(spectrum.below(edges))
    return float(on_off_ratio(np.array([inside]), np.array([left + right]), 2.0)[0]) >= _MIN_RATIO


def _what_is_wrong(found: PeakFit, place: float, fwhm: float, sought: _Sought) -> str:
    if not found.converged:
        return "not seen"
    if found.area < (_MIN_AREA if sought.is_main else _MIN_AREA_WEAK) * found.area_error:
        return f"faint: {found.area:.0f} ± {found.area_error:.0f} counts"
    if abs(found.position - place) > fwhm + 3 * found.position_error:
        return "not where it is expected"
    spread = 3 * found.fwhm_error
    if not 0.5 * fwhm - spread < found.fwhm < (4.0 if sought.line.is_broad else 2.0) * fwhm + spread:
        return f"its width, {found.fwhm / fwhm:.2g} times that expected, is not that of a line"
    return ""
