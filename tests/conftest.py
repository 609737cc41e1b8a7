"""Keeps tests away from the display, the home folder and each other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# A machine that is busy is no failure.
hypothesis.settings.register_profile("without a clock", deadline=None)
hypothesis.settings.load_profile("without a clock")

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["MPLBACKEND"] = "Agg"

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give each test its own settings, cache, log and working folder."""
    home = tmp_path_factory.mktemp("home")
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "HOME"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.chdir(home)
    yield


@pytest.fixture(autouse=True)
def own_processors() -> Iterator[None]:
    """Begin each test without plug-ins, and take away those that it ran."""
    from pygama.processing import plugins, steps  # noqa: F401  (the steps fill the registry)
    from pygama.processing.declare import REGISTRY

    before, known = dict(REGISTRY), dict(plugins._loaded)
    plugins._loaded.clear()
    yield
    REGISTRY.clear()
    REGISTRY.update(before)
    plugins._loaded.clear()
    plugins._loaded.update(known)


@pytest.fixture
def real_run():  # type: ignore[no-untyped-def]
    """Give the path of a real run by name, or skip the test where it is not there."""

    def find(name: str) -> Path:
        path = REAL_DATA / name
        if not path.exists():
            pytest.skip(f"the real run {name} is not beside this checkout")
        return path

    return find
