"""Channels: a tile for each with its spectrum, figures and state."""
