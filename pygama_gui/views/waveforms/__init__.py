"""Waveforms: one by one, many over each other, selections against each other."""
