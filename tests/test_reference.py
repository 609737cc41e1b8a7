"""The reference pages say what the declarations say."""

from pathlib import Path

import pytest

from pygama.reference import pages, write

FOLDER = Path(__file__).resolve().parents[1] / "resources" / "docs" / "reference"


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_pages_are_those_that_the_declarations_make(name):
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert text == pages()[name], "run: python -m pygama.reference resources/docs/reference"


def test_every_processor_has_its_place_with_settings_and_source(tmp_path):
    write(tmp_path)
    text = (tmp_path / "processors.md").read_text(encoding="utf-8")
    part = text.split("## trap_filter")[1].split("\n## ")[0]
    assert "| `rise` | `400` | samples | 1 |" in part
    assert "Jordanov" in part
    assert "`rt` is `rise`" in part
