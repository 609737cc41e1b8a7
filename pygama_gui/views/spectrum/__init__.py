"""The spectrum: counting, drawing, regions, peaks and their marks."""
