"""Trends: rate, baseline, noise and peaks against time."""
