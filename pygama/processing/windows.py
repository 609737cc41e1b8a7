"""Cuts the samples that are wanted out of the records of a stretch.

A window of `n_samp` samples can be cut around the maximum of each waveform ("max") or around the point
where the rising pulse crosses half its height above a fitted baseline ("tp"). A window that does not fit
goes to the garbage, clipped, as in 2018. Rows of different length make blocks of their own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from typing import Annotated, Any

import numpy as np

from pygama.block import Block
from pygama.decoders.base import Decoded, Samples
from pygama.errors import SettingsError
from pygama.processing.declare import Limits, Span, settings_of
from pygama.processing.kernels import windows as kernel
from pygama.quick_dataclass import dataclass
from pygama.utils import distinct, grouped, plural

_PIECE_BYTES = 4 << 20
_ANY_LENGTH = 1 << 62


@dataclass(frozen=True, slots=True)
class Tier0Options:
    """What can be chosen when raw data become Tier 1.

    Settings
    --------
    digitizer : decoder that the window is for; empty: every digitizer
    window : cut a window around the maximum (max) or the 50 % time point (tp); none keeps whole waveforms
    n_samp : length of the window, an even number
    n_blsamp : samples at the start of the waveform that make the baseline of the time point

    Lengths may be times, as "4 us": each decoder's own sampling period makes samples of them.
    """

    digitizer: Annotated[str, Limits()] | None = None
    window: Annotated[str, Limits(choices=("none", "max", "tp"))] = "none"
    n_samp: Annotated[int, Limits("samples", low=2)] = 2000
    n_blsamp: Span = 500

    def __post_init__(self) -> None:
        if self.window != "none" and not isinstance(self.n_samp, str) and self.n_samp % 2:
            raise SettingsError(f"n_samp must be an even number of samples, not {self.n_samp}")

    def in_samples(self, period_ns: np.ndarray) -> Tier0Options:
        """Turn lengths that are times into samples; the window takes the next even number.

        period_ns: sampling period of each row, (n_rows,). Raises SettingsError where they differ or one is
        not known.
        """
        lengths = [setting for setting in settings_of(Tier0Options) if setting.unit == "samples"]
        times = {one: text for one in lengths if isinstance(text := getattr(self, one.name), str)}
        if not times or not len(period_ns):
            return self
        periods = np.unique(period_ns)  # NaN comes last
        if len(periods) > 1 and not np.isnan(periods).any():
            shown = " and ".join(f"{period:g} ns" for period in periods)
            one, text = next(iter(times.items()))
            raise SettingsError(
                f"{one.name} is {text!r}, but the channels sample every {shown}; give it in samples"
            )
        samples = {one.name: one.check(text, float(periods[-1])) for one, text in times.items()}
        if "n_samp" in samples:
            samples["n_samp"] += samples["n_samp"] % 2
        return dataclasses.replace(self, **samples)

    def cuts(self, decoder: str) -> bool:
        """Tell whether a window is cut for this decoder."""
        return self.window != "none" and self.digitizer in (None, decoder)


@dataclass(slots=True)
class Cut:
    """Rows whose window fits, by length, and those whose window does not."""

    blocks: dict[tuple[int, ...], Block]
    """(n_samples, lengths of the further traces …) -> rows."""
    garbage: dict[tuple[int, ...], Block]
    """The same of the rows whose window does not fit; waveforms shorter than a window keep their length."""
    n_rows: int


class Misfits:
    """Counts the windows that do not fit into their waveforms, decoder by decoder."""

    def __init__(self, n_samp: int | str) -> None:
        self._length = n_samp if isinstance(n_samp, str) else plural(n_samp, "sample")
        self._counts: dict[str, tuple[int, int, int, int]] = {}

    def take(self, decoded: Decoded, cut: Cut) -> None:
        """Count the rows of a stretch whose windows were cut."""
        if decoded.samples is None or not len(decoded.rows):
            return
        misfit, total, low, high = self._counts.get(decoded.decoder, (0, 0, _ANY_LENGTH, 0))
        self._counts[decoded.decoder] = (
            misfit + sum(map(len, cut.garbage.values())),
            total + len(decoded.rows),
            min(low, int(decoded.samples.count.min())),
            max(high, int(decoded.samples.count.max())),
        )

    def sentences(self) -> list[str]:
        """Say how many events are garbage, where they are, and what to do; a sentence a decoder."""
        said = []
        for decoder, (misfit, total, low, high) in sorted(self._counts.items()):
            if misfit:
                length = grouped(high) if low == high else f"{grouped(low)} to {grouped(high)}"
                waveforms = plural(total, "waveform")
                said.append(
                    f"the window of {self._length} did not fit {grouped(misfit)} of {waveforms} of {length} "
                    f"samples: kept apart in {decoder}_Garbage, with no row in Tier 2; a smaller n_samp fits "
                    "more"
                )
        return said


def cut_windows(decoded: Decoded, options: Tier0Options, pool: Executor | None) -> Cut:
    """Copy the wanted samples of the decoded rows into blocks of their own.

    With a pool, pieces of rows are cut in its threads; the order of rows stays that of the file.
    """
    if decoded.samples is None:
        return Cut(_split(decoded), {}, len(decoded.rows))
    if options.cuts(decoded.decoder):
        return _cut_fitting(decoded, options.in_samples(decoded.rows["period_ns"]), pool)
    blocks = {}
    for shape, rows in _shapes(decoded, decoded.samples.count):
        waves = gather(decoded.samples[rows], decoded.samples.first[rows], shape[0], pool)
        blocks[shape] = Block(decoded.decoder, decoded.rows[rows], waves, _traces(decoded, rows))
    return Cut(blocks, {}, len(decoded.rows))


def _split(decoded: Decoded) -> dict[tuple[int, ...], Block]:
    """Part slow control by the shape of its records, leaving out the columns that a shape does not have."""
    if decoded.group is None:
        return {(0,): Block(decoded.decoder, decoded.rows)}
    blocks: dict[tuple[int, ...], Block] = {}
    for value in distinct(decoded.group):
        rows = decoded.rows[decoded.group == value]
        blocks[(value,)] = Block(decoded.decoder, rows[_columns_of(rows, value)])
    return blocks


def _columns_of(rows: np.ndarray, n_channels: int) -> list[str]:
    """Keep columns of channels below `n_channels`: those whose name ends in a number."""
    kept = []
    for name in rows.dtype.names or ():
        number = name.rpartition("_")[2]
        if not number.isdigit() or int(number) < n_channels:
            kept.append(name)
    return kept


def _shapes(decoded: Decoded, lengths: np.ndarray) -> Iterator[tuple[tuple[int, ...], np.ndarray | slice]]:
    """Give each shape (n_samples, lengths of traces …) and its rows, the first seen first."""
    counts = [lengths, *(trace.count for trace in decoded.traces.values())]
    if not len(lengths):
        return
    if all((count == count[0]).all() for count in counts):
        yield tuple(int(count[0]) for count in counts), slice(None)
        return
    table = np.stack(counts, axis=1)
    for shape in dict.fromkeys(map(tuple, table.tolist())):
        yield shape, np.flatnonzero((table == shape).all(axis=1))


def _traces(decoded: Decoded, rows: np.ndarray | slice) -> dict[str, np.ndarray]:
    """Copy the further traces of rows that have equal lengths; an empty one is left out."""
    copied = {}
    for name, trace in decoded.traces.items():
        first, count = trace.first[rows], trace.count[rows]
        if len(first) and count[0]:
            copied[name] = trace.source[first[:, None] + np.arange(count[0])]
    return copied


def gather(samples: Samples, first: np.ndarray, n_samples: int, pool: Executor | None) -> np.ndarray:
    """Copy `n_samples` samples from `first` on of every row, rings unrolled; (n_rows, n_samples)."""
    waves = np.empty((len(first), n_samples), samples.source.dtype)
    if samples.oldest is not None:
        _unroll(samples, waves)
    else:
        _in_pieces(
            lambda rows: kernel.gather(samples.source, first[rows], waves[rows]),
            len(first),
            2 * n_samples,
            pool,
        )
    return waves


def _unroll(samples: Samples, waves: np.ndarray) -> None:
    """Put the oldest sample of a ring first; beyond the valid samples there is zero."""
    assert samples.oldest is not None and samples.valid is not None
    for row in range(len(waves)):
        count, oldest = int(samples.valid[row]), int(samples.oldest[row])
        record = samples.source[samples.first[row] : samples.first[row] + waves.shape[1]]
        if oldest < 0:
            waves[row] = record
            continue
        waves[row, : count - oldest] = record[oldest:count]
        waves[row, count - oldest : count] = record[:oldest]
        waves[row, count:] = 0


def _cut_fitting(decoded: Decoded, options: Tier0Options, pool: Executor | None) -> Cut:
    samples = decoded.samples
    assert samples is not None
    if samples.oldest is not None:
        samples = _unrolled(samples)
    centre = find_centres(samples, options, pool)
    half = options.n_samp // 2
    lo = np.maximum(centre - half, 0)
    hi = np.minimum(centre + half, samples.count)
    fits = hi - lo == options.n_samp
    rows = _with_window_times(decoded.rows, lo, hi)
    garbage = _garbage(decoded, samples, rows, lo, hi, np.flatnonzero(~fits), options.n_samp)
    if garbage:
        decoded, samples, rows, lo = decoded[fits], samples[fits], rows[fits], lo[fits]
    waves = gather(samples, samples.first + lo, options.n_samp, pool)
    blocks = {
        shape: Block(decoded.decoder, rows[part], waves[part], _traces(decoded, part))
        for shape, part in _shapes(decoded, np.full(len(rows), options.n_samp))
    }
    return Cut(blocks, garbage, len(fits))


def _garbage(
    decoded: Decoded,
    samples: Samples,
    rows: np.ndarray,
    lo: np.ndarray,
    hi: np.ndarray,
    bad: np.ndarray,
    n_samp: int,
) -> dict[tuple[int, ...], Block]:
    """Keep the clipped windows, padded with zero; `n_window` says how many samples are real."""
    name = decoded.decoder + "_Garbage"
    decoded, samples, lo, n_window = decoded[bad], samples[bad], lo[bad], (hi - lo)[bad]
    table = _with_columns(rows[bad], {"n_window": n_window}, {})
    first = samples.first + lo
    blocks = {}
    for shape, part in _shapes(decoded, np.minimum(samples.count, n_samp)):
        waves = np.zeros((len(table[part]), shape[0]), samples.source.dtype)
        for wave, start, count in zip(waves, first[part].tolist(), n_window[part].tolist(), strict=True):
            wave[:count] = samples.source[start : start + count]
        blocks[shape] = Block(name, table[part], waves, _traces(decoded, part))
    return blocks


def _unrolled(samples: Samples) -> Samples:
    """Copy ring buffers into plain order, whatever their lengths."""
    width = int(samples.count.max(initial=0))
    source = np.zeros((len(samples.count), width), samples.source.dtype)
    for n_samples in distinct(samples.count):
        rows = np.flatnonzero(samples.count == n_samples)
        waves = np.empty((len(rows), n_samples), source.dtype)
        _unroll(samples[rows], waves)
        source[rows, :n_samples] = waves
    return Samples(source.reshape(-1), np.arange(len(samples.count)) * width, samples.count)


def find_centres(samples: Samples, options: Tier0Options, pool: Executor | None) -> np.ndarray:
    """Find the sample around which the window of each row lies, (n_rows,).

    "max": the first maximum. "tp": the first sample at which the waveform, less a line fitted to its first
    `n_blsamp` samples, reaches half of its own maximum.
    """
    centre = np.empty(len(samples.first), np.int64)

    def find(rows: slice) -> None:
        if options.window == "max":
            kernel.first_maximum(samples.source, samples.first[rows], samples.count[rows], centre[rows])
        else:
            kernel.half_height(
                samples.source, samples.first[rows], samples.count[rows], options.n_blsamp, centre[rows]
            )

    mean_length = int(samples.count.mean()) if len(centre) else 0
    _in_pieces(find, len(centre), 2 * mean_length, pool)
    return centre


def _in_pieces(work, n_rows: int, row_bytes: int, pool: Executor | None) -> None:  # type: ignore[no-untyped-def]
    """Run work(slice of rows) over all rows, in the threads of the pool where there is one."""
    step = max(_PIECE_BYTES // max(row_bytes, 1), 1)
    pieces = [slice(row, min(row + step, n_rows)) for row in range(0, n_rows, step)]
    if pool is None or len(pieces) < 2:
        for piece in pieces:
            work(piece)
    else:
        list(pool.map(work, pieces))


def _with_window_times(rows: np.ndarray, lo: np.ndarray, hi: np.ndarray) -> np.ndarray:
    """Add ts_hi and ts_lo, the times in ns of the last and the first sample of the window, as in 2018.

    They stand behind `timestamp`, where the demo has them, and are -1 where the sampling period is not known.
    """
    known = ~np.isnan(rows["period_ns"])
    period = np.where(known, rows["period_ns"], 0.0)
    times = {
        "ts_hi": np.where(known, np.rint((hi - 1) * period), -1).astype(np.int64),
        "ts_lo": np.where(known, np.rint(lo * period), -1).astype(np.int64),
    }
    return _with_columns(rows, {}, times)


def _with_columns(
    rows: np.ndarray, last: dict[str, np.ndarray], behind_timestamp: dict[str, np.ndarray]
) -> np.ndarray:
    names = list(rows.dtype.names or ())
    place = names.index("timestamp") + 1
    added = {**behind_timestamp, **last}
    dtype = [(name, rows.dtype[name]) for name in names[:place]]
    dtype += [(name, values.dtype) for name, values in behind_timestamp.items()]
    dtype += [(name, rows.dtype[name]) for name in names[place:]]
    dtype += [(name, values.dtype) for name, values in last.items()]
    table = np.empty(len(rows), dtype)
    for name in names:
        table[name] = rows[name]
    for name, values in added.items():
        table[name] = values
    return table


def read_options(options: Tier0Options | Mapping[str, Any] | None) -> Tier0Options:
    """Check options given as a mapping, as in a settings file or in the demo."""
    if options is None:
        return Tier0Options()
    if isinstance(options, Tier0Options):
        return options
    known = {setting.name: setting for setting in settings_of(Tier0Options)}
    checked = {}
    for name, value in options.items():
        if name not in known:
            raise SettingsError(f"Tier 0 has no setting {name!r}; it has {', '.join(known)}")
        checked[name] = known[name].check(value)
    return Tier0Options(**checked)


def idle_options(options: Tier0Options | Mapping[str, Any] | None) -> str:
    """Say which options were given for a window that is not cut, "" if none were.

    Options that name the window, be it as "none", are complete, as those that files and objects hold.
    """
    if options is None or isinstance(options, Tier0Options) or options.get("window") is not None:
        return ""
    idle = [name for name in options if options[name] not in (None, "")]
    if not idle:
        return ""
    does, it = ("does", "it") if len(idle) == 1 else ("do", "them")
    return (
        f"{' and '.join(idle)} {does} nothing, because no window is cut: whole waveforms are kept; "
        f"give window as 'max' or 'tp', or leave {it} out"
    )
