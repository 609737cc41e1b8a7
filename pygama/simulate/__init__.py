"""Makes runs up, with known answers, for the demo and for tests.

`write_run(path, RunShape(...))` writes a raw file and its truth; `read_truth(path)` reads the truth.
"""

from pygama.simulate.run import read_truth, truth_path, write_run
from pygama.simulate.shape import RunShape, benchmark_shape, demo_shape
from pygama.simulate.spectrum import LINES, Line

__all__ = [
    "LINES",
    "Line",
    "RunShape",
    "benchmark_shape",
    "demo_shape",
    "read_truth",
    "truth_path",
    "write_run",
]
