"""The chain beside dspeed, the compiled peer of the field, on the same waveforms in one run, by turns.

pytest -m benchmark_suite tests/benchmarks/test_peer.py

dspeed gets a virtual environment of its own, made once with pip and kept in the user's cache, or in the
folder that the environment variable PYGAMA_PEER_ENVIRONMENT names. Work of one thread is measured by the time
that its thread was running, so that what else the machine does counts less: median and range of the rounds,
and the ratio of the quickest ones, to dspeed in float32 and in float64. Ours is measured in float64, in
blocks of the size that a chain works in; dspeed in float32, as its chain works, and in float64, 16 rows at a
time.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import platformdirs
import pytest

from pygama.block import Block
from pygama.processing.base import DEFAULT_CHAIN
from pygama.processing.chain import Chain
from pygama.processing.declare import REGISTRY
from pygama.processing.plan import Plan, bind
from pygama.processing.plugins import load_plugins
from pygama.processing.steps import Step
from pygama.processing.tier1 import ProcessTier1, Tier1Processor
from pygama.simulate import benchmark_shape, write_run
from pygama.storage import TierFile

pytestmark = [pytest.mark.benchmark_suite, pytest.mark.timeout(1800)]

PINNED = (
    "dspeed==2.4.3",
    "legend-daq2lh5==1.7.1",
    "legend-pydataobj==2.0.3",
    "legend-lh5io==0.3.0",
    "numba==0.68.1",
    "numpy==2.4.6",
    "h5py==3.16.0",
    "hdf5plugin==7.1.0",
    "awkward==2.14.0",
    "scipy==1.17.1",
)
HERE = Path(__file__).parent
# Read while this file is imported: tests are given another home.
ENVIRONMENT = dict(os.environ)
PEER_FOLDER = Path(
    os.environ.get("PYGAMA_PEER_ENVIRONMENT") or platformdirs.user_cache_path("pygama") / "peer-dspeed-2.4.3"
)

DECODER = "ORSIS3302DecoderForEnergy"
PERIOD_NS = 10.0
N_EVENTS = 31_383
N_FEW, N_MANY = 256, 6000
N_ROUNDS = 7
MOST_ROWS = 64
"""Rows of a part, as a chain has them that makes arrays in between."""
N_PAIRS = 3


# the two sides


@pytest.fixture(scope="session")
def peer_python() -> Path:
    """Give the Python of the peer's environment; make the environment where there is none."""
    python = PEER_FOLDER / "bin" / "python"
    ready = PEER_FOLDER / "ready.txt"
    if not ready.exists() or ready.read_text() != "\n".join(PINNED):
        try:
            _run([sys.executable, "-m", "venv", str(PEER_FOLDER)])
            _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PINNED])
        except subprocess.CalledProcessError as problem:
            last = (problem.stderr or "no reason given").strip().splitlines()[-1]
            pytest.skip(f"dspeed could not be installed: {last}")
        ready.write_text("\n".join(PINNED))
    return python


def _run(command: list[str]) -> str:
    return subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout


