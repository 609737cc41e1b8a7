"""Writes spectra for other programs, and reads them again: CSV, .Spe and N42.

The bins of a spectrum are equal; channel i of a file is bin i. In CSV every bin has its edges. The ASCII
format .Spe of the multichannel-analyser programs holds a line of counts a channel and the energy of channel i
as offset + slope i, taken at the middle of the bin. In N42 (ANSI N42.42-2012) the coefficients give the low
edge of channel i.
Sources: ORTEC, *Software File Structure Manual*, the section on ASCII SPE files; ANSI N42.42-2012.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from pygama.errors import SettingsError, TierFileError
from pygama.quick_dataclass import dataclass

SUFFIXES = (".csv", ".spe", ".n42")
MOST_BYTES = 200_000_000
_N42 = "http://physics.nist.gov/N42/2011/N42"
_ENERGY = "keV"
"""The unit that .Spe and N42 know; bins in another one are written without an energy."""


@dataclass(frozen=True)
class StoredSpectrum:
    """A histogram as files of other programs hold it.

    counts: (n,) whole numbers, 0 or more. low, width: where the first bin begins and how wide each is, in
    `unit`. Times are NaN where they are not known. start_s: unix seconds. remarks: what else there is to say.
    """

    counts: np.ndarray
    low: float = 0.0
    width: float = 1.0
    unit: str = "ADC"
    title: str = ""
    live_time_s: float = math.nan
    real_time_s: float = math.nan
    start_s: float = math.nan
    remarks: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counts = np.asarray(self.counts)
        if counts.ndim != 1 or not len(counts) or (counts < 0).any() or (counts != np.floor(counts)).any():
            raise SettingsError(
                "a spectrum that is stored has whole counts of 0 or more in one row of bins or more; "
                "subtract and scale spectra after they are read"
            )
        if not (self.width > 0 and math.isfinite(self.low)):
            raise SettingsError(f"bins need a width above 0 and a finite beginning, not '{self.width}'")
        object.__setattr__(self, "counts", counts.astype(np.int64))

    @property
    def edges(self) -> np.ndarray:
        """(n + 1,) in `unit`."""
        return self.low + self.width * np.arange(len(self.counts) + 1)


def write_spectrum(path: Path | str, spectrum: StoredSpectrum) -> Path:
    """Write a spectrum as what the end of the name says; raises SettingsError for another end."""
    path = Path(path)
    writers = {".csv": _csv, ".spe": _spe, ".n42": _n42}
    write = writers.get(path.suffix.lower())
    if write is None:
        raise SettingsError(f"{path.name}: spectra are written as {', '.join(SUFFIXES)}")
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(write(spectrum), encoding="utf-8", newline="")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def read_spectrum(path: Path | str) -> StoredSpectrum:
    """Read a spectrum from CSV or .Spe; raises TierFileError where the file is not one."""
    path = Path(path)
    if path.stat().st_size > MOST_BYTES:
        raise TierFileError(f"{path.name}: more than {MOST_BYTES // 1_000_000} MB are no spectrum")
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        return _read_spe(text) if path.suffix.lower() == ".spe" else _read_csv(text)
    except (ValueError, LookupError, SettingsError) as problem:
        raise TierFileError(f"{path.name} cannot be read as a spectrum: {problem}") from None


# CSV


def _csv(spectrum: StoredSpectrum) -> str:
    out = io.StringIO()
    facts = {"title": spectrum.title, **_times(spectrum), **spectrum.remarks}
    for name, value in facts.items():
        if value:
            out.write(f"# {name}: {' '.join(str(value).split())}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((f"low_{spectrum.unit}", f"high_{spectrum.unit}", "counts"))
    edges = spectrum.edges.tolist()
    writer.writerows(
        (repr(a), repr(b), n) for a, b, n in zip(edges[:-1], edges[1:], spectrum.counts.tolist(), strict=True)
    )
    return out.getvalue()


def _times(spectrum: StoredSpectrum) -> dict[str, str]:
    times = {"live time (s)": spectrum.live_time_s, "real time (s)": spectrum.real_time_s}
    found = {name: f"{value:.6g}" for name, value in times.items() if math.isfinite(value)}
    if math.isfinite(spectrum.start_s):
        found["start"] = _moment(spectrum.start_s).isoformat()
    return found


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _read_csv(text: str) -> StoredSpectrum:
    facts: dict[str, str] = {}
    rows = []
    for line in text.splitlines():
        if line.startswith("#"):
            name, _, value = line[1:].partition(":")
            facts[name.strip()] = value.strip()
        elif line.strip():
            rows.append(line.split(","))
    heads = rows[0]
    if len(heads) != 3 or not heads[0].startswith("low_") or heads[2] != "counts":
        raise ValueError("its columns must be low_UNIT, high_UNIT, counts")
    low, high, counts = (np.array(column, float) for column in zip(*rows[1:], strict=True))
    width = (high[-1] - low[0]) / len(low)
    if not np.allclose(high - low, width, rtol=1e-6) or not np.allclose(high[:-1], low[1:], rtol=1e-9):
        raise ValueError("its bins must be equal and without gaps")
    start = facts.pop("start", "")
    return StoredSpectrum(
        counts,
        float(low[0]),
        float(width),
        heads[0].removeprefix("low_"),
        title=facts.pop("title", ""),
        live_time_s=float(facts.pop("live time (s)", math.nan)),
        real_time_s=float(facts.pop("real time (s)", math.nan)),
        start_s=datetime.fromisoformat(start).timestamp() if start else math.nan,
        remarks=facts,
    )


# .Spe


def _spe(spectrum: StoredSpectrum) -> str:
    remarks = [_spe_line(f"{name}: {value}") for name, value in spectrum.remarks.items()]
    remarks.append(
        f"bins: {len(spectrum.counts)} of {spectrum.width!r} {spectrum.unit} from {spectrum.low!r}"
    )
    lines = ["$SPEC_ID:", _spe_line(spectrum.title) or "spectrum", "$SPEC_REM:", *remarks]
    if math.isfinite(spectrum.start_s):
        lines += ["$DATE_MEA:", _moment(spectrum.start_s).strftime("%m/%d/%Y %H:%M:%S")]
    if math.isfinite(spectrum.live_time_s) or math.isfinite(spectrum.real_time_s):
        known = [t if math.isfinite(t) else 0.0 for t in (spectrum.live_time_s, spectrum.real_time_s)]
        lines += ["$MEAS_TIM:", " ".join(f"{t:.10g}" for t in known)]
    lines += ["$DATA:", f"0 {len(spectrum.counts) - 1}"]
    lines += [f"{count:8d}" for count in spectrum.counts.tolist()]
    lines += ["$ROI:", "0"]
    if spectrum.unit == _ENERGY:
        middle = spectrum.low + spectrum.width / 2
        lines += ["$ENER_FIT:", f"{middle!r} {spectrum.width!r}"]
        lines += ["$MCA_CAL:", "3", f"{middle!r} {spectrum.width!r} 0.0 keV"]
    return "\r\n".join(lines) + "\r\n"


def _spe_line(text: str) -> str:
    """Give one line of ASCII that is no section: other characters as escapes, no dollar to begin with."""
    return _plain(text).lstrip("$ ").encode("ascii", "backslashreplace").decode("ascii")


def _plain(text: str) -> str:
    """Put a text on one line, without the control characters that neither format allows."""
    return "".join(one for one in " ".join(text.split()) if one.isprintable())


def _read_spe(text: str) -> StoredSpectrum:
    parts: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("$"):
            name = line.strip().rstrip(":")
            parts[name] = []
        elif name and line.strip():
            parts[name].append(line.strip())
    if "$DATA" not in parts:
        raise ValueError("it has no section $DATA:")
    first, last = (int(word) for word in parts["$DATA"][0].split())
    counts = np.array(" ".join(parts["$DATA"][1:]).split(), float)
    if len(counts) != last - first + 1:
        raise ValueError(f"{last - first + 1} channels are promised and {len(counts)} are there")
    low, width, unit = 0.0, 1.0, "channel"
    if parts.get("$ENER_FIT"):
        middle, width = (float(word) for word in parts["$ENER_FIT"][0].split()[:2])
        low, unit = middle + width * (first - 0.5), _ENERGY
    else:
        low = float(first)
    times = [float(word) or math.nan for word in " ".join(parts.get("$MEAS_TIM", [])).split()]
    times = times or [math.nan, math.nan]
    start = math.nan
    if parts.get("$DATE_MEA"):
        moment = datetime.strptime(parts["$DATE_MEA"][0], "%m/%d/%Y %H:%M:%S")
        start = moment.replace(tzinfo=UTC).timestamp()
    remarks = dict(line.partition(": ")[::2] for line in parts.get("$SPEC_REM", []))
    title = " ".join(parts.get("$SPEC_ID", []))
    return StoredSpectrum(counts, low, width, unit, title, times[0], times[1], start, remarks)


# N42


def _n42(spectrum: StoredSpectrum) -> str:
    from uuid import NAMESPACE_URL, uuid5
    from xml.etree import ElementTree as xml

    from pygama import __version__

    xml.register_namespace("", _N42)

    def add(parent: xml.Element, name: str, text: str = "", **attributes: str) -> xml.Element:
        element = xml.SubElement(parent, f"{{{_N42}}}{name}", attributes)
        element.text = text or None
        return element

    root = xml.Element(f"{{{_N42}}}RadInstrumentData")
    add(root, "RadInstrumentDataCreatorName", f"pygama {__version__}")
    instrument = add(root, "RadInstrumentInformation", id="instrument")
    add(instrument, "RadInstrumentManufacturerName", "unknown")
    add(instrument, "RadInstrumentModelName", "unknown")
    add(instrument, "RadInstrumentClassCode", "Other")
    version = add(instrument, "RadInstrumentVersion")
    add(version, "RadInstrumentComponentName", "Software")
    add(version, "RadInstrumentComponentVersion", __version__)
    detector = add(root, "RadDetectorInformation", id="detector")
    add(detector, "RadDetectorCategoryCode", "Gamma")
    add(detector, "RadDetectorKindCode", "HPGe")
    has_energy = spectrum.unit == _ENERGY
    if has_energy:
        calibration = add(root, "EnergyCalibration", id="energy")
        add(calibration, "CoefficientValues", f"{spectrum.low!r} {spectrum.width!r} 0.0")
    measurement = add(root, "RadMeasurement", id="measurement")
    said = [spectrum.title, *(f"{name}: {value}" for name, value in spectrum.remarks.items())]
    said += [] if math.isfinite(spectrum.start_s) else ["the start is not known; 1970 stands for it"]
    said += [] if math.isfinite(spectrum.live_time_s) else ["the live time is not known; 0 stands for it"]
    said += [] if has_energy else [f"bins of {spectrum.width!r} {spectrum.unit} from {spectrum.low!r}"]
    add(measurement, "Remark", _plain("; ".join(text for text in said if text)))
    add(measurement, "MeasurementClassCode", "Foreground")
    start = spectrum.start_s if math.isfinite(spectrum.start_s) else 0.0
    add(measurement, "StartDateTime", _moment(start).isoformat())
    real = spectrum.real_time_s if math.isfinite(spectrum.real_time_s) else spectrum.live_time_s
    add(measurement, "RealTimeDuration", _duration(real))
    references = {"radDetectorInformationReference": "detector"}
    if has_energy:
        references["energyCalibrationReference"] = "energy"
    held = add(measurement, "Spectrum", id="spectrum", **references)
    add(held, "LiveTimeDuration", _duration(spectrum.live_time_s))
    add(held, "ChannelData", " ".join(map(str, spectrum.counts.tolist())), compressionCode="None")
    xml.indent(root)
    body = xml.tostring(root, encoding="unicode")
    root.set("n42DocUUID", str(uuid5(NAMESPACE_URL, body)))  # asked for; the same spectrum has the same
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(root, encoding="unicode") + "\n"


def _duration(seconds: float) -> str:
    """Give a duration as XML writes it; 0 where it is not known, as the format asks for one."""
    return f"PT{seconds if math.isfinite(seconds) else 0.0:.6f}S"
