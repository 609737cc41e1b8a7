"""What README.md shows works as it stands, on the run that its first command makes."""

import re
import shlex
from pathlib import Path

import pytest

from pygama.__main__ import main

README = Path(__file__).parents[1] / "README.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_each_command_works_and_each_python_block_behind_them(tmp_path, monkeypatch, capsys):
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    (commands,) = (text for text in blocks("sh") if "pygama info" in text)
    for line in commands.splitlines():
        words = shlex.split(line, comments=True)
        meant = {"RUN": "OUT/DemoRun72", "OLD.json": "cal.json", "NEW.json": "cal.json"}
        arguments = [meant.get(word, word) for word in words[1:]]
        assert main(arguments) == 0, f"{line}: {capsys.readouterr().err}"
        printed = capsys.readouterr().out
        if words[1] == "run":
            assert "11958 events" in printed
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(block, names)
    peaks = re.findall(r"([\d.]+) ± ([\d.]+), FWHM ([\d.]+) ± ", capsys.readouterr().out)
    assert len(peaks) == 1
    # 2614.511 keV of the made-up run, at 14.5369 ADC counts a keV; its width is 3.82 keV.
    assert float(peaks[0][0]) == pytest.approx(2614.511 * 14.5369, abs=8)
    assert float(peaks[0][2]) == pytest.approx(3.82 * 14.5369, abs=6)
    assert names["counts"].sum() > 0
    assert len(names["waves"]) > 0