class Peer:
    """The peer's process, which answers requests."""

    def __init__(self, python: Path, folder: Path) -> None:
        command = [str(python), str(HERE / "peer_dspeed.py"), "serve", str(folder)]
        self._process = subprocess.Popen(
            command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, **request: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the peer ended while it worked on {request}"
        return json.loads(answer)

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="session")
def t1_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the Tier 1 file of a run of 31383 pulses of 2000 samples."""
    from pygama.processing.tier0 import ProcessTier0

    folder = tmp_path_factory.mktemp("peer")
    raw = write_run(folder / "2018-9-30-BackgroundRun72", benchmark_shape(N_EVENTS, 2000))
    ProcessTier0(raw, output_dir=folder)
    raw.unlink()
    return folder / "t1_run72.h5"


@pytest.fixture(scope="session")
def waves(t1_file: Path) -> np.ndarray:
    with TierFile(t1_file) as file:
        samples = file.table(DECODER).read().waveforms
    assert samples is not None
    return samples


@pytest.fixture(scope="session")
def few(waves: np.ndarray) -> Block:
    """Give some waveforms and all that steps make of them, for others to read."""
    return prepared(waves[:N_FEW])


def prepared(waves: np.ndarray) -> Block:
    """Make a block whose traces and columns are what the steps measured here read."""
    rows = np.zeros(len(waves), [("period_ns", "f8")])
    rows["period_ns"] = PERIOD_NS
    names = ("wf_blsub", "wf_trap", "wf_atrap", "wf_current")
    processor = Tier1Processor()
    for name in (*DEFAULT_CHAIN, "asym_trap_filter", "current", "t0", "time_points", "a_max"):
        processor.add(name)
    made = processor.run(Block(DECODER, rows, waves), keep=names)
    columns = {"period_ns": rows["period_ns"], **{n: a for n, a in made.items() if n not in names}}
    # Where t0 is not found the time is taken as that of sample 900, so that there is a height to pick.
    columns["t0"] = np.where(np.isfinite(columns["t0"]), columns["t0"], 9000.0)
    columns["zero"] = np.zeros(len(waves))
    table = np.empty(len(waves), [(name, "f8") for name in columns])
    for name, column in columns.items():
        table[name] = column
    return Block(DECODER, table, waves, {name: made[name] for name in names})


@pytest.fixture(scope="session")
def peer(
    peer_python: Path, few: Block, waves: np.ndarray, tmp_path_factory: pytest.TempPathFactory, report
) -> Iterator[Peer]:
    folder = tmp_path_factory.mktemp("peer-arrays")
    hand_over(few, folder)
    np.save(folder / "many.npy", waves[:N_MANY])
    report.notes.append("peer: " + _run([str(peer_python), str(HERE / "peer_dspeed.py"), "versions"]).strip())
    process = Peer(peer_python, folder)
    yield process
    process.close()


def hand_over(block: Block, folder: Path) -> None:
    """Write what the peer's processors read."""
    arrays = {"waveform": block.waveforms, **block.traces, "bl_int": block.rows["bl_int"]}
    arrays["pickoff_at"] = block.rows["t0"] / PERIOD_NS + 560
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


# one step


@dataclass(frozen=True)
class Pair:
    """Steps of ours and the peer's processors that do the same work, or nearly."""

    steps: tuple[str, ...]
    peer: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    differs: str = ""
    """What one of the two does and the other does not."""

    @property
    def name(self) -> str:
        return " + ".join(self.steps) + "".join(f" {value}" for value in self.settings.values())


PAIRS = (
    Pair(("avg_baseline",), "linear_slope_fit", differs="not the same: theirs fits the line as well"),
    Pair(("fit_baseline",), "linear_slope_fit", differs="theirs gives the deviation as well"),
    Pair(("baseline_rms",), "linear_slope_fit + linear_slope_diff"),
    Pair(("robust_baseline",)),
    Pair(("bl_subtract",), "bl_subtract", differs="ours takes a line away, theirs a level"),
    Pair(("bl_subtract_polynomial",)),
    Pair(("pole_zero",), "pole_zero"),
    Pair(("double_pole_zero",), "double_pole_zero"),
    Pair(("trap_filter",), "trap_norm"),
    Pair(("asym_trap_filter",), "asym_trap_filter"),
    Pair(("moving_window",), "moving_window_left", differs="the first 9 samples differ"),
    Pair(("moving_window",), "moving_window_multi", {"passes": 3}, "the first 27 samples differ"),
    Pair(("savitzky_golay",)),
    Pair(("derivative",), "avg_current 1", differs="ours central, theirs one-sided"),
    Pair(("current",), "avg_current 10", differs="ours 2000 samples, theirs 1990"),
    Pair(("cusp_filter",), "cusp_filter", differs="theirs centred"),
    Pair(("zac_filter",), "zac_filter", differs="theirs centred"),
    Pair(("trap_max",), "amax"),
    Pair(("a_max",), "amax of the current"),
    Pair(("wf_max", "wf_min"), "min_max"),
    Pair(("time_points",), "min_max + multi_time_point_thresh"),
    Pair(("t0",), "linear_slope_fit + min_max + interpolated_time_point_thresh"),
    Pair(("fixed_time_pickoff",), "fixed_time_pickoff"),
    Pair(("tail_slope",)),
    Pair(("noise_rms",)),
    Pair(("psd",), "psd", differs="ours takes the mean away as well"),
    Pair(("saturation",), "saturation", differs="their upper end is 65520"),
    Pair(("count_pulses",)),
)


