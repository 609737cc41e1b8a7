"""Runs dspeed, the compiled peer, for the benchmarks: in an environment of its own, apart from the library.

peer_dspeed.py versions
peer_dspeed.py raw WAVEFORMS.npy RAW.lh5 none|gzip    write a raw file
peer_dspeed.py dsp RAW.lh5 DSP.lh5                     run the default chain from file to file
peer_dspeed.py serve FOLDER                            answer requests, a line of JSON each, until the end

`serve` takes waveform.npy, wf_blsub.npy … from the folder and answers {"time": name, "type": "float32"} and
{"chain": null} with seconds of its own thread, {"dsp": raw, "out": dsp} with seconds of the clock and of the
process, and {"values": name, "type": …} with the path of an .npz. Processors are called as their own chain
calls them: 16 rows at a time, arrays for the results made before.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

BLOCK_ROWS = 16
I_END = 500
RISE, FLAT, FALL, SIGMA = 400, 200, 400, 200
TAU, TAU2, FRACTION = 5000.0, 500.0, 0.02
PARTS = np.array([0.01, 0.10, 0.50, 0.90, 0.99])
NO_DECAY = 1e15
"""Decay time of a pulse that does not decay."""
PACKAGES = ("dspeed", "legend-daq2lh5", "legend-pydataobj", "numba", "numpy", "h5py", "scipy")

CHAIN = {
    "outputs": ["bl_mean", "bl_slope", "trap_max"],
    "processors": {
        "bl_mean, bl_std, bl_slope, bl_intercept": {
            "function": "linear_slope_fit",
            "module": "dspeed.processors",
            "args": [f"waveform[0:{I_END}]", "bl_mean", "bl_std", "bl_slope", "bl_intercept"],
            "unit": ["ADC", "ADC", "ADC", "ADC"],
        },
        "wf_blsub": {
            "function": "bl_subtract",
            "module": "dspeed.processors",
            "args": ["waveform", "bl_mean", "wf_blsub"],
            "unit": "ADC",
        },
        "wf_trap": {
            "function": "trap_norm",
            "module": "dspeed.processors",
            "args": ["wf_blsub", str(RISE), str(FLAT), "wf_trap"],
            "unit": "ADC",
        },
        "trap_max": {
            "function": "amax",
            "module": "numpy",
            "args": ["wf_trap", 1, "trap_max"],
            "kwargs": {"signature": "(n),()->()", "types": ["fi->f"]},
            "unit": "ADC",
        },
    },
}

Call = Callable[[slice], None]
Kernel = Callable[[dict[str, np.ndarray]], tuple[dict[str, np.ndarray], Call]]
"""Takes the inputs in the type to work in; gives the arrays for the results, and what fills some rows."""


def like(waves: np.ndarray, n_samples: int | None = None) -> np.ndarray:
    return np.empty((len(waves), n_samples or waves.shape[1]), waves.dtype)


def columns(given: dict[str, np.ndarray], *names: str) -> dict[str, np.ndarray]:
    waves = given["wf_blsub"]
    return {name: np.empty(len(waves), waves.dtype) for name in names}


def linear_slope_fit(given):
    from dspeed.processors import linear_slope_fit

    out = columns(given, "mean", "std", "slope", "intercept")
    stretch = given["waveform"][:, :I_END]
    return out, lambda rows: linear_slope_fit(stretch[rows], *(array[rows] for array in out.values()))


def linear_slope_diff(given):
    from dspeed.processors import linear_slope_diff, linear_slope_fit

    out = columns(given, "mean", "std", "slope", "intercept", "left", "rms")
    stretch = given["waveform"][:, :I_END]

    def call(rows):
        mean, std, slope, intercept, left, rms = (array[rows] for array in out.values())
        linear_slope_fit(stretch[rows], mean, std, slope, intercept)
        linear_slope_diff(stretch[rows], slope, intercept, left, rms)

    return out, call


def bl_subtract(given):
    from dspeed.processors import bl_subtract

    waves, level, out = given["waveform"], given["bl_int"], like(given["wf_blsub"])
    return {"wf": out}, lambda rows: bl_subtract(waves[rows], level[rows], out[rows])


def filtered(name: str, *settings: float, source: str = "wf_blsub", shorter: int = 0) -> Kernel:
    """Make the kernel of a processor that takes a waveform and settings to another waveform."""

    def kernel(given):
        from dspeed import processors

        function, waves = getattr(processors, name), given[source]
        out = like(waves, waves.shape[1] - shorter)
        return {"wf": out}, lambda rows: function(waves[rows], *settings, out[rows])

    return kernel


def convolved(name: str) -> Kernel:
    """Make the kernel of one of the cusps, whose weights are found once."""

    def kernel(given):
        from dspeed import processors

        waves = given["wf_blsub"]
        weights = np.zeros(2 * RISE + FLAT, waves.dtype)
        getattr(processors, name)(SIGMA, FLAT, NO_DECAY, weights)
        out = like(waves)
        left = np.full(len(waves), weights.sum(dtype=np.float64))
        mode = ord("s")
        return {"wf": out, "left": left}, lambda rows: processors.fft_convolve_wf(
            waves[rows], weights, mode, out[rows]
        )

    return kernel


def amax(source: str) -> Kernel:
    def kernel(given):
        waves, out = given[source], np.empty(len(given[source]), given[source].dtype)
        return {"max": out}, lambda rows: np.amax(waves[rows], 1, out[rows])

    return kernel


def min_max(given):
    from dspeed.processors import min_max

    waves, out = given["wf_blsub"], columns(given, "tp_min", "tp_max", "wf_min", "wf_max")
    return out, lambda rows: min_max(waves[rows], *(array[rows] for array in out.values()))


def time_points(given):
    from dspeed.processors import min_max, multi_time_point_thresh

    waves = given["wf_blsub"]
    found, out = (
        columns(given, "tp_min", "tp_max", "wf_min", "wf_max"),
        np.empty((len(waves), 5), waves.dtype),
    )
    parts = PARTS.astype(waves.dtype)
    mode = ord("l")

    def call(rows):
        _, top, _, height = (array[rows] for array in found.values())
        min_max(waves[rows], *(array[rows] for array in found.values()))
        multi_time_point_thresh(waves[rows], height[:, None] * parts, top, 1, mode, out[rows])

    return {"tp": out}, call


def t0(given):
    from dspeed.processors import interpolated_time_point_thresh, linear_slope_fit, min_max

    waves = given["wf_atrap"]
    fit = columns(given, "mean", "std", "slope", "intercept")
    found, out = columns(given, "tp_min", "tp_max", "wf_min", "wf_max"), columns(given, "t0")["t0"]
    mode = ord("l")

    def call(rows):
        linear_slope_fit(waves[rows, :I_END], *(array[rows] for array in fit.values()))
        min_max(waves[rows], *(array[rows] for array in found.values()))
        threshold = fit["mean"][rows] + 5 * fit["std"][rows]
        interpolated_time_point_thresh(waves[rows], threshold, found["tp_max"][rows], 0, mode, out[rows])

    return {"t0": out}, call


def fixed_time_pickoff(given):
    from dspeed.processors import fixed_time_pickoff

    waves, at, out = given["wf_trap"], given["pickoff_at"], columns(given, "height")["height"]
    mode = ord("l")
    return {"height": out}, lambda rows: fixed_time_pickoff(waves[rows], at[rows], mode, out[rows])


def saturation(given):
    from dspeed.processors import saturation

    waves, out = given["waveform"], columns(given, "low", "high")
    return out, lambda rows: saturation(waves[rows], 16, out["low"][rows], out["high"][rows])


def psd(given):
    from dspeed.processors import psd

    stretch = given["wf_blsub"][:, :I_END]
    out = like(stretch, I_END // 2 + 1)
    return {"psd": out}, lambda rows: psd(stretch[rows], out[rows])


KERNELS: dict[str, Kernel] = {
    "linear_slope_fit": linear_slope_fit,
    "linear_slope_fit + linear_slope_diff": linear_slope_diff,
    "bl_subtract": bl_subtract,
    "pole_zero": filtered("pole_zero", TAU),
    "double_pole_zero": filtered("double_pole_zero", TAU, TAU2, FRACTION),
    "trap_norm": filtered("trap_norm", RISE, FLAT),
    "asym_trap_filter": filtered("asym_trap_filter", 10, 10, FALL),
    "moving_window_left": filtered("moving_window_left", 10),
    "moving_window_multi": filtered("moving_window_multi", 10, 3, 1),
    "avg_current 1": filtered("avg_current", 1, shorter=1),
    "avg_current 10": filtered("avg_current", 10, shorter=10),
    "cusp_filter": convolved("cusp_filter"),
    "zac_filter": convolved("zac_filter"),
    "amax": amax("wf_trap"),
    "amax of the current": amax("wf_current"),
    "min_max": min_max,
    "min_max + multi_time_point_thresh": time_points,
    "linear_slope_fit + min_max + interpolated_time_point_thresh": t0,
    "fixed_time_pickoff": fixed_time_pickoff,
    "saturation": saturation,
    "psd": psd,
}


class Server:
    """Holds the waveforms and answers requests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._arrays = {path.stem: np.load(path) for path in folder.glob("*.npy")}
        self._calls: dict[tuple[str, str], tuple[dict[str, np.ndarray], Call]] = {}
        self._chain: Callable[[], None] | None = None

    def answer(self, request: dict[str, str]) -> object:
        if "time" in request:
            return self._time(request["time"], request["type"])
        if "values" in request:
            return self._values(request["values"], request["type"])
        if "dsp" in request:
            return self._time_dsp(request["dsp"], request["out"])
        return self._time_chain()

    def _call(self, name: str, sample_type: str) -> tuple[dict[str, np.ndarray], Call]:
        key = name, sample_type
        if key not in self._calls:
            given = {name: self._in_type(name, sample_type) for name in self._arrays}
            self._calls[key] = KERNELS[name](given)
        return self._calls[key]

    def _in_type(self, name: str, sample_type: str) -> np.ndarray:
        """Give an input in the type to work in; raw samples stay as they are unless that is float64."""
        array = self._arrays[name]
        return array if name == "waveform" and sample_type == "float32" else array.astype(sample_type)

    def _time(self, name: str, sample_type: str) -> float:
        """Time each block when it has been read before: in a chain the step before has just written it."""
        _, call = self._call(name, sample_type)
        seconds = 0.0
        for rows in self._parts(len(self._arrays["wf_blsub"])):
            call(rows)
            began = time.thread_time()
            call(rows)
            seconds += time.thread_time() - began
        return seconds

    def _values(self, name: str, sample_type: str) -> str:
        results, call = self._call(name, sample_type)
        for rows in self._parts(len(self._arrays["wf_blsub"])):
            call(rows)
        path = self._folder / "values.npz"
        np.savez(path, **results)
        return str(path)

    @staticmethod
    def _parts(n_rows: int) -> list[slice]:
        return [slice(row, row + BLOCK_ROWS) for row in range(0, n_rows, BLOCK_ROWS)]

    @staticmethod
    def _time_dsp(raw: str, dsp: str) -> tuple[float, float]:
        from dspeed import build_dsp

        clock, busy = time.perf_counter(), time.process_time()
        build_dsp(raw, dsp, dsp_config=CHAIN, lh5_tables="geds/raw", write_mode="r")
        return time.perf_counter() - clock, time.process_time() - busy

    def _time_chain(self) -> float:
        if self._chain is None:
            from dspeed.processing_chain import build_processing_chain

            table = raw_table(np.load(self._folder / "many.npy"))
            chain, _, out = build_processing_chain(CHAIN, table)
            out.resize(len(table))
            self._chain = lambda: chain(table, out)
        began = time.thread_time()
        self._chain()
        return time.thread_time() - began


