"""Chooses the compiled window kernels where there are any."""

from __future__ import annotations

try:
    from pygama.processing.kernels._windows import first_maximum, gather, half_height

    COMPILED = True
except ImportError:
    from pygama.processing.kernels.windows_plain import first_maximum, gather, half_height

    COMPILED = False

__all__ = ["COMPILED", "first_maximum", "gather", "half_height"]
