"""The walls of the house: who may import whom, and what every checkout must have."""

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
