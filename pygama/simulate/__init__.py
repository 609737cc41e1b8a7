"""Makes runs up, with known answers, for the demo and for tests.

`write_run(path, RunShape(...))` writes a raw file and its truth; `read_truth(path)` reads the truth.
`draw_region(rng, RegionTruth(...))` draws the values around some peaks.
"""

from pygama.simulate.region import RegionTruth, draw_region
from pygama.simulate.run import read_truth, truth_path, write_run
from pygama.simulate.shape import RunShape, benchmark_shape, demo_shape
from pygama.simulate.spectrum import LINES, Line

__all__ = [
    "LINES",
    "Line",
    "RegionTruth",
    "RunShape",
    "benchmark_shape",
    "demo_shape",
    "draw_region",
    "read_truth",
    "truth_path",
    "write_run",
]