def bound(pair: Pair, block: Block) -> Plan:
    """Bind the steps of a pair to a block that has all they read."""
    steps = []
    for name in pair.steps:
        outputs = {output: f"made_{output}" for output, _ in REGISTRY[name].writes}
        steps.append(Step(name, pair.settings, outputs=outputs))
    names = [name for step in steps for name in step.writes]
    return bind(steps, block, period_ns=PERIOD_NS, outputs=names)


def arrays_of(block: Block) -> dict[str, np.ndarray]:
    assert block.waveforms is not None
    columns = {name: block.rows[name] for name in block.rows.dtype.names or ()}
    return {**columns, **block.traces, "waveform": block.waveforms}


def timer(plan: Plan, block: Block) -> Callable[[], float]:
    """Give a function that runs the operations over the block as the plan does, and tells the time.

    Each part is timed when it has been read before: in a chain the step before has just written it.
    """
    n_rows = min(plan.block_rows, MOST_ROWS)
    parts = [block[row : row + n_rows] for row in range(0, len(block), n_rows)]
    given = [(arrays_of(part), len(part)) for part in parts]

    def work(arrays: Mapping[str, np.ndarray], n_rows: int) -> None:
        made = dict(arrays)
        for operation in plan.operations:
            made.update(operation.run(made, n_rows))

    def seconds() -> float:
        total = 0.0
        for arrays, n_rows in given:
            work(arrays, n_rows)
            total += thread_s(lambda: work(arrays, n_rows))  # noqa: B023  (called at once)
        return total

    return seconds


def thread_s(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


def us(seconds: Sequence[float], n_rows: int) -> str:
    """Say the median and the range, a waveform."""
    return spread([1e6 * value / n_rows for value in seconds], "us")


def spread(values: Sequence[float], unit: str, digits: int = 2) -> str:
    return (
        f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}..{max(values):.{digits}f}) {unit}"
    )


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_a_step(pair: Pair, few: Block, peer: Peer, report):
    ours_s = timer(bound(pair, few), few)
    ours_s()
    types = ("float32", "float64") if pair.peer else ()
    for sample_type in types:
        peer.ask(time=pair.peer, type=sample_type)
    ours: list[float] = []
    theirs: dict[str, list[float]] = {sample_type: [] for sample_type in types}
    for _ in range(N_ROUNDS):
        ours.append(ours_s())
        for sample_type in types:
            theirs[sample_type].append(peer.ask(time=pair.peer, type=sample_type))
    if not pair.peer:
        report.pair(pair.name, us(ours, N_FEW), "no counterpart")
        return
    shown = " / ".join(us(seconds, N_FEW).removesuffix(" us") for seconds in theirs.values())
    ratios = " / ".join(f"{min(ours) / min(seconds):.2f}" for seconds in theirs.values())
    report.pair(pair.name, us(ours, N_FEW), f"{shown} us", ratios, pair.differs)


# values


@dataclass(frozen=True)
class Same:
    """A step and a result of the peer that must be equal once what is different by design is undone.

    from_peer: the peer's results, and the block -> what ours should be. from_ours: ours -> the part of it to
    compare. roundings: how many roundings to float32, each of the size of the waveform, can add up in a value
    where the peer works in that type. in_time: a time in ns rather than a height.
    """

    step: Step
    peer: str
    from_peer: Callable[[Mapping[str, np.ndarray], Block], np.ndarray]
    from_ours: Callable[[np.ndarray], np.ndarray] = np.asarray
    output: int = 0
    roundings: int = 4
    in_time: bool = False


