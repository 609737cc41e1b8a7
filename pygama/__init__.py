"""Turns the raw files of the ORCA data-acquisition system into physics."""

__version__ = "0.1.0"
