"""Makes the further columns of a table that is saved."""

from __future__ import annotations

import numpy as np

from pygama.channel_map import Channel
from pygama_gui.data.tables import Further

ROWS = {"crate": np.array([0, 0, 1, 0]), "card": np.array([5, 5, 5, 6]), "channel": np.array([0, 3, 0, 0])}


def test_detectors_are_named_by_crate_card_and_channel() -> None:
    known = (Channel(1, 5, 0, "GE10"), Channel(0, 5, 3, "GE07"))
    assert Further((), known)(ROWS)["detector"].tolist() == ["", "GE07", "GE10", ""]


def test_no_rows_have_no_detectors() -> None:
    none = {name: values[:0] for name, values in ROWS.items()}
    assert Further((), (Channel(0, 5, 3, "GE07"),))(none)["detector"].tolist() == []


def test_without_a_map_or_channels_there_is_no_such_column() -> None:
    assert Further()(ROWS) == {}
    assert Further((), (Channel(0, 5, 3, "GE07"),))({"trap_max": np.zeros(2)}) == {}


def test_a_column_of_that_name_is_left_alone() -> None:
    assert Further((), (Channel(0, 5, 3, "GE07"),))({**ROWS, "detector": np.zeros(4)}) == {}
