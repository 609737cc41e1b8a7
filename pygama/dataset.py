"""Makes many runs one: columns, cuts, histograms and waveforms over all of their Tier 1 and Tier 2 files.

A data set reads what files say of themselves when it is made, and their rows only when they are asked for,
block for block: whatever is asked, memory holds a few blocks and the answer. What is counted or picked is
computed beside the decompression, in threads.

Rows are numbered through, run after run. A run with a Tier 2 file gives its rows in the order of that file;
one with a Tier 1 file alone gives the numbers that the cards gave, table after table. 'run' and 'sub_run'
say which file a row is of: two files of one run and sub-run are refused. A run that recorded no event is a
run without rows, and lacks nothing.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cached_property, partial
from operator import attrgetter
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from pygama.analysis.counting import MOST_BINS
from pygama.analysis.cutting import Cut, Selection, selection_of
from pygama.analysis.tagging import NAMES as TAGS
from pygama.analysis.tagging import OF_EVENTS, Tagging, tags_of, wanted_by
from pygama.block import Block
from pygama.boxes import boxes_among, rows_through
from pygama.errors import SettingsError, TierFileError
from pygama.processing.digest import differing, file_digests, other_chain_words
from pygama.processing.outputs import run_number_in
from pygama.processing.tier1 import digitizer_tables, holds_waveforms
from pygama.processing.tier2_sink import KEY
from pygama.progress import Progress, Tell, tell_nobody
from pygama.quick_dataclass import dataclass
from pygama.storage import Table, TierFile
from pygama.storage.reader import Columns, joined_blocks
from pygama.utils import threads_of, whole_number

if TYPE_CHECKING:
    import pandas as pd

_T = TypeVar("_T")
_STEP = 32_768
"""Rows that are decompressed and counted at once; more do not fit into a processor's cache."""
_PLACE = ("crate", "card", "channel")
_OWN = ("run", "sub_run", "row")
_KEV = "_kev"
_RAW_HEADER = "header"
"""Text that Tier 1 files of ours hold, and Tier 2 files do not."""
_MOST_RUNS = 1_000_000

Calibrate = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]
"""A calibration as a function: columns -> {'<column>_kev': values}."""


@dataclass(frozen=True)
class RunFiles:
    """The files of one run, or of one sub-run of it; what their headers say.

    kinds: column -> type, of the file that rows are read from, Tier 2 if there is one. first_row: number in
    the data set of the first row. start_time: Unix time, None where the files do not say it.
    """

    run: int
    sub_run: int
    tier1: Path | None
    tier2: Path | None
    first_row: int
    n_rows: int
    row_bytes: int
    kinds: Mapping[str, np.dtype]
    start_time: int | None

    @property
    def name(self) -> str:
        """Name it, as 'run 72' or 'run 72.1'."""
        return f"run {self.run}" + (f".{self.sub_run}" if self.sub_run else "")

    @property
    def path(self) -> Path:
        """The file that rows are read from."""
        path = self.tier2 or self.tier1
        assert path is not None
        return path


def read_runs(runs: str | int | Iterable[int]) -> tuple[int, ...]:
    """Read a list of runs: '72-75, 80' or numbers; rising, each once. Raises SettingsError."""
    if not isinstance(runs, str):
        given = [runs] if isinstance(runs, int) else list(runs)
        return _some({whole_number(run, "the number of a run") for run in given})
    numbers: set[int] = set()
    for part in filter(None, re.split(r"[,;\s]+", re.sub(r"\s*(-|\.\.|:)\s*", "-", runs.strip()))):
        found = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if last < first or last - first > _MOST_RUNS:
            raise SettingsError(f"runs are given as '72-75, 80', not {part!r}")
        numbers.update(range(first, last + 1))
    return _some(numbers)


def _some(runs: set[int]) -> tuple[int, ...]:
    if not runs:
        raise SettingsError("the list of runs is empty; give it as '72-75, 80'")
    return tuple(sorted(runs))


