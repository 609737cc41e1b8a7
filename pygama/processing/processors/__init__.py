"""Holds the processors: what the steps of a chain do to waveforms and values, one kind a module."""