def raw_table(waves: np.ndarray):
    from lgdo import Array, ArrayOfEqualSizedArrays, Table, WaveformTable

    n_rows = len(waves)
    samples = ArrayOfEqualSizedArrays(nda=waves)
    t0, dt = (Array(np.full(n_rows, value), attrs={"units": "ns"}) for value in (0.0, 10.0))
    return Table(col_dict={"waveform": WaveformTable(values=samples, t0=t0, dt=dt)})


def write_raw(waves: Path, raw: Path, compression: str) -> None:
    from lgdo import lh5

    settings = {"compression": "gzip", "shuffle": True} if compression == "gzip" else {"compression": None}
    lh5.write(raw_table(np.load(waves)), "geds/raw", str(raw), wo_mode="overwrite_file", **settings)


def run_dsp(raw: Path, dsp: Path) -> None:
    from dspeed import build_dsp

    build_dsp(str(raw), str(dsp), dsp_config=CHAIN, lh5_tables="geds/raw", write_mode="r")
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    print(peak.split()[1], file=sys.stderr)


def serve(folder: Path) -> None:
    server = Server(folder)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the peer prints must not mix with the answers
    for line in sys.stdin:
        answers.write(json.dumps(server.answer(json.loads(line))) + "\n")
        answers.flush()


def main(command: str, *arguments: str) -> None:
    if command == "versions":
        print(", ".join(f"{name} {version(name)}" for name in PACKAGES))
    elif command == "raw":
        write_raw(Path(arguments[0]), Path(arguments[1]), arguments[2])
    elif command == "dsp":
        run_dsp(Path(arguments[0]), Path(arguments[1]))
    else:
        serve(Path(arguments[0]))


if __name__ == "__main__":
    main(*sys.argv[1:])