class DataSet:
    """Many runs as one table.

    files: a folder, a file, a pattern as 'data/t2_run*.h5', or several of these; Tier 1 and Tier 2 files of
    one run belong together. runs: take these alone, as '72-75, 80' or numbers; all must be there.
    calibrations: one for all runs, or run -> calibration, or (run, sub-run) -> calibration, which goes first:
    an object of `pygama.analysis.calibration`, or a function of the columns that gives
    {'<column>_kev': values}. A run that such a mapping lacks has no energies, and whoever asks for them is
    told so: that of another run is never taken for it. tagging: in which window hits belong together, for
    'event', 'multiplicity' and 'n_channels'; 'is_pulser' needs nothing. n_threads: all cores if None.

    Raises TierFileError for files that are not there or no Tier files, SettingsError for runs that are
    missing or there twice.
    """

    def __init__(
        self,
        files: Path | str | Sequence[Path | str],
        *,
        runs: str | int | Iterable[int] | None = None,
        calibrations: Any = None,
        tagging: Tagging | None = None,
        n_threads: int | None = None,
    ) -> None:
        wanted = None if runs is None else read_runs(runs)
        self.runs = _gather(_paths(files), wanted)
        self.n_rows = sum(part.n_rows for part in self.runs)
        self._calibrations = calibrations
        self._tagging = tagging or Tagging()
        self._n_threads = threads_of(n_threads)
        self._looked_through: tuple[RunFiles, dict[str, np.ndarray]] | None = None
        self._looking = Lock()
        self._notes: dict[str, None] = {}
        self._compared: set[tuple[Path, str]] = set()
        """Tier 2 files and columns whose chain was compared with that of their calibration."""

    def __len__(self) -> int:
        return self.n_rows

    def __repr__(self) -> str:
        return f"DataSet of {len(self.runs)} runs, {self.n_rows} rows"

    @property
    def notes(self) -> tuple[str, ...]:
        """What is amiss so far: a line a run.

        A pulser that a cut names and that is not there; energies by a calibration of rows of another chain.
        """
        return tuple(self._notes)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that all runs have, in the order of the first; then run, sub_run and row."""
        filled = [part.kinds for part in self.runs if part.n_rows]
        common = [name for name in filled[0] if all(name in kinds for kinds in filled)]
        return (*common, *(name for name in _OWN if name not in common))

    def blocks(
        self,
        columns: Sequence[str],
        *,
        rows: int = 262_144,
        cut: Cut | None = None,
        tell: Tell = tell_nobody,
    ) -> Iterator[dict[str, np.ndarray]]:
        """Give columns in blocks of about `rows` rows: name -> values, (n,).

        Beside the columns of the files there are 'run', 'sub_run', 'row' (number of the row in the data set),
        with calibrations '<column>_kev', and what `pygama.analysis.tagging` tells of hits. cut: rows that
        pass alone; it may be called from several threads. Raises SettingsError for columns that runs lack,
        naming these. `tell` may raise errors.Stopped.
        """
        selection = self._checked(columns, cut)

        def copy(part: RunFiles, first: int, stored: Columns) -> dict[str, np.ndarray]:
            read, mask = self._picked(part, first, stored, selection)
            return {name: np.array(read[name]) if mask is None else read[name][mask] for name in columns}

        yield from self._each(copy, rows, tell, _names(columns, selection))

    def column(self, name: str, *, cut: Cut | None = None, tell: Tell = tell_nobody) -> np.ndarray:
        """Read one column of all runs into memory."""
        return self._joined([name], cut, tell)[name]

    def to_frame(
        self, columns: Sequence[str] | None = None, *, cut: Cut | None = None, tell: Tell = tell_nobody
    ) -> pd.DataFrame:
        """Read columns, all that runs have in common if None, into a pandas frame with the row for index."""
        import pandas as pd

        names = list(self.columns if columns is None else columns)
        joined = self._joined(list(dict.fromkeys([*names, "row"])), cut, tell)
        return pd.DataFrame({name: joined[name] for name in names}, index=pd.Index(joined["row"], name="row"))

    def _joined(self, names: Sequence[str], cut: Cut | None, tell: Tell) -> dict[str, np.ndarray]:
        parts = list(self.blocks(names, cut=cut, tell=tell))
        return {name: np.concatenate([part[name] for part in parts]) for name in names}

    def count(self, cut: Cut, *, tell: Tell = tell_nobody) -> int:
        """Count the rows that pass a cut."""
        selection = self._checked((), cut)

        def count(part: RunFiles, first: int, stored: Columns) -> int:
            _, mask = self._picked(part, first, stored, selection)
            return stored.n_rows if mask is None else int(np.count_nonzero(mask))

        return sum(self._each(count, _STEP, tell, _names((), selection)))

    def hist(
        self,
        column: str,
        low: float,
        high: float,
        bins: int,
        cut: Cut | None = None,
        *,
        tell: Tell = tell_nobody,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Count a column in equal bins: counts, (bins,) int64, and edges, (bins + 1,).

        As numpy.histogram does it: the last bin has its upper edge too, NaN is nowhere.
        """
        edges = _edges(low, high, bins)
        bins = len(edges) - 1
        selection = self._checked([column], cut)

        def count(part: RunFiles, first: int, stored: Columns) -> np.ndarray:
            read, mask = self._picked(part, first, stored, selection)
            place, inside = _places(_taken(read[column], mask), edges)
            return np.bincount(place[inside], minlength=bins)

        names = _names([column], selection)
        return sum(self._each(count, _STEP, tell, names), np.zeros(bins, np.int64)), edges

    def hist2d(
        self,
        x: tuple[str, float, float, int],
        y: tuple[str, float, float, int],
        cut: Cut | None = None,
        *,
        tell: Tell = tell_nobody,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Count two columns, each given as (column, low, high, bins).

        Gives counts, (bins of x, bins of y) int64, and the edges of both.
        """
        x_edges, y_edges = _edges(*x[1:]), _edges(*y[1:])
        shape = len(x_edges) - 1, len(y_edges) - 1
        if shape[0] * shape[1] > MOST_BINS:
            raise SettingsError(f"a histogram of {shape} bins is too large; {MOST_BINS} are the most")
        selection = self._checked([x[0], y[0]], cut)

        def count(part: RunFiles, first: int, stored: Columns) -> np.ndarray:
            read, mask = self._picked(part, first, stored, selection)
            x_place, x_inside = _places(_taken(read[x[0]], mask), x_edges)
            y_place, y_inside = _places(_taken(read[y[0]], mask), y_edges)
            both = x_inside & y_inside
            return np.bincount(x_place[both] * shape[1] + y_place[both], minlength=shape[0] * shape[1])

        names = _names([x[0], y[0]], selection)
        counts = sum(self._each(count, _STEP, tell, names), np.zeros(shape[0] * shape[1], np.int64))
        return counts.reshape(shape), x_edges, y_edges

    def waveforms(self, rows: Any, *, tell: Tell = tell_nobody) -> Block:
        """Read the Tier 1 rows, with waveforms, of rows of the data set, in the order asked for.

        Raises TierFileError for runs without a Tier 1 file, and for waveforms of different lengths.
        """
        given = np.asarray(rows)
        if not given.size:
            raise SettingsError("no rows are asked for, so there are no waveforms to read")
        if given.dtype.kind not in "iu" or given.ndim != 1:
            raise SettingsError(f"rows are whole numbers, as [0, 5], not {rows!r}")
        wanted = given.astype(np.int64)
        if wanted.min() < 0 or wanted.max() >= self.n_rows:
            raise SettingsError(
                f"the data set has rows 0 to {self.n_rows - 1}, not {wanted.min()} to {wanted.max()}"
            )
        order = np.argsort(wanted, kind="stable")
        blocks, done = [], 0
        for part in self.runs:
            inside = wanted[order]
            inside = inside[(inside >= part.first_row) & (inside < part.first_row + part.n_rows)]
            if len(inside):
                blocks.append(_tier1_rows(part, inside - part.first_row))
                done += len(inside)
                tell(Progress(done, len(wanted), done, done))
        _check_alike(blocks)
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return joined_blocks(blocks)[back]

    def _each(
        self, then: Callable[[RunFiles, int, Columns], _T], n_rows: int, tell: Tell, names: Collection[str]
    ) -> Iterator[_T]:
        """Give what `then` makes of run, number of the first row and columns, block for block.

        names: what it reads. What only a whole run tells is made here, before threads use the file.
        """
        total = sum(part.n_rows * part.row_bytes for part in self.runs)
        done_rows = done_bytes = 0
        with ThreadPoolExecutor(self._n_threads) as pool:
            for part in filter(attrgetter("n_rows"), self.runs):
                self._prepare(part, names)
                with TierFile(part.path) as file:
                    first = part.first_row
                    for table in _tables(file, part.tier2 is not None):
                        for rows, made in table.map_columns(_counted(then, part, first), n_rows, pool=pool):
                            yield made
                            done_rows += rows
                            done_bytes += rows * part.row_bytes
                            tell(Progress(done_bytes, total, done_rows, done_rows))
                        first += table.n_rows
                _check_length(part, first)

    def _prepare(self, part: RunFiles, names: Collection[str]) -> None:
        if boxes := boxes_among(names):
            self._through(part, boxes)
        for name in TAGS:
            if name in names and name not in part.kinds:
                self._tag(part, name)

    def _picked(
        self, part: RunFiles, first: int, stored: Columns, selection: Selection | None
    ) -> tuple[_Read, np.ndarray | None]:
        boxes = () if selection is None else boxes_among(selection.columns)
        through = self._through(part, boxes) if boxes else {}
        tags = partial(self._tag, part)
        read = _Read(part, first, stored, self._calibration_of(part), through, tags)
        return read, None if selection is None else selection.mask(read, stored.n_rows)

    def _through(self, part: RunFiles, boxes: Iterable[str]) -> dict[str, np.ndarray]:
        """Give what passes boxes in a run, (n_rows,) bool each; that of the run looked at last is kept."""
        wanted = set(boxes)
        with self._looking:
            known = self._known_of(part)
            if wanted - known.keys():
                assert part.tier1 is not None and part.tier2 is not None
                known |= rows_through(part.tier1, part.tier2, wanted - known.keys())
        return known

    def _tag(self, part: RunFiles, name: str) -> np.ndarray:
        """Give what is told of the hits of a run, (n_rows,); that of the run looked at last is kept."""
        with self._looking:
            known = self._known_of(part)
            if name not in known:
                assert part.tier2 is not None
                tagged = tags_of(part.tier2, wanted_by([name], self._tagging))
                known |= tagged.columns
                self._notes |= {f"{part.name}: {line}": None for line in tagged.missing}
            return known[name]

    def _known_of(self, part: RunFiles) -> dict[str, np.ndarray]:
        """Give what was made of a whole run, name -> (n_rows,); what was made of another is let go."""
        if self._looked_through is None or self._looked_through[0] is not part:
            self._looked_through = (part, {})
        return self._looked_through[1]

    def _calibration_of(self, part: RunFiles) -> Any:
        if isinstance(self._calibrations, Mapping):
            own = self._calibrations.get((part.run, part.sub_run))
            return self._calibrations.get(part.run) if own is None else own
        return self._calibrations

    def _checked(self, columns: Sequence[str], cut: Cut | None) -> Selection | None:
        """Make a cut ready, and raise SettingsError for columns that are not there."""
        selection = None if cut is None else selection_of(cut)
        for name in dict.fromkeys([*columns, *(selection.columns if selection is not None else ())]):
            lacking = [part for part in self.runs if part.n_rows and not self._has(part, name)]
            if lacking:
                raise SettingsError(self._what_lacks(name, lacking))
            if name.endswith(_KEV):
                self._note_other_chains(name.removesuffix(_KEV))
        return selection

    def _note_other_chains(self, column: str) -> None:
        """Note the runs whose rows were made by another chain than those that their calibration is of."""
        for part in self.runs:
            known = getattr(self._calibration_of(part), "digests", {})
            if part.tier2 is None or not known or (part.tier2, column) in self._compared:
                continue
            self._compared.add((part.tier2, column))
            if others := differing(known, file_digests([part.tier2], column, known)):
                self._notes[f"{part.name}: {other_chain_words(column, others)}"] = None

    def _has(self, part: RunFiles, name: str) -> bool:
        if name in part.kinds or name in _OWN:
            return True
        if boxes_among([name]):
            return part.tier1 is not None and part.tier2 is not None
        if name in TAGS:
            return part.tier2 is not None and (name not in OF_EVENTS or self._tagging.window_s is not None)
        return (
            name.removesuffix(_KEV) in part.kinds
            and name.endswith(_KEV)
            and self._calibration_of(part) is not None
        )

    def _what_lacks(self, name: str, lacking: Sequence[RunFiles]) -> str:
        who = _listed([part.name for part in lacking])
        if boxes_among([name]):
            return f"{who} of the data set: {name!r} needs its Tier 1 and its Tier 2 file; add them"
        if name in OF_EVENTS and self._tagging.window_s is None:
            return (
                f"{name!r} needs the window in which hits belong together: tagging=Tagging(window_s=1e-6) "
                "(--window 1e-6)"
            )
        if name in TAGS:
            return f"{who} of the data set: {name!r} needs its Tier 2 file; add it"
        if len(lacking) < len(self.runs):
            why = "no calibration" if name.endswith(_KEV) and self._calibrations is not None else "no column"
            return f"{who} of the data set: {why} for {name!r}, which other runs have; leave it or them out"
        if name.endswith(_KEV) and name.removesuffix(_KEV) in self.columns:
            return f"the column {name!r} needs calibrations; give the data set some"
        return f"no run of the data set has a column {name!r}; there are {', '.join(self.columns)}"


class _Read(Mapping[str, np.ndarray]):
    """The columns of a block, with those that the data set adds; each is made when it is asked for."""

    def __init__(
        self,
        part: RunFiles,
        first: int,
        stored: Columns,
        calibration: Any,
        through: Mapping[str, np.ndarray],
        tag: Callable[[str], np.ndarray],
    ) -> None:
        self._part, self._first, self._stored = part, first, stored
        self._calibration, self._through, self._tag = calibration, through, tag
        self._made: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> np.ndarray:
        base = name.removesuffix(_KEV)
        if self._calibration is not None and base != name and base in self._stored:
            columns = {each: self._stored[each] for each in (base, *_PLACE) if each in self._stored}
            return np.asarray(_calibrated(self._calibration, columns)[name])
        if name in self._stored:
            return self._stored[name]
        if name in self._through or name in TAGS:
            at = self._first - self._part.first_row
            whole = self._through[name] if name in self._through else self._tag(name)
            return whole[at : at + self._stored.n_rows]
        if name == "run":
            return np.full(self._stored.n_rows, self._part.run)
        if name == "sub_run":
            return np.full(self._stored.n_rows, self._part.sub_run)
        if name == "row":
            return np.arange(self._first, self._first + self._stored.n_rows)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        yield from self._stored
        yield from (name for name in _OWN if name not in self._stored)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _calibrated(calibration: Any, columns: dict[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    if callable(calibration):
        return calibration(columns)
    if hasattr(calibration, "apply"):
        return calibration.apply(columns)
    from pygama.analysis.calibration import apply

    return apply(calibration, columns)


def _names(columns: Sequence[str], selection: Selection | None) -> frozenset[str]:
    return frozenset((*columns, *(() if selection is None else selection.columns)))


def _taken(values: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    return values if mask is None else values[mask]


def _edges(low: float, high: float, bins: int) -> np.ndarray:
    if whole_number(bins, "the number of bins") > MOST_BINS:
        raise SettingsError(f"a histogram has {MOST_BINS} bins at most, not {bins}")
    if not (bins >= 1 and np.isfinite([low, high]).all() and low < high):
        raise SettingsError(
            f"a histogram needs 1 bin or more between two rising ends, not {bins} from {low} to {high}"
        )
    return np.linspace(low, high, bins + 1)


def _places(values: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the bin of each value, as numpy.histogram finds it, and whether it is in one."""
    bins, low, high = len(edges) - 1, edges[0], edges[-1]
    inside = (values >= low) & (values <= high)
    with np.errstate(over="ignore"):
        place = np.where(inside, (values - low) * (bins / (high - low)), 0.0).astype(np.int64)
    np.minimum(place, bins - 1, out=place)
    # Rounding can put a value at an edge into the bin beside.
    place -= values < edges[place]
    place += (values >= edges[place + 1]) & (place < bins - 1)
    return place, inside


def _counted(
    then: Callable[[RunFiles, int, Columns], _T], part: RunFiles, first: int
) -> Callable[[int, Columns], tuple[int, _T]]:
    return lambda row, columns: (columns.n_rows, then(part, first + row, columns))


def _check_length(part: RunFiles, end: int) -> None:
    if end != part.first_row + part.n_rows:
        raise TierFileError(
            f"{part.path.name} has {end - part.first_row} rows, not {part.n_rows} as when the data set was "
            "made; make the data set again"
        )


def _paths(files: Path | str | Sequence[Path | str]) -> list[Path]:
    given = [files] if isinstance(files, Path | str) else list(files)
    paths: list[Path] = []
    for entry in map(Path, given):
        if entry.is_dir():
            found = sorted(entry.glob("*.h5"))
        elif glob.has_magic(str(entry)) and not entry.exists():
            found = [Path(name) for name in sorted(glob.glob(str(entry)))]  # noqa: PTH207  (any folder)
        else:
            found = [entry]
        if not found:
            what = "holds no .h5 files" if entry.is_dir() else "fits no file"
            raise TierFileError(f"'{entry}' {what}; give Tier 1 or Tier 2 files, their folder, or a pattern")
        paths += found
    if not paths:
        raise TierFileError("a data set needs files; give Tier 1 or Tier 2 files, their folder, or a pattern")
    return list(dict.fromkeys(paths))


@dataclass(frozen=True)
class _Found:
    """What one file says of itself."""

    path: Path
    run: int
    sub_run: int
    is_tier2: bool
    header: str
    start_time: int | None
    n_rows: int
    row_bytes: int
    kinds: Mapping[str, np.dtype]


def _look(path: Path) -> _Found:
    with TierFile(path) as file:
        texts = file.texts("/")
        number = int(texts["run_number"]) if "run_number" in texts else run_number_in(path.name)
        if number is None:
            raise TierFileError(f"{path.name} does not say its run number: name it like t2_run72.h5")
        is_tier1 = _RAW_HEADER in texts
        is_tier2 = not is_tier1 and _is_tier2(file)
        is_empty = is_tier1 and not holds_waveforms(file)
        tables = [] if is_empty else _tables(file, is_tier2)
        common = [name for table in tables[:1] for name in table.columns if _all_have(tables, name)]
        start = texts.get("start_time", "")
        return _Found(
            path,
            number,
            int(texts.get("sub_run", 0)),
            is_tier2,
            texts.get("header_sha256", ""),
            int(start) if start.isdigit() else None,
            sum(table.n_rows for table in tables),
            max((table.row_bytes for table in tables), default=0),
            {name: tables[0].kinds[name] for name in common},
        )


def _all_have(tables: Sequence[Table], name: str) -> bool:
    return all(name in table.columns for table in tables)


def _is_tier2(file: TierFile) -> bool:
    """Tell Tier 2, one table without waveforms, from Tier 1."""
    return KEY in file.keys or (len(file.keys) == 1 and not file.table(file.keys[0]).n_samples)


def _tables(file: TierFile, is_tier2: bool) -> list[Table]:
    if is_tier2:
        return [file.table(KEY if KEY in file.keys else file.keys[0])]
    return digitizer_tables(file, None)


def _gather(paths: Sequence[Path], wanted: tuple[int, ...] | None) -> tuple[RunFiles, ...]:
    """Put files of one run together, in order of run and sub-run."""
    files: dict[tuple[int, int], dict[bool, _Found]] = {}
    for path in paths:
        named = run_number_in(path.name)
        if wanted is not None and named is not None and named not in wanted:
            continue
        found = _look(path)
        if wanted is not None and found.run not in wanted:
            continue
        tiers = files.setdefault((found.run, found.sub_run), {})
        if found.is_tier2 in tiers:
            raise SettingsError(
                f"{path.name} and {tiers[found.is_tier2].path.name} both hold run {found.run}, sub-run "
                f"{found.sub_run}, Tier {2 if found.is_tier2 else 1}; give one of them"
            )
        tiers[found.is_tier2] = found
    missing = [] if wanted is None else sorted(set(wanted) - {run for run, _ in files})
    if missing:
        raise SettingsError(
            f"{_listed([f'run {run}' for run in missing])}: no file is there among those given"
        )
    if not any(found.n_rows for tiers in files.values() for found in tiers.values()):
        names = _listed([found.path.name for tiers in files.values() for found in tiers.values()])
        raise TierFileError(f"{names}: no run has an event; give a data set runs that have some")
    parts: list[RunFiles] = []
    first_row = 0
    for (run, sub_run), tiers in sorted(files.items()):
        parts.append(_together(run, sub_run, tiers, first_row))
        first_row += parts[-1].n_rows
    return tuple(parts)


def _together(run: int, sub_run: int, tiers: dict[bool, _Found], first_row: int) -> RunFiles:
    headers = {found.header for found in tiers.values() if found.header}
    if len(headers) > 1:
        names = " and ".join(found.path.name for found in tiers.values())
        raise SettingsError(f"{names} both say run {run}, but are of different ones: their headers differ")
    read = tiers.get(True) or tiers[False]
    tier1, tier2 = (tiers[tier].path if tier in tiers else None for tier in (False, True))
    return RunFiles(
        run, sub_run, tier1, tier2, first_row, read.n_rows, read.row_bytes, read.kinds, read.start_time
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"


def _tier1_rows(part: RunFiles, rows: np.ndarray) -> Block:
    """Read the Tier 1 rows of sorted rows of a run."""
    if part.tier1 is None:
        raise TierFileError(
            f"{part.name} has no Tier 1 file in the data set, so there are no waveforms; add it"
        )
    with ExitStack() as stack:
        tables = _tables(stack.enter_context(TierFile(part.tier1)), False)
        if part.tier2 is None:
            return _through(tables, rows)
        table = _tables(stack.enter_context(TierFile(part.tier2)), True)[0]
        numbers = _event_numbers(table, rows)
        if len(tables) == 1 and tables[0].n_rows == part.n_rows:
            block = tables[0].rows_at(rows)
            if np.array_equal(block.rows["event_number"], numbers):
                return block
        return _through(tables, _rows_of_events(tables, table, rows, part))


def _check_alike(blocks: Sequence[Block]) -> None:
    lengths = sorted({block.n_samples for block in blocks})
    if len(lengths) > 1 or len({block.rows.dtype for block in blocks}) > 1:
        raise TierFileError(
            f"waveforms of {', '.join(map(str, lengths))} samples or of different cards do not make one "
            "array; ask for the rows of one kind"
        )


def _event_numbers(table: Table, rows: np.ndarray) -> np.ndarray:
    if "event_number" not in table.columns:
        raise TierFileError(
            f"{table.path.name} has no column 'event_number', so that its waveforms cannot be found"
        )
    return table.rows_at(rows).rows["event_number"]


def _rows_of_events(tables: Sequence[Table], table: Table, rows: np.ndarray, part: RunFiles) -> np.ndarray:
    """Find rows of Tier 2 among those of Tier 1, tables one behind the other.

    A record has a number, and its rows keep their order, so the n-th row of a number is the n-th there.
    """
    there = np.concatenate([each.column("event_number") for each in tables])
    order = np.argsort(there, kind="stable")
    numbers = table.column("event_number")
    at = np.searchsorted(there[order], numbers[rows]) + (rows - np.searchsorted(numbers, numbers[rows]))
    fits = at < len(order)
    fits[fits] = there[order[at[fits]]] == numbers[rows[fits]]
    if not fits.all() or (np.diff(numbers) < 0).any():
        raise TierFileError(
            f"{part.name}: rows of its Tier 2 file are not in its Tier 1 file; process the raw run again"
        )
    return order[at]


def _through(tables: Sequence[Table], rows: np.ndarray) -> Block:
    """Read rows of several tables, numbered through, in the order asked for."""
    ends = np.cumsum([table.n_rows for table in tables])
    of_table = np.searchsorted(ends, rows, "right")
    blocks, places = [], []
    for number in np.unique(of_table).tolist():
        mine = np.flatnonzero(of_table == number)
        blocks.append(tables[number].rows_at(rows[mine] - (ends[number] - tables[number].n_rows)))
        places.append(mine)
    _check_alike(blocks)
    back = np.empty(len(rows), np.int64)
    back[np.concatenate(places)] = np.arange(len(rows))
    return joined_blocks(blocks)[back]
