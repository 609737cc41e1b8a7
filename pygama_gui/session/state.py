"""Holds everything that a person can change, and nothing that the machine can.

A session is data only: no array, no Qt object, no open file. Changes are pure functions in `changes`;
undo is the previous session. Views compare by identity and redraw their own slice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pygama.analysis.calibration import Calibration
from pygama.analysis.cuts import Cut
from pygama.analysis.fit_request import FitRequest
from pygama.analysis.tagging import Tagging
from pygama.channel_map import Channel
from pygama.quick_dataclass import dataclass

Values = Mapping[str, Any]
NOTHING: Values = MappingProxyType({})


@dataclass(frozen=True)
class Run:
    """One raw file in the list, with what its header says; or a Tier file that was given in its place."""

    run_id: str
    path: Path
    run_number: int
    sub_run: int = 0
    start_time: int = 0
    """Unix seconds; 0 where the header does not say."""
    size_bytes: int = 0
    decoders: tuple[str, ...] = ()
    suffix: str = ""
    """What goes behind the run number in the names of its files, where another run has the plain name."""
    header_sha256: str = ""
    """Tells the run apart from all others, whatever the file is called."""
    skip: tuple[int, ...] = ()
    """Byte offsets of records that are left out, because they ended their worker."""
    tier1: Path | None = None
    tier2: Path | None = None
    """Tier files that were given, which its waveforms and its rows are read from."""
    raw_name: str = ""
    """Name of the raw file that a Tier file was made of, where it says so."""
    tier_sha256: str = ""
    """Of a Tier file that stands in the place of a raw one: what it says of itself, wherever it lies."""
    is_redone: bool = False
    """Whether it was processed here though a Tier 2 file was given: what that made goes first."""

    @property
    def is_raw(self) -> bool:
        """Whether its file holds raw data, not those of a Tier."""
        return self.path not in (self.tier1, self.tier2)

    @property
    def is_given(self) -> bool:
        """Whether its rows are those of a Tier 2 file that was given, not of one that was made here."""
        return self.tier2 is not None and not self.is_redone

    @property
    def can_be_processed(self) -> bool:
        """Whether there is anything that Tier 2 can be made of."""
        return self.is_raw or self.tier1 is not None

    @property
    def title(self) -> str:
        """Name it by its number."""
        return f"Run {self.run_number}"

    @property
    def stem(self) -> str:
        """How the names of files begin that are made of it."""
        return f"run{self.run_number}"

    @property
    def raw_names(self) -> tuple[str, ...]:
        """Names of the raw files: what calibrations say that they were made from."""
        return (self.raw_name or self.path.name,)

    @property
    def about(self) -> dict[str, str]:
        """Say in words what it is, for pictures of it."""
        return {"run": str(self.run_number), "file": self.path.name}


@dataclass(frozen=True)
class Member:
    """One run of a data set, and the files that its rows and its waveforms are read from."""

    run: Run
    tier2: Path
    tier1: Path | None = None


@dataclass(frozen=True)
class DataSet(Run):
    """Many finished runs as one. path: of the first file. It keeps its files, whatever the list has."""

    name: str = ""
    members: tuple[Member, ...] = ()

    @property
    def can_be_processed(self) -> bool:
        """Its runs can be, each by itself."""
        return False

    @property
    def title(self) -> str:
        """Name it as a person did."""
        return self.name

    @property
    def numbers(self) -> str:
        """List its runs, as '72-75, 80'."""
        return ranges_of(one.run.run_number for one in self.members)

    @property
    def stem(self) -> str:
        """How the names of files begin that are made of it."""
        return "runs" + self.numbers.replace(", ", "_")

    @property
    def raw_names(self) -> tuple[str, ...]:
        """Names of the raw files of all its runs."""
        return tuple(name for one in self.members for name in one.run.raw_names)

    @property
    def about(self) -> dict[str, str]:
        """Say in words what it is, for pictures of it."""
        files = ", ".join(one.tier2.name for one in self.members)
        return {"data set": self.name, "runs": self.numbers, "files": files}


def ranges_of(numbers: Iterable[int]) -> str:
    """Write numbers as '72-75, 80'."""
    parts: list[list[int]] = []
    for number in sorted(set(numbers)):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in parts)


@dataclass(frozen=True)
class Step:
    """One step of the chain. settings holds only what differs from the declared defaults."""

    step: str
    settings: Values = field(default_factory=lambda: NOTHING)
    enabled: bool = True
    inputs: Values = field(default_factory=lambda: NOTHING)
    """Name that the processor reads -> name of the array to read in its place."""
    outputs: Values = field(default_factory=lambda: NOTHING)
    """Name that the processor writes -> name to give it."""
    rest: Values = field(default_factory=lambda: NOTHING)
    """Further entries of the step in its settings file, kept as they are."""
    channels: Mapping[str, Values] = field(default_factory=lambda: NOTHING)
    """Place of a channel, as '0/5/2' or '2' -> settings that beat the others there."""

    def to_chain(self) -> dict[str, Any]:
        """Give the step as settings files hold it: only what is not the default."""
        entry: dict[str, Any] = {"step": self.step}
        for name, values in (("settings", self.settings), ("inputs", self.inputs), ("outputs", self.outputs)):
            if values:
                entry[name] = dict(values)
        entry |= self.rest
        if self.channels:
            entry["channels"] = {place: dict(own) for place, own in self.channels.items()}
        return entry if self.enabled else entry | {"enabled": False}


STRIPS = ("automatic", "nothing", "residuals", "difference", "ratio")
"""Automatic: the residuals of the chosen fit where it is in view."""


@dataclass(frozen=True)
class SpectrumChoice:
    """What the spectrum shows. width is the bin width; None lets the program choose."""

    column: str = "trap_max"
    channel: int | None = None
    is_log: bool = False
    width: float | None = None
    roi: tuple[float, float] | None = None
    is_apart: bool = False
    """Whether each channel is drawn for itself."""
    others: tuple[str, ...] = ()
    """Ids of other runs to compare with; the first one is what the strip below compares with."""
    is_only_passing: bool = False
    """Whether what the cuts take away is left out, rather than drawn behind."""
    is_rate: bool = False
    """Whether heights are the rate density, not counts per bin."""
    strip: str = STRIPS[0]
    """What is drawn below the spectrum, one of `STRIPS`."""
    markers: tuple[float, ...] = ()
    """Places that a person marked, in order."""
    has_lines: bool = False
    """Whether the gamma lines of a calibrated spectrum are marked."""


PICTURES = ("traces", "density", "noise", "inside", "outside", "difference")


@dataclass(frozen=True)
class WaveformChoice:
    """What the waveform view shows."""

    channel: int | None = None
    overlay: int = 1
    is_above_baseline: bool = True
    hidden: frozenset[str] = frozenset()
    """Names of waves and values that the chain makes and that are not drawn."""
    picture: str = "traces"
    """One of `PICTURES`."""
    n_many: int = 1000
    """Waveforms in a density, on each side of a cut and in the mean noise spectrum, at most."""
    aligned_by: str = ""
    """Name of the time that stands at 0; empty: the first sample does."""
    has_extremes: bool = True
    """Whether the most typical and the most extreme waveforms are drawn over a density."""
    is_normalised: bool = False
    is_calibrated: bool = False
    is_only_roi: bool = False
    """Whether only events in the region of the spectrum are shown."""
    is_only_passing: bool = True
    """Whether only events that pass the cuts are shown."""
    is_whole_record: bool = False
    """Whether the noise spectrum is that of the whole record, not of the baseline."""
    is_amplitude: bool = False
    """Whether the noise spectrum is the root of the power."""
    is_log: bool = True
    """Whether the heights of the noise spectrum are logarithms."""
    cursors: tuple[int, int] | None = None
    """Samples, from the sample at time 0, that the two cursors stand at."""
    pace: float = 5.0
    """Waveforms a second when they are played."""


PROFILES = ("", "mean", "median")
PLANE_STYLES = ("auto", "counts", "points")


@dataclass(frozen=True)
class PlaneChoice:
    """What the plane shows: column y against column x; an empty name leaves the choice to the program."""

    x: str = ""
    y: str = ""
    channel: int | None = None
    x_width: float | None = None
    """Width of the bins; None lets the program choose."""
    y_width: float | None = None
    is_log: bool = True
    """Whether the colours are those of logarithms."""
    is_normalised: bool = False
    """Whether each slice of x is divided by its sum."""
    profile: str = ""
    """One of `PROFILES`: what is drawn of y in slices of x."""
    has_edges: bool = True
    """Whether the projections on x and y are drawn."""
    has_all: bool = True
    """Whether the events that the cuts take away are seen behind, in grey."""
    style: str = "auto"
    """One of `PLANE_STYLES`; 'auto': points where few events are in view."""


@dataclass(frozen=True)
class TrendsChoice:
    """What the trends show."""

    channel: int | None = None
    is_apart: bool = False
    """Whether each channel is drawn for itself."""
    column: str = ""
    """A further column to follow; empty: none."""
    width: float | None = None
    """Width of the slices, s; None lets the program choose."""
    k: float = 4.0
    """Half width of the reference band, in standard deviations of what it is made of."""
    n_reference: int = 0
    """Earlier runs in the list that the band is made of; 0: the run itself."""
    has_band: bool = True
    window: tuple[float, float] | None = None
    """A stretch of time that was marked, in s of the run's clock."""


