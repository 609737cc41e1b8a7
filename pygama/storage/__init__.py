"""Reads and writes Tier 1 and Tier 2 files: HDF5 in the layout of pandas' tables.

The names below are loaded when they are first asked for, and PyTables with them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pygama.storage.reader import Table, TierFile
    from pygama.storage.writer import TierWriter

__all__ = ["Table", "TierFile", "TierWriter"]
_HOMES = {"Table": "reader", "TierFile": "reader", "TierWriter": "writer"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pygama.storage' has no attribute {name!r}")
    return getattr(import_module(f"pygama.storage.{_HOMES[name]}"), name)
