"""Writes the reference of processors, options and decoders from their declarations, with pictures.

    python -m pygama.reference resources/docs/reference
    python -m pygama.reference resources/docs/reference --pulse RAWFILE

The first line writes the pages; the second one draws the pictures as well, of the pulses of a raw run. A test
compares the pages in the repository with what would be written. Pictures depend on the versions that draw
them, so of these a test only asks that each is there and can be drawn.
"""

from pygama.reference.pages import pages, write

__all__ = ["pages", "write"]