def plainly(name: str) -> Callable[[Mapping[str, np.ndarray], Block], np.ndarray]:
    return lambda given, block: given[name]


def double_pole_zero_from_zero(given: Mapping[str, np.ndarray], block: Block) -> np.ndarray:
    """Begin as ours does: the peer leaves the second sample as it is, without the first one's decay.

    What is missing there, d, goes through the recursion: d * (1 - c^k) / (1 - c) at sample k.
    """
    a, b = np.exp(-1 / 5000), np.exp(-1 / 500)
    c = b + 0.02 * (a - b)
    k = np.arange(given["wf"].shape[1])
    missing = (1 + c - a - b) * block.traces["wf_blsub"][:, :1]
    return given["wf"] + missing * (1 - c**k) / (1 - c)


def one_sided(given: Mapping[str, np.ndarray], block: Block) -> np.ndarray:
    """Turn |X|^2 / n into squared ADC counts a MHz, the frequencies below 0 folded over."""
    power = given["psd"] * (PERIOD_NS / 1e3)
    power[:, 1:-1] *= 2
    return power


def with_last_weight(given: Mapping[str, np.ndarray], block: Block) -> np.ndarray:
    """Add the last of a cusp's 1001 weights, which the peer cuts off, and what ours can be compared with.

    Without it the weights do not add up to 0: 0.14 % of the charge that lies more than the filter's length
    back stays in the peer's cusp, and 0.8 % in its zero-area cusp.
    """
    whole = given["wf"].copy()
    whole[:, 501:] -= given["left"][:, None] * block.traces["wf_blsub"][:, : N_REAL - 501]
    return whole[:, : N_REAL - LATER]


def in_ns(name: str) -> Callable[[Mapping[str, np.ndarray], Block], np.ndarray]:
    return lambda given, block: given[name] * PERIOD_NS


def time_point(number: int) -> Callable[[Mapping[str, np.ndarray], Block], np.ndarray]:
    return lambda given, block: given["tp"][:, number] * PERIOD_NS


N_FIT = 500
N_REAL = 1836
LATER = 498
"""Samples by which ours follows the peer's cusps: 499 to the middle of their 1000 weights, less one, since
their flank begins with a 0."""
SAMES = (
    Same(Step("avg_baseline"), "linear_slope_fit", plainly("mean"), roundings=N_FIT),
    Same(Step("fit_baseline"), "linear_slope_fit", plainly("intercept"), roundings=8),
    Same(Step("fit_baseline"), "linear_slope_fit", plainly("slope"), output=1, roundings=1),
    Same(
        Step("baseline_rms"),
        "linear_slope_fit + linear_slope_diff",
        # They divide by the number of samples less 1; a line has 2 parameters.
        lambda given, block: given["rms"] * np.sqrt((N_FIT - 1) / (N_FIT - 2)),
        roundings=N_FIT,
    ),
    Same(Step("bl_subtract", inputs={"bl_slope": "zero"}), "bl_subtract", plainly("wf")),
    # The sum of the rounded samples, each times the decay in a sample, is a third of a waveform's size.
    Same(Step("pole_zero"), "pole_zero", plainly("wf")),
    Same(Step("double_pole_zero"), "double_pole_zero", double_pole_zero_from_zero, roundings=16),
    Same(Step("trap_filter"), "trap_norm", plainly("wf"), roundings=N_REAL),
    Same(Step("asym_trap_filter"), "asym_trap_filter", plainly("wf"), roundings=2 * N_REAL),
    # Before the record they take the first sample, ours the mean of what there is.
    Same(
        Step("moving_window"),
        "moving_window_left",
        lambda given, block: given["wf"][:, 9:],
        lambda made: made[:, 9:],
        roundings=N_REAL,
    ),
    Same(
        Step("moving_window", {"passes": 3}),
        "moving_window_multi",
        lambda given, block: given["wf"][:, 27:],
        lambda made: made[:, 27:],
        roundings=3 * N_REAL,
    ),
    # The central difference is the mean of the two one-sided ones.
    Same(
        Step("derivative"),
        "avg_current 1",
        lambda given, block: (given["wf"][:, 1:] + given["wf"][:, :-1]) / 2,
        lambda made: made[:, 1:-1],
    ),
    Same(Step("current"), "avg_current 10", plainly("wf"), lambda made: made[:, 10:]),
    Same(
        Step("cusp_filter"),
        "cusp_filter",
        with_last_weight,
        lambda made: made[:, LATER:],
        roundings=64,
    ),
    Same(
        Step("zac_filter"),
        "zac_filter",
        with_last_weight,
        lambda made: made[:, LATER:],
        roundings=64,
    ),
    Same(Step("trap_max"), "amax", plainly("max")),
    Same(Step("a_max"), "amax of the current", plainly("max")),
    Same(Step("wf_max"), "min_max", plainly("wf_max")),
    Same(Step("wf_max"), "min_max", in_ns("tp_max"), output=1, in_time=True),
    Same(Step("wf_min"), "min_max", plainly("wf_min")),
    Same(Step("wf_min"), "min_max", in_ns("tp_min"), output=1, in_time=True),
    *(
        Same(
            Step("time_points"),
            "min_max + multi_time_point_thresh",
            time_point(number),
            output=number,
            in_time=True,
        )
        for number in range(5)
    ),
    # Their deviation is divided by the number of samples less 1.
    Same(
        Step("t0", {"n_sigma": 5 * (N_FIT / (N_FIT - 1)) ** 0.5}),
        "linear_slope_fit + min_max + interpolated_time_point_thresh",
        in_ns("t0"),
        in_time=True,
    ),
    Same(Step("fixed_time_pickoff"), "fixed_time_pickoff", plainly("height")),
    Same(Step("saturation"), "saturation", plainly("low")),
    # Their upper end is 2^16 - 16; of the real pulses none goes beyond it.
    Same(Step("saturation", {"high": 65520}), "saturation", plainly("high"), output=1),
    Same(Step("psd", inputs={"waveform": "wf_blsub"}), "psd", one_sided, roundings=64),
)

