"""Says what a raw file holds, without decoding its samples."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pygama.decoders import DECODERS
from pygama.orca.header import Header, read_header
from pygama.orca.packets import FrameReport, RawFile


@dataclass(frozen=True, slots=True)
class Survey:
    """A run's header, and its records if they were counted."""

    path: Path
    size_bytes: int
    header: Header
    counts: dict[int, int] | None
    """Record id -> records; short ids are negative. None if nothing was counted."""
    problems: tuple[str, ...] = ()

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
                    "id": record.key,
                    "decoder": record.decoder,
                    "supported": record.decoder in DECODERS,
                    "count": None if self.counts is None else self.counts.get(record.key, 0),
                }
                for record in sorted(header.record_types, key=lambda record: record.key)
            ],
            "undeclared": self._undeclared(),
            "packets": None if self.counts is None else sum(self.counts.values()),
            "cards": [
                {"class": card.class_name, "crate": card.crate, "card": card.card} for card in header.cards
            ],
            "problems": list(self.problems),
        }

    def _undeclared(self) -> dict[str, int]:
        declared = {record.key for record in self.header.record_types}
        return {
            str(key): n for key, n in sorted((self.counts or {}).items()) if key not in declared and key != 0
        }

    def _start(self) -> str:
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
            lines.append(f"    {count}id {record['id']:>3}  {record['decoder']}{note}")
        for key, count in found["undeclared"].items():
            lines.append(f"    {count:>10}  id {key:>3}  not declared in the header, skipped")
        if found["cards"]:
            lines.append("Cards:")
        for card in found["cards"]:
            place = f"crate {card['crate']}, card {card['card']}" if card["crate"] >= 0 else "auxiliary"
            lines.append(f"    {card['class']} ({place})")
        return lines + [f"Warning: {problem}" for problem in self.problems]


def sentences(report: FrameReport) -> list[str]:
    """Say what was wrong with the framing of a raw file."""
    told = [
        f"bytes {start} to {end} were skipped ({end - start} bytes): {why}"
        for start, end, why in report.skipped
    ]
    for key, count in sorted(report.unknown.items()):
        told.append(f"{count} records of id {key} were skipped: the header does not declare it")
    if report.cut_short is not None:
        offset, have, need = report.cut_short
        told.append(
            f"the last record is cut short (byte {offset}, {have} of {need} bytes); "
            "everything before it was kept"
        )
    if report.failure:
        told.append(report.failure)
    return told


def survey(path: Path | str, *, count: bool = True) -> Survey:
    """Read a raw file's header and, if asked, walk over all of its records and count them."""
    path = Path(path)
    if not count:
        header = read_header(path)
        return Survey(path, path.stat().st_size, header, None)
    with RawFile(path) as raw:
        for _ in raw:
            pass
        report = raw.report
        return Survey(path, path.stat().st_size, raw.header, dict(report.counts), tuple(sentences(report)))
