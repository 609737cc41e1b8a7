"""The page about cuts says what is so: every example on it is run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pygama.analysis.cuts import load_cuts
from pygama.analysis.expression_nodes import FUNCTIONS
from pygama.analysis.expressions import ExpressionError, parse

PAGE = (Path(__file__).resolve().parents[2] / "resources/docs/cuts.md").read_text(encoding="utf-8")
N = 50
RNG = np.random.default_rng(3)
TIER2 = pd.DataFrame(
    {
        "trap_max": RNG.uniform(0, 10000, N),
        "a_max": RNG.uniform(0, 100, N),
        "a over e": RNG.normal(1, 0.1, N),
        "energy": RNG.integers(0, 5000, N).astype(np.uint32),
        "channel": RNG.integers(0, 8, N),
        "timestamp": RNG.integers(2**60 - 5, 2**60 + 5, N),
        "bl_slope": RNG.normal(0, 0.01, N),
        "card": RNG.choice(["SIS3302", "Gretina4M"], N),
        "is_short": RNG.random(N) < 0.2,
        "low_noise": RNG.random(N) < 0.9,
        "pulser": RNG.random(N) < 0.1,
        "is_pulser": RNG.random(N) < 0.1,
        "n_channels": RNG.integers(1, 4, N),
        "through(910, 950, 4000, 6000, bl_int, bl_slope)": RNG.random(N) < 0.5,  # as looked through before
    }
)


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def rows(title):
    lines = PAGE.split(title)[1].split("\n| --- |")[1].splitlines()[1:]
    taken = lines[: next(at for at, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip().strip("`") for cell in re.split(r" \| ", line.strip("| "))] for line in taken]


@pytest.mark.parametrize("text", [line for block in blocks("cut") for line in block.splitlines()])
def test_an_example_is_a_cut(text):
    passes = parse(text).mask(TIER2)
    assert len(passes) == N
    assert parse(parse(text).text).mask(TIER2).tolist() == passes.tolist()


def test_the_functions_are_those_that_there_are():
    assert rows("**Functions:**") == [
        [name, function.takes(), function.about] for name, function in FUNCTIONS.items()
    ]


@pytest.mark.parametrize(("text", "message"), rows("## Mistakes"))
def test_a_mistake_is_told_as_the_page_says(text, message):
    with pytest.raises(ExpressionError) as caught:
        parse(text).mask(TIER2)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("page", "meant"),
    [
        ("2 ** 3 ** 2", "2 ** (3 ** 2)"),
        ("-a ** 2", "-(a ** 2)"),
        ("-a * b", "(-a) * b"),
        ("a + b * c % d - e", "a + (b * c % d) - e"),
        ("a + b < c - d", "(a + b) < (c - d)"),
        ("~a < 3 & b", "(~(a < 3)) & b"),
        ("a | b & c", "a | (b & c)"),
    ],
)
def test_what_binds_tighter_is_as_the_page_says(page, meant):
    assert parse(page) == parse(meant)
    assert parse("-2 ** 2").evaluate({}, n_rows=1).tolist() == [-4]


def test_the_python_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (example,) = blocks("python")
    names = {"tier2": TIER2}
    exec(compile(example, "cuts.md", "exec"), names)
    in_range = (TIER2["trap_max"] >= 8300) & (TIER2["trap_max"] < 9050) & ~TIER2["is_short"]
    assert names["passes"].tolist() == in_range.tolist()
    assert capsys.readouterr().out.startswith("peak ")


def test_the_file_example_is_a_cut_file(tmp_path):
    (example,) = blocks("json")
    path = tmp_path / "mine.json"
    path.write_text(example)
    assert load_cuts(path)["peak"].expression == "8300 <= trap_max < 9050"
