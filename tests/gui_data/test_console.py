"""Python that a person types runs beside the window, on what is shown."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from pygama.analysis.cuts import Cut
from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama_gui.data.console import MOST_TEXT, Console, Shown, is_whole, word_at_end
from pygama_gui.data.cutting import joined
from pygama_gui.data.live import LiveColumns
from pygama_gui.data.samples import Tier1Waveforms
from pygama_gui.data.selection import Selection

COLUMNS: Mapping[str, np.ndarray] = {"trap_max": np.arange(10.0), "channel": np.arange(10) % 3}
HIGH = joined((Cut("high", "trap_max > 6"),))


class Typed:
    """A console, and what it said."""

    def __init__(self) -> None:
        self.console = Console()
        self.said: list[tuple[str, str]] = []

    def __call__(self, text: str, shown: Shown | None = None) -> str:
        shown = shown or Shown("Run 9", COLUMNS)
        self.said = []
        self.is_right = self.console.run(text, shown, lambda *piece: self.said.append(piece))
        return "".join(piece for piece, _ in self.said)

    @property
    def kinds(self) -> set[str]:
        return {kind for _, kind in self.said}


@pytest.fixture
def typed() -> Typed:
    return Typed()


def test_the_value_of_the_last_line_is_told_and_kept(typed):
    assert typed("x = 20\nx + 1") == "21\n"
    assert typed("_ * 2") == "42\n"
    assert typed("None") == ""
    assert typed("print(_)") == "42\n"
    assert typed.is_right
    assert typed.kinds == {"said"}


def test_functions_see_what_is_defined_later_and_what_is_offered(typed):
    typed("def f():\n    return scale * len(rows())")
    typed("scale = 2")
    assert typed("f()") == "20\n"


def test_rows_are_those_that_pass_with_their_places(typed):
    shown = Shown("Run 9", COLUMNS, HIGH)
    assert typed("list(rows().trap_max), list(rows().index)", shown) == "([7.0, 8.0, 9.0], [7, 8, 9])\n"
    assert typed("list(rows('channel').columns), len(rows(passing=False))", shown) == "(['channel'], 10)\n"
    assert typed("run, cuts", shown) == "('Run 9', 'high: trap_max > 6')\n"
    assert typed("cuts", Shown("Run 9", COLUMNS)) == "''\n"


def test_what_is_shown_cannot_be_changed(typed):
    columns = LiveColumns()
    columns.append({"trap_max": np.arange(3.0)})
    shown = Shown("Run 9", {"trap_max": columns.column("trap_max")})
    assert typed("frame = rows(); frame.trap_max = 0; list(rows().trap_max)", shown) == "[0.0, 1.0, 2.0]\n"
    typed("rows()['trap_max'].to_numpy()[:] = 7", shown)
    assert list(columns.column("trap_max")) == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "shown", "sentence"),
    [
        ("rows()", Shown(), "No run with events is shown"),
        ("rows('nope')", Shown("Run 9", COLUMNS), "There is no column 'nope'; there are trap_max, channel."),
        ("rows()", Shown("Runs", COLUMNS, is_sample=True), "data() reads"),
        ("waveforms()", Shown("Run 9", COLUMNS), "no finished Tier 1 file"),
        ("data()", Shown("Run 9", COLUMNS), "no finished Tier 2 file"),
        ("exit()", Shown(), "File > Quit"),
    ],
)
def test_what_is_not_there_is_told_in_a_sentence(typed, text, shown, sentence):
    said = typed(text, shown)
    assert sentence in said
    assert "Traceback" not in said
    assert not typed.is_right
    assert typed.kinds == {"wrong"}


def test_errors_are_told_from_the_input_on(typed):
    said = typed("def f():\n    return 1 / 0\nf()")
    assert said.startswith('Traceback (most recent call last):\n  File "<input 1>", line 3, in <module>\n')
    assert "    return 1 / 0\n" in said
    assert said.endswith("ZeroDivisionError: division by zero\n")
    assert "console.py" not in said
    assert "SyntaxError" in typed("1 +")
    assert typed("2") == "2\n"


def test_what_other_threads_print_goes_where_it_went(typed, capsys):
    typed(
        "import threading, sys\nt = threading.Thread(target=print, args=('elsewhere',)); t.start(); t.join()"
    )
    typed("sys.stderr.write('careful')")
    assert ("careful", "wrong") in typed.said
    assert capsys.readouterr().out == "elsewhere\n"
    assert "elsewhere" not in str(typed.said)


def test_what_was_kept_of_the_output_outlives_that_of_the_program(typed, monkeypatch):
    ours = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", ours)
        typed("import sys\nkept = sys.stdout")
    ours.close()
    assert typed("kept.flush(); kept.close(); kept.closed") == "True\n"


def test_a_flood_of_text_is_cut_off(typed):
    said = typed(f"for i in range({MOST_TEXT}): print('ten letters')")
    assert len(said) < MOST_TEXT + 100
    assert said.endswith("… and more, which is not shown.\n")


def test_what_runs_can_be_stopped(typed):
    began = threading.Event()
    thread = threading.Thread(target=typed, args=("begin()\nwhile True: pass",))
    typed("1")
    typed.console._names["begin"] = began.set
    thread.start()
    assert began.wait(10)
    typed.console.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert typed.said[-1] == ("Stopped.\n", "wrong")
    typed.console.stop()  # when nothing runs, nothing is stopped
    assert typed("1 + 1") == "2\n"


def test_waveforms_and_files_of_a_run_can_be_asked_for(typed, tmp_path: Path):
    raw = tmp_path / "2018-10-1-DemoRun5"
    write_run(raw, RunShape(run_number=5, n_events=60, seed=1))
    process_run(raw, output_dir=tmp_path)
    file = Tier1Waveforms(tmp_path / "t1_run5.h5")
    shown = Shown("Run 5", files=(tmp_path / "t2_run5.h5",), read=lambda: file, selection=Selection())
    try:
        said = typed("wfs, numbers = waveforms(4); wfs.shape[0], len(numbers)", shown)
        assert said == "(4, 4)\n"
        assert typed("len(waveforms(10**6)[0])", shown) == f"{file.count()}\n"
    finally:
        file.close()
    assert typed("data()", shown).startswith("DataSet of 1 runs, ")


def test_help_says_what_is_offered(typed):
    assert "rows()" in typed("help")
    assert "passing" in typed("help(rows)")


def test_names_are_completed_without_calling_anything(typed):
    typed("touched = []\nclass Trap:\n    value = property(lambda self: touched.append(1))\ntrap = Trap()")
    assert typed.console.completions("print(ro") == ["rows"]
    assert typed.console.completions("np.histogram2") == ["np.histogram2d"]
    assert "trap.value" in typed.console.completions("trap.v")
    assert typed.console.completions("trap.value.r") == []
    assert typed("touched") == "[]\n"
    assert Console().completions("wavef") == ["waveforms"]
    assert typed.console.completions("nobody.x") == []


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ("1 + 1", True),
        ("x = [1,", False),
        ("for i in x:", False),
        ("for i in x:\n    print(i)", False),
        ("for i in x:\n    print(i)\n", True),
        ("a = 1\nb = 2", True),
        ("1 +* 2", True),
        ("", True),
    ],
)
def test_an_input_is_run_when_it_is_whole(text, is_so):
    assert is_whole(text) is is_so


def test_the_word_at_the_end_has_its_owners():
    assert word_at_end("f(np.lin") == "np.lin"
    assert word_at_end("x + ") == ""


def test_standard_output_is_as_before(typed):
    before = sys.stdout, sys.stderr
    typed("1 / 0")
    assert (sys.stdout, sys.stderr) == before
