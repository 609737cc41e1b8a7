"""The walls of the house: who may import whom, and what every checkout must have."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_nobody_imports_what_the_layers_forbid():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    if not Path(command[0]).exists():
        pytest.skip("import-linter is not installed beside this Python")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_library_starts_without_pandas_and_qt():
    code = "import pygama, sys; sys.exit('pandas' in sys.modules or 'PyQt5' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_every_frozen_dataclass_is_a_quick_one():
    slow = []
    for package in ("pygama", "pygama_gui"):
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text()
            imports = [line for line in text.splitlines() if line.startswith("from dataclasses import")]
            if "frozen=True" in text and any(
                re.search(r"\bdataclass\b", line.partition("import")[2]) for line in imports
            ):
                slow.append(str(path.relative_to(ROOT)))
    assert slow == []
