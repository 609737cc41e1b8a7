"""Tells whether a calibration is of the rows that a run has, or of those that another chain made."""

from __future__ import annotations

from collections.abc import Sequence

from pygama.analysis.calibration import Calibration
from pygama.processing.digest import column_digest, differing
from pygama_gui.session.state import Step


def noted(calibration: Calibration, chain: Sequence[Step]) -> Calibration:
    """Note in a calibration which chain made the rows that it is of; an empty one is not known."""
    return calibration.with_digests(_digests(calibration, chain))


def of_another_chain(calibration: Calibration, chain: Sequence[Step]) -> list[str]:
    """Give the places of the channels that were calibrated when another chain made their rows."""
    if not chain or not any(calibration.digests.values()):
        return []
    return differing(calibration.digests, _digests(calibration, chain))


def _digests(calibration: Calibration, chain: Sequence[Step]) -> dict[str, str]:
    if not chain:
        return {}
    steps, column = [step.to_chain() for step in chain], calibration.column
    if not any(step.channels for step in chain):
        return dict.fromkeys(calibration.channels, column_digest(steps, column))
    return {place: column_digest(steps, column, place) for place in calibration.channels}
