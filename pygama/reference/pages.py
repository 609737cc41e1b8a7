"""Writes the pages of processors, Tier 0 options and decoders."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pygama.decoders import DECODERS
from pygama.decoders.base import Bits, DataLoader
from pygama.processing.declare import Processor, Setting, settings_of
from pygama.processing.groups import GROUPS
from pygama.processing.steps import REGISTRY
from pygama.processing.windows import Tier0Options
from pygama.reference.examples import chain_to, example

PROLOGUE = """\
Made from the declarations in `pygama/processing`. A step reads what it names, or the latest version of it:
behind `pole_zero`, which writes `wf_pz` in place of `wf_blsub`, a filter that reads `wf_blsub` gets `wf_pz`.

In the formulas `x` is the waveform that is read, `y` the one that is written, `k` the number of a sample,
counted from 0, and `n` how many samples there are; `x[a:b]` are the samples `a` to `b - 1`. Times in samples
may be given with a unit as well, as `"4 us"`: each channel's own sampling period turns them into samples.

The pictures show germanium pulses of a Th-228 source, sampled every 16 ns: public test data of the LEGEND
experiment (legend-exp/legend-testdata). Grey is what a step reads, blue the waveform that it writes; orange
are the numbers that it gives. Each step has the settings of its line of JSON, also where it stands before
another one.
"""


def pages() -> dict[str, str]:
    """Give the text of each page by its file name."""
    return {
        "processors.md": "\n".join(_processors()) + "\n",
        "tier0.md": "\n".join(_tier0()) + "\n",
        "decoders.md": "\n".join(_decoders()) + "\n",
    }


def write(folder: Path) -> None:
    """Write all pages into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


def _processors() -> Iterator[str]:
    yield "# Processors"
    yield ""
    yield from PROLOGUE.splitlines()
    for group, names in GROUPS.items():
        yield ""
        yield f"**{group}**"
        yield ""
        yield "| processor | reads → writes | what |"
        yield "| --- | --- | --- |"
        for name in names:
            processor = REGISTRY[name]
            yield f"| [{name}](#{name}) | {_reads_and_writes(processor)} | {processor.summary} |"
    for group, names in GROUPS.items():
        yield ""
        yield f"## {group}"
        for name in names:
            yield ""
            yield from _processor(REGISTRY[name])


def _processor(processor: Processor) -> Iterator[str]:
    yield f"### {processor.name}"
    yield ""
    yield processor.summary
    yield ""
    yield _reads_and_writes(processor)
    yield ""
    yield "```text"
    yield processor.formula
    yield "```"
    yield ""
    yield from _prose(processor.help.removeprefix(processor.summary).strip())
    if processor.settings:
        yield ""
        yield from _settings_table(processor.settings)
    if processor.renamed:
        yield ""
        yield "Old names: " + ", ".join(f"`{old}` is `{new}`" for old, new in processor.renamed.items()) + "."
    yield ""
    yield "```json"
    yield json.dumps(example(processor.name).to_json())
    yield "```"
    yield ""
    before = [f"`{step.name}`" for step in chain_to(processor.name)[:-1]]
    if before:
        yield f"In the picture it stands behind {', '.join(before)}."
        yield ""
    yield f"![What {processor.name} does to a pulse](pictures/{processor.name}.png)"


def _reads_and_writes(processor: Processor) -> str:
    units = {"waveform": "adc"}
    units.update(pair for other in REGISTRY.values() for pair in other.writes)
    reads = [_measured(name, units.get(name, "")) for name, kind in processor.reads if kind != "period"]
    writes = [_measured(name, unit) for name, unit in processor.writes]
    return f"{', '.join(reads)} → {', '.join(writes)}"


def _measured(name: str, unit: str) -> str:
    return f"`{name}` ({unit})" if unit else f"`{name}`"


def _prose(docstring: str) -> list[str]:
    """Take the docstring without its sections, which have places of their own."""
    lines: list[str] = []
    skips = False
    for line in docstring.splitlines():
        if line.strip() in ("Formula", "Settings"):
            skips = True
        elif skips and not line.strip():
            skips = False
        elif not skips:
            lines.append(line.rstrip())
    while lines and not lines[-1]:
        lines.pop()
    return [line for place, line in enumerate(lines) if line or (place and lines[place - 1])]


def _settings_table(settings: Iterable[Setting]) -> Iterator[str]:
    yield "| setting | default | unit | from | to | what |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for setting in settings:
        low = "" if setting.low is None else f"{setting.low:g}"
        high = "" if setting.high is None else f"{setting.high:g}"
        choices = f" ({', '.join(setting.choices)})" if setting.choices else ""
        default = "" if setting.default in (None, "") else f"`{setting.default}`"
        yield f"| `{setting.name}` | {default} | {setting.unit} | {low} | {high} | {setting.about}{choices} |"


def _tier0() -> Iterator[str]:
    yield "# Tier 0 options"
    yield ""
    yield from _prose(inspect.getdoc(Tier0Options) or "")
    yield ""
    yield from _settings_table(settings_of(Tier0Options))


def _decoders() -> Iterator[str]:
    yield "# Decoders"
    yield ""
    yield "Made from the tables of bits in `pygama/decoders`. Words are numbered from the head of the record,"
    yield "w0; negative numbers count from its end. Names with a leading underscore do not become columns."
    for decoder in dict.fromkeys(DECODERS.values()):
        yield ""
        yield from _decoder(decoder)


def _decoder(decoder: type[DataLoader]) -> Iterator[str]:
    yield f"## {decoder.name}"
    yield ""
    yield from (inspect.getdoc(decoder) or "").splitlines()
    if decoder.also:
        yield ""
        yield "Other names: " + ", ".join(f"`{name}`" for name in decoder.also) + "."
    if decoder.beside:
        yield ""
        yield "Read with: " + ", ".join(f"`{name}`" for name in decoder.beside) + "."
    if decoder.card_classes:
        yield ""
        yield "Cards: " + ", ".join(f"`{name}`" for name in decoder.card_classes) + "."
    yield ""
    yield "| name | bits | unit | what |"
    yield "| --- | --- | --- | --- |"
    for bits in decoder.fields:
        yield f"| `{bits.name}` | {_place(bits)} | {bits.unit} | {bits.about} |"
    for column in decoder.made:
        yield f"| `{column.name}` |  | {column.unit} | {column.about} |"


def _place(bits: Bits) -> str:
    places = [f"w{word} [{low + width - 1}:{low}]" for word, low, width in reversed(bits.parts)]
    kind = " float32" if bits.real else " signed" if bits.signed else ""
    return " · ".join(places) + kind