SORTS = ("place", "name", "rate", "noise", "state")
"""What channels are sorted by."""


@dataclass(frozen=True)
class ChannelsChoice:
    """What the grid of channels shows."""

    column: str = "trap_max"
    sort: str = SORTS[0]
    """One of `SORTS`."""
    is_table: bool = False
    """Whether the channels are a table of figures, not a grid of spectra."""
    is_log: bool = True
    chosen: int | None = None
    """Code of the channel that was chosen."""


@dataclass(frozen=True)
class Fit:
    """A region that is fitted, on whatever run is looked at. channel: code of one; None: of all together."""

    name: str
    column: str
    request: FitRequest
    channel: int | None = None


@dataclass(frozen=True)
class NamedRegion:
    """A region that is measured, on whatever run is looked at. channel: code of one; None: all together."""

    name: str
    column: str
    low: float
    high: float
    channel: int | None = None


@dataclass(frozen=True)
class Arrangement:
    """Where the panels of one layout stand, as Qt writes it, in base64."""

    docks: str = ""
    split: str = ""


DEFAULT_LAYOUT, SHIFT_LAYOUT = "Process", "On shift"
SIZES = (80, 100, 115, 130, 150, 200)
"""Percent that may be chosen for text and buttons."""
MOST_JOBS = 4
"""Runs that can be processed at once."""
DEFAULT_CHAIN = (
    Step("fit_baseline"),
    Step("bl_subtract"),
    Step("trap_filter"),
    Step("trap_max"),
)


