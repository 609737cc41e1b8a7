"""Says what a raw file holds, without decoding its samples."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pygama.decoders import DECODERS
from pygama.orca.header import Header
from pygama.orca.packets import FrameReport, RawFile, read_header
from pygama.progress import CUT_SHORT
from pygama.quick_dataclass import dataclass
from pygama.utils import grouped, plural

_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Survey:
    """A run's header, and its records if they were counted."""

    path: Path
    size_bytes: int
    header: Header
    report: FrameReport | None = None
    """What was met in the file; None if nothing was counted."""

    @property
    def counts(self) -> dict[int, int] | None:
        """Record id -> records; short ids are negative. None if nothing was counted."""
        return None if self.report is None else self.report.counts

    @property
    def problems(self) -> tuple[str, ...]:
        """What was wrong with the framing."""
        return () if self.report is None else tuple(sentences(self.report))

    def as_dict(self) -> dict[str, Any]:
        """Give all of it in plain types, for JSON."""
        header = self.header
        return {
            "file": self.path.name,
            "size_bytes": self.size_bytes,
            "run_number": header.run_number,
            "sub_run": header.sub_run,
            "start_time": header.start_time,
            "start_utc": self._start(),
            "records": [
                {
                    "id": key,
                    "decoder": decoder,
                    "supported": decoder in DECODERS,
                    "count": None if self.report is None else self.report.kinds.get((key, decoder), 0),
                }
                for key, decoder in self._kinds()
            ],
            "undeclared": {} if self.report is None else dict(sorted(self.report.unknown.items())),
            "packets": None if self.report is None else self.report.packets,
            "headers": None if self.report is None else self.report.headers,
            "skipped": [] if self.report is None else [_stretch(*part) for part in self.report.skipped],
            "cards": [
                {"class": card.class_name, "crate": card.crate, "card": card.card} for card in header.cards
            ],
            "problems": list(self.problems),
        }

    def _kinds(self) -> list[tuple[int, str]]:
        """Give all (id, decoder) that a header declares; headers in mid-file may name others."""
        kinds = {(record.key, record.decoder) for record in self.header.record_types}
        if self.report is not None:
            kinds |= {(key, decoder) for key, decoder in self.report.kinds if decoder is not None}
        return sorted(kinds)

    def _start(self) -> str:
        if not self.header.start_time:
            return "unknown"
        return datetime.fromtimestamp(self.header.start_time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

    def lines(self) -> list[str]:
        """Give all of it as text for people."""
        found = self.as_dict()
        lines = [
            f"File:     {self.path}",
            f"Size:     {self.size_bytes / 1e6:.3f} MB",
            f"Run:      {found['run_number']}"
            + (f", sub-run {found['sub_run']}" if found["sub_run"] else ""),
            f"Start:    {found['start_utc']}",
            "Records:",
        ]
        for record in found["records"]:
            count = "" if record["count"] is None else f"{record['count']:>10}  "
            note = "" if record["supported"] else "   (no decoder yet)"
            lines.append(f"    {count}{id_text(record['id']):>6}  {record['decoder']}{note}")
        lines += _undeclared(found["undeclared"])
        if found["cards"]:
            lines.append("Cards:")
        for card in found["cards"]:
            place = f"crate {card['crate']}, card {card['card']}" if card["crate"] >= 0 else "auxiliary"
            lines.append(f"    {card['class']} ({place})")
        return lines + [f"Warning: {problem}" for problem in self.problems]


def _stretch(start: int, end: int, why: str) -> dict[str, Any]:
    return {"start": start, "end": end, "why": why}


def _undeclared(counts: Mapping[int, int]) -> list[str]:
    named = sorted(counts.items())[:_MOST_NAMED]
    lines = [f"    {n:>10}  {id_text(key):>6}  not declared in the header, skipped" for key, n in named]
    if n_others := sum(counts.values()) - sum(n for _, n in named):
        ids = plural(len(counts) - len(named), "more id")
        lines.append(f"    {n_others:>10}  of {ids} that the header does not declare, skipped")
    return lines


def id_text(key: int) -> str:
    """Name the id of a record: 'id 5', or 'short id 33'."""
    return f"id {key}" if key >= 0 else f"short id {-key}"


def sentences(report: FrameReport) -> list[str]:
    """Say what was wrong with the framing of a raw file; of many damaged stretches, the first are named."""
    told = [
        f"bytes {grouped(start)} to {grouped(end)} were skipped ({grouped(end - start)} bytes): {why}"
        for start, end, why in report.skipped[:_MOST_NAMED]
    ]
    if others := report.skipped[_MOST_NAMED:]:
        n_bytes = sum(end - start for start, end, _ in others)
        stretches = plural(len(others), "more stretch", "more stretches")
        told.append(
            f"skipped {stretches} up to byte {grouped(others[-1][1])} ({grouped(n_bytes)} bytes); "
            "'pygama info --json' lists them all"
        )
    unknown = sorted(report.unknown.items())
    for key, count in unknown[:_MOST_NAMED]:
        told.append(f"skipped {plural(count, 'record')} of {id_text(key)}: the header does not declare it")
    if n_others := sum(count for _, count in unknown[_MOST_NAMED:]):
        ids = plural(len(unknown) - _MOST_NAMED, "more id")
        told.append(f"skipped {plural(n_others, 'record')} of {ids} that the header does not declare")
    if report.cut_short is not None:
        offset, have, need = map(grouped, report.cut_short)
        told.append(f"{CUT_SHORT} (byte {offset}, {have} of {need} bytes); everything before it was kept")
    if report.failure:
        told.append(report.failure)
    if report.shrunk is not None:
        before, left = map(grouped, report.shrunk)
        told.append(
            f"the file became shorter while it was read, from {before} to {left} bytes, so events are "
            "missing; bring the whole file back and process it again"
        )
    return told


def survey(path: Path | str, *, count: bool = True) -> Survey:
    """Read a raw file's header and, if asked, walk over all of its records and count them."""
    path = Path(path)
    if not count:
        header = read_header(path)
        return Survey(path, path.stat().st_size, header)
    with RawFile(path) as raw:
        for _ in raw:
            pass
        return Survey(path, path.stat().st_size, raw.header, raw.report)
