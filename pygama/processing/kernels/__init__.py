"""Holds the compiled kernels, and chooses them where they could be built."""