@dataclass(frozen=True)
class ChannelMap:
    """The detectors on the channels, as a file told them when it was read."""

    path: Path | None = None
    channels: tuple[Channel, ...] = ()


@dataclass(frozen=True)
class ShiftNotes:
    """What a shifter says of a run: of single checks, by their names, and of the whole."""

    run_id: str
    remarks: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    note: str = ""


@dataclass(frozen=True)
class Session:
    """All that a person set. tier0 holds only what differs from the declared defaults."""

    runs: tuple[Run, ...] = ()
    data_sets: tuple[DataSet, ...] = ()
    selected: str = ""
    tier0: Values = field(default_factory=lambda: NOTHING)
    chain: tuple[Step, ...] = DEFAULT_CHAIN
    step: int | None = 2
    outputs: tuple[str, ...] = ()
    """Columns of the chain that are kept; all where none is named."""
    compact: bool = False
    """Whether the columns are rounded far below what noise moves them by."""
    save_waves: tuple[str, ...] = ()
    """Waveforms that are kept beside the Tier 2 table."""
    output_dir: Path | None = None
    theme: str = "light"
    size_percent: int = 100
    """Of text and all that is drawn with it; taken when the window is opened."""
    tab: int = 0
    spectrum: SpectrumChoice = field(default_factory=SpectrumChoice)
    waveforms: WaveformChoice = field(default_factory=WaveformChoice)
    plane: PlaneChoice = field(default_factory=PlaneChoice)
    trends: TrendsChoice = field(default_factory=TrendsChoice)
    channel_grid: ChannelsChoice = field(default_factory=ChannelsChoice)
    cuts: tuple[Cut, ...] = ()
    """In the order in which they are applied; each has a name of its own."""
    cut: str = ""
    """Name of the chosen cut."""
    tagging: Tagging = Tagging()
    """What is told of hits by all of their run together; the pulser also where a cut names it."""
    fits: tuple[Fit, ...] = ()
    """In the order in which they were made; each has a name of its own."""
    fit: str = ""
    """Name of the chosen fit."""
    regions: tuple[NamedRegion, ...] = ()
    """Regions that were kept; each has a name of its own."""
    calibrations: tuple[Calibration, ...] = ()
    """The newest first; one of each column and its runs."""
    recent: tuple[Path, ...] = ()
    line: tuple[float, float] | None = None
    """The peak that settings are judged by: where the window around it begins and ends, in its column."""
    process_on_add: bool = True
    """Whether runs are processed as soon as they are added."""
    layout: str = DEFAULT_LAYOUT
    geometry: str = ""
    """Place and size of the window, as Qt writes it, in base64."""
    arrangements: Mapping[str, Arrangement] = field(default_factory=lambda: MappingProxyType({}))
    """How a person arranged the panels: name of the layout -> places."""
    channel_map: ChannelMap = field(default_factory=ChannelMap)
    watched: Path | None = None
    """Folder whose new runs are added."""
    n_jobs: int = 1
    """Runs that are processed at once, at most."""
    shifter: str = ""
    """Who signs the pages of a shift."""
    shift_notes: tuple[ShiftNotes, ...] = ()
    """One of each run that anything was said of."""

    def notes_on(self, run_id: str) -> ShiftNotes:
        """Give what a shifter said of a run."""
        return next((one for one in self.shift_notes if one.run_id == run_id), ShiftNotes(run_id))

    def run(self, run_id: str) -> Run | None:
        """Find a run or a data set by its id."""
        return self._by_id.get(run_id)

    @cached_property
    def _by_id(self) -> dict[str, Run]:
        return {run.run_id: run for run in reversed((*self.data_sets, *self.runs))}

    @property
    def chosen_fit(self) -> Fit | None:
        """The fit whose numbers and residuals are shown."""
        return next((fit for fit in self.fits if fit.name == self.fit), None)

    @property
    def selected_run(self) -> Run | None:
        """The run or data set that the views show."""
        return self.run(self.selected)

    def keeps(self) -> dict[str, list[str] | bool]:
        """Give what is kept of what the chain makes, as settings files hold it."""
        named = {"outputs": self.outputs, "save_waves": self.save_waves}
        kept: dict[str, list[str] | bool] = {entry: list(names) for entry, names in named.items() if names}
        return {**kept, "compact": True} if self.compact else kept

    def to_chain(self) -> list[dict[str, Any]]:
        """Give the chain as settings files hold it."""
        return [step.to_chain() for step in self.chain]


def consistent(session: Session) -> Session:
    """Select a run and a step that are there, where the selected ones are not."""
    selected, step = session.selected, session.step
    if session.run(selected) is None:
        selected = session.runs[0].run_id if session.runs else ""
    if step is not None and step not in range(len(session.chain)):
        step = None
    if (selected, step) == (session.selected, session.step):
        return session
    return replace(session, selected=selected, step=step)


def with_runs(session: Session, runs: Iterable[Run]) -> Session:
    """Put runs that are not there yet among the others, in the order of their numbers."""
    by_path = {run.path: run for run in (*runs, *session.runs)}
    if len(by_path) == len(session.runs):
        return session
    everything = sorted(by_path.values(), key=lambda run: (run.run_number, run.sub_run, str(run.path)))
    return replace(session, runs=tuple(everything))
