"""Reads and writes Tier 1 and Tier 2 files: HDF5 in the layout of pandas' tables."""

from pygama.storage.reader import Table, TierFile
from pygama.storage.writer import TierWriter

__all__ = ["Table", "TierFile", "TierWriter"]
