"""The walls of the house: who may import whom, and what every checkout must have."""

import re
import subprocess
import sys
import tomllib
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


def test_what_is_installed_has_all_packages():
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    here = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for package in ("pygama", "pygama_gui")
        for path in (ROOT / package).rglob("*.py")
    }
    assert listed - {"pygama.resources"} == here


def test_what_is_installed_has_all_resources():
    package_data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    resources = ROOT / "resources"
    installed = {path for pattern in package_data["pygama.resources"] for path in resources.glob(pattern)}
    needed = {
        path
        for path in resources.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".sh"
    }
    apart = {resources / "__init__.py"}
    left = {path for path in needed - installed - apart if path.parent.name not in ("decisions", "pictures")}
    assert left == set()
