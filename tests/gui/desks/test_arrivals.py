"""Tests what is said while files are held over the window."""

from __future__ import annotations

from pathlib import Path

import pytest

from pygama.analysis.cuts import Cut, save_cuts
from pygama_gui.desks.arrivals import drop_words


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("Run72", "Run73"), "Drop to add the runs"),
        (("run72_trap_max.png",), "Drop to bring the view back"),
        (("Run72", "run72_trap_max.png"), "Drop to open the files"),
        ((), "Only files on this computer can be dropped"),
    ],
)
def test_the_window_says_what_comes_of_letting_go(tmp_path: Path, names: tuple[str, ...], said: str) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"")
    assert drop_words([tmp_path / name for name in names]) == said


def test_a_tier_file_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    (path := tmp_path / "t2_run72").write_bytes(b"\x89HDF\r\n\x1a\n")
    assert drop_words([path]) == "Drop to look into the file"


def test_cuts_are_known_by_what_is_in_the_file(tmp_path: Path) -> None:
    save_cuts([Cut("large", "trap_max > 3")], path := tmp_path / "large.json")
    assert drop_words([path]) == "Drop to use the cuts"
