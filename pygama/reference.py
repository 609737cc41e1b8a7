"""Writes the reference pages of processors, options and decoders from their declarations.

    python -m pygama.reference resources/docs/reference

A test compares the pages in the repository with what would be written.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pygama.decoders import DECODERS
from pygama.decoders.base import Bits, DataLoader
from pygama.processing.declare import Processor, Setting, settings_of
from pygama.processing.steps import REGISTRY
from pygama.processing.windows import Tier0Options


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
    yield "Made from the declarations in `pygama/processing`. A step reads what it names, or the latest"
    yield "version of it."
    for name in sorted(REGISTRY):
        yield ""
        yield from _processor(REGISTRY[name])


def _processor(processor: Processor) -> Iterator[str]:
    reads = ", ".join(f"`{name}`" for name, kind in processor.reads if kind != "period")
    writes = ", ".join(f"`{name}` ({unit or 'no unit'})" for name, unit in processor.writes)
    yield f"## {processor.name}"
    yield ""
    yield f"{reads} → {writes}"
    yield ""
    yield from _prose(processor.help)
    if processor.settings:
        yield ""
        yield from _settings_table(processor.settings)
    if processor.renamed:
        yield ""
        yield "Old names: " + ", ".join(f"`{old}` is `{new}`" for old, new in processor.renamed.items()) + "."


def _prose(docstring: str) -> list[str]:
    """Take the docstring without its list of settings, which has a table of its own."""
    lines: list[str] = []
    skips = False
    for line in docstring.splitlines():
        if line.strip() == "Settings":
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
        default = "" if setting.default is None else f"`{setting.default}`"
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
    if decoder.card_classes:
        yield ""
        yield "Cards: " + ", ".join(f"`{name}`" for name in decoder.card_classes) + "."
    yield ""
    yield "| name | bits | unit | what |"
    yield "| --- | --- | --- | --- |"
    for bits in decoder.fields:
        yield f"| `{bits.name}` | {_place(bits)} | {bits.unit} | {bits.about} |"


def _place(bits: Bits) -> str:
    places = [f"w{word} [{low + width - 1}:{low}]" for word, low, width in reversed(bits.parts)]
    kind = " float32" if bits.real else " signed" if bits.signed else ""
    return " · ".join(places) + kind


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages into the folder that is named."""
    folders = sys.argv[1:] if arguments is None else list(arguments)
    if len(folders) != 1:
        sys.stderr.write("usage: python -m pygama.reference FOLDER\n")
        return 2
    write(Path(folders[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
