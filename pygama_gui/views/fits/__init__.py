"""Fits, regions and the energy calibration."""