FLOAT64_AGREEMENT = 1e-9
"""Of the waveform's largest sample."""
SAME_SAMPLE_NS = 1e-6
TIMES_THAT_MAY_DIFFER = 0.02
"""Part of the rows where a time may be another crossing of the threshold in float32: noise of the last digit
decides which sample is above it."""


@pytest.fixture(scope="session")
def real_waves(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    from pygama.processing.tier0 import ProcessTier0

    path = HERE.parents[2] / "shared" / "data" / "2018-9-25-Th228Run9001"
    if not path.exists():
        pytest.skip(f"the real run {path.name} is not beside this checkout")
    folder = tmp_path_factory.mktemp("real")
    ProcessTier0(path, output_dir=folder)
    with TierFile(folder / "t1_run9001.h5") as file:
        samples = file.table(DECODER).read().waveforms
    assert samples is not None
    return samples


def result_of(same: Same, block: Block) -> np.ndarray:
    """Run the step of a comparison and give the output that is compared."""
    step = Step(
        same.step.name,
        same.step.settings,
        inputs=same.step.inputs,
        outputs={output: f"made_{output}" for output, _ in REGISTRY[same.step.name].writes},
    )
    made = bind([step], block, period_ns=PERIOD_NS, outputs=step.writes).run(block)
    return made[step.writes[same.output]]


def test_values_beside_the_peer_s(
    real_waves: np.ndarray, peer_python: Path, tmp_path_factory: pytest.TempPathFactory, report
):
    block = prepared(real_waves)
    folder = tmp_path_factory.mktemp("real-arrays")
    hand_over(block, folder)
    peer = Peer(peer_python, folder)
    wrong = []
    asked: dict[tuple[str, str], dict[str, np.ndarray]] = {}
    for same in SAMES:
        told = []
        ours = same.from_ours(result_of(same, block))
        for sample_type in ("float64", "float32"):
            key = same.peer, sample_type
            if key not in asked:
                asked = {other: given for other, given in asked.items() if other[0] == same.peer}
                asked[key] = dict(np.load(peer.ask(values=same.peer, type=sample_type)))
            given = {name: array.astype(np.float64) for name, array in asked[key].items()}
            differences = compared(same, ours, same.from_peer(given, block), block, sample_type)
            told.append(differences.told)
            if not differences.are_fine:
                wrong.append(f"{same.step.name}, {same.peer}, {sample_type}: {differences.told}")
        name = f"{same.step.name} {same.output or ''}"
        report.notes.append(f"differs from dspeed: {name:<22} float64 {told[0]:>10}, float32 {told[1]}")
    peer.close()
    assert wrong == []


@dataclass(frozen=True)
class Differences:
    """The largest difference in words, and whether it may be so large."""

    told: str
    are_fine: bool


def compared(same: Same, ours: np.ndarray, theirs: np.ndarray, block: Block, sample_type: str) -> Differences:
    assert block.waveforms is not None
    unlike = int((np.isnan(ours) != np.isnan(theirs)).sum())
    difference = np.nan_to_num(np.abs(ours - theirs))
    if same.in_time:
        return _in_time(difference, unlike, sample_type)
    size = block.waveforms.max(axis=1).astype(float)
    if same.step.name == "psd":
        size = np.maximum(size, theirs.max(axis=1))
    part = (difference / (size if difference.ndim == 1 else size[:, None])).max()
    allowed = FLOAT64_AGREEMENT if sample_type == "float64" else same.roundings * 2.0**-24
    told = f"{part:.1e}" if sample_type == "float64" else f"{part:.1e} (allowed {allowed:.0e})"
    return Differences(f"{told}, {unlike} NaN" if unlike else told, part <= allowed and unlike == 0)


def _in_time(difference: np.ndarray, unlike: int, sample_type: str) -> Differences:
    if sample_type == "float64":
        return Differences(f"{difference.max():.1e} ns", difference.max() <= SAME_SAMPLE_NS and unlike == 0)
    near = difference < PERIOD_NS / 10
    n_far = int((~near).sum()) + unlike
    told = f"{difference[near].max():.1e} ns, {n_far} of {len(near)} not"
    return Differences(told, n_far <= TIMES_THAT_MAY_DIFFER * len(near))


def test_values_beside_scipy_s(
    real_waves: np.ndarray, peer_python: Path, tmp_path_factory: pytest.TempPathFactory, report
):
    folder = tmp_path_factory.mktemp("direct")
    waves = real_waves[::2]
    np.save(folder / "waves.npy", waves)
    command = [str(peer_python), str(HERE / "peer_direct.py"), "arrays"]
    _run([*command, str(folder / "waves.npy"), str(folder / "direct.npz")])
    parts = independent().differences(waves, np.load(folder / "direct.npz"))
    worst = ", ".join(f"{name} {parts[name]:.1g}" for name in sorted(parts, key=lambda n: -parts[n])[:8])
    report.notes.append(f"largest differences from SciPy, in parts of the waveform: {worst}")
    assert {name: part for name, part in parts.items() if part > FLOAT64_AGREEMENT} == {}


def independent() -> ModuleType:
    """Load the tests that compare with the same program's values of some of these pulses."""
    path = HERE.parent / "processing" / "test_independent_values.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# the default chain


@pytest.fixture(scope="session")
def many(waves: np.ndarray) -> Block:
    samples = waves[:N_MANY]
    rows = np.zeros(len(samples), [("period_ns", "f8")])
    rows["period_ns"] = PERIOD_NS
    return Block(DECODER, rows, samples)


def steps_apart(block: Block) -> Callable[[], object]:
    """Give a function that runs the default chain in the program's own parts, no two steps in one kernel."""
    operations = []
    sample = block[:16]
    given = Block("", sample.rows, sample.waveforms)
    for name in DEFAULT_CHAIN:
        step = Step(name)
        plan = bind([step], given, period_ns=PERIOD_NS, outputs=step.writes)
        made = plan.run(given)
        values = {key: array for key, array in made.items() if array.ndim == 1}
        table = np.empty(
            len(given), [*given.rows.dtype.descr, *((key, array.dtype) for key, array in values.items())]
        )
        for key in given.rows.dtype.names or ():
            table[key] = given.rows[key]
        for key, array in values.items():
            table[key] = array
        waves = {key: array for key, array in made.items() if array.ndim == 2}
        given = Block("", table, given.waveforms, {**given.traces, **waves})
        operations.extend(plan.operations)
    values = [key for operation in operations if not operation.writes_waves for key in operation.writes]
    whole = replace(plan, operations=tuple(operations), outputs=tuple(values))
    expected = Chain([Step(name) for name in DEFAULT_CHAIN]).run(block)
    for key, array in whole.run(block).items():
        np.testing.assert_allclose(array, expected[key], rtol=1e-9, atol=1e-6)
    return lambda: whole.run(block)


def test_the_default_chain(many: Block, peer: Peer, report):
    steps = [Step(name) for name in DEFAULT_CHAIN]
    fused, plain = Chain(steps), Chain(steps, fused=False)
    works = {
        "fused": lambda: fused.run(many),
        "each step alone": steps_apart(many),
        "plain NumPy": lambda: plain.run(many),
    }
    for work in works.values():
        work()
    peer.ask(chain=None)
    ours: dict[str, list[float]] = {name: [] for name in works}
    theirs, two_threads = [], []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(N_ROUNDS):
            for name, work in works.items():
                ours[name].append(thread_s(work))
            began = time.perf_counter()
            fused.run(many, pool=pool)
            two_threads.append(time.perf_counter() - began)
            theirs.append(peer.ask(chain=None))
    for name, seconds in {**ours, "fused, 2 threads, by the clock": two_threads}.items():
        ratio = f"{min(seconds) / min(theirs):.3f}"
        report.pair(f"default chain, {name}", us(seconds, N_MANY), us(theirs, N_MANY), ratio)


# from file to file


@pytest.fixture(scope="session")
def raw_files(
    peer_python: Path, waves: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Give the peer's raw files of the run, by their compression, and of its first ten waveforms."""
    folder = tmp_path_factory.mktemp("raw")
    np.save(folder / "all.npy", waves)
    np.save(folder / "ten.npy", waves[:10])
    files = {}
    for name, source, compression in (
        ("none", "all", "none"),
        ("gzip", "all", "gzip"),
        ("ten", "ten", "none"),
    ):
        files[name] = folder / f"{name}.lh5"
        command = [str(peer_python), str(HERE / "peer_dspeed.py"), "raw"]
        _run([*command, str(folder / f"{source}.npy"), str(files[name]), compression])
    (folder / "all.npy").unlink()
    return files


def by_turns(commands: Mapping[str, list[str]], measure_once: Callable) -> dict[str, list[Any]]:
    measured: dict[str, list[Any]] = {name: [] for name in commands}
    for _ in range(N_PAIRS):
        for name, command in commands.items():
            measured[name].append(measure_once(command))
    return measured


def report_pair(report, figure: str, ours: Sequence[float], theirs: Sequence[float], unit: str) -> None:
    """Add medians and ranges, and the median of the ratios of neighbours."""
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    digits = 0 if unit == "MiB" else 2
    report.pair(figure, spread(ours, unit, digits), spread(theirs, unit, digits), f"{ratio:.3f}")


FIGURES = (("wall", "wall_s", "s"), ("cpu", "cpu_s", "s"), ("peak memory", "peak_mib", "MiB"))


def test_from_file_to_file(
    t1_file: Path,
    raw_files,
    peer_python: Path,
    peer: Peer,
    pygama_command_line,
    measure_once,
    report,
    tmp_path,
):
    dsp = [str(peer_python), str(HERE / "peer_dspeed.py"), "dsp"]
    out = str(tmp_path / "dsp.lh5")
    commands = {
        "ours": pygama_command_line("tier1", str(t1_file), "-o", str(tmp_path)),
        "gzip": [*dsp, str(raw_files["gzip"]), out],
        "none": [*dsp, str(raw_files["none"]), out],
    }
    measured = by_turns(commands, measure_once)
    for compression in ("gzip", "none"):
        for figure, field_name, unit in FIGURES:
            ours, theirs = (
                [getattr(one, field_name) for one in measured[name]] for name in ("ours", compression)
            )
            report_pair(report, f"file to file, peer's {compression}, {figure}", ours, theirs, unit)
    processor = Tier1Processor(default_list=True)
    calls: list[tuple[float, float, float, float]] = []
    for _ in range(N_PAIRS):
        clock, busy = time.perf_counter(), time.process_time()
        ProcessTier1(t1_file, processor, out_dir=tmp_path)
        ours = time.perf_counter() - clock, time.process_time() - busy
        calls.append((*ours, *peer.ask(dsp=str(raw_files["none"]), out=out)))
    wall, cpu, their_wall, their_cpu = (
        [1e6 * seconds / N_EVENTS for seconds in column] for column in zip(*calls, strict=True)
    )
    report_pair(report, "file to file, within the process, wall", wall, their_wall, "us/wf")
    report_pair(report, "file to file, within the process, cpu", cpu, their_cpu, "us/wf")


def test_start_up(
    waves: np.ndarray, raw_files, peer_python: Path, pygama_command_line, measure_once, report, tmp_path
):
    from pygama.processing.tier0 import ProcessTier0

    raw = write_run(tmp_path / "2018-9-30-BackgroundRun72", benchmark_shape(10, 2000))
    ProcessTier0(raw, output_dir=tmp_path)
    dsp = [str(peer_python), str(HERE / "peer_dspeed.py"), "dsp", str(raw_files["ten"])]
    commands = {
        "import": [sys.executable, "-c", "import pygama.processing.tier1"],
        "their import": [str(peer_python), "-c", "import dspeed, lgdo"],
        "about": pygama_command_line("about"),
        "ten": pygama_command_line("tier1", str(tmp_path / "t1_run72.h5"), "-o", str(tmp_path)),
        "their ten": [*dsp, str(tmp_path / "dsp.lh5")],
    }
    wall = {name: [one.wall_s for one in times] for name, times in by_turns(commands, measure_once).items()}
    report_pair(report, "start: import of the chain", wall["import"], wall["their import"], "s")
    report.pair("start: pygama about", spread(wall["about"], "s"))
    report_pair(report, "start: file of ten waveforms, whole process", wall["ten"], wall["their ten"], "s")


# plug-ins

PLUGIN = '''
import numpy as np

from pygama.processing.declare import Span, Values, Waves, calculator, transform


@transform(wf_square="adc^2")
def benchmark_square(wf_blsub: Waves) -> Waves:
    """Square each sample."""
    return np.square(wf_blsub)


@calculator(end_mean="adc")
def benchmark_end_mean(wf_blsub: Waves, *, length: Span = 200) -> Values:
    """Average the last samples."""
    return wf_blsub[:, -length:].mean(axis=1)
'''


def test_a_plug_in_of_plain_numpy(few: Block, many: Block, report, tmp_path):
    path = tmp_path / "benchmark_plugin.py"
    path.write_text(PLUGIN, encoding="utf-8")
    plugin = load_plugins([path])[0]
    try:
        steps = [Step(name) for name in DEFAULT_CHAIN]
        chains = {"without": Chain(steps), "with": Chain([*steps, Step("benchmark_end_mean")])}
        times: dict[str, list[float]] = {name: [] for name in chains}
        for _ in range(N_ROUNDS):
            for name, chain in chains.items():
                times[name].append(thread_s(lambda chain=chain: chain.run(many)))
        report.pair("plug-in: the default chain without one", us(times["without"], N_MANY))
        report.pair("plug-in: with one that reads wf_blsub", us(times["with"], N_MANY))
        for name in plugin.processors:
            seconds = timer(bound(Pair((name,)), few), few)
            report.pair(f"plug-in: {name} alone", us([seconds() for _ in range(N_ROUNDS)], N_FEW))
    finally:
        for name in plugin.processors:
            REGISTRY.pop(name, None)
