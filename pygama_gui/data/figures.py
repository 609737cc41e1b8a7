"""Writes pictures for publication with how they were made: PNG, SVG and PDF, in the style of pygama."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pygama.storage import how_made

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

SIZE_INCHES = (8.0, 5.0)
STYLE = Path(str(resources.files("pygama") / "pygama.mplstyle"))
PICTURE_KINDS = {"png": "PNG picture", "svg": "SVG picture", "pdf": "PDF picture"}
KINDS = {**PICTURE_KINDS, "csv": "CSV table"}
GREY, ORANGE = "0.55", "#B04E0A"
WORDS_GAP = 3
"""Points between a place and the words about it."""

LINE, N_ROWS = 11, 6
"""Height of a line of words in points, and how many lines down words at the top may stand."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give the name to write under; the file stands under its own only when it is whole."""
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def kind_of(path: Path) -> str:
    """Give the kind that a name ends in, 'png' of 'one.PNG'."""
    return path.suffix.lower().removeprefix(".")


def save_as(
    path: Path,
    csv_text: Callable[[], str],
    draw: Callable[[], Figure],
    about: Mapping[str, str],
    made: Mapping[str, Any],
) -> None:
    """Write the file of the kind that a name ends in, whole or not at all; the rest as `save_figure`."""
    kind = kind_of(path)
    with whole(path) as part:
        if kind == "csv":
            part.write_text(csv_text(), encoding="utf-8")
        else:
            save_figure(draw, part, kind, about, made)


def save_figure(
    draw: Callable[[], Figure],
    path: Path | BytesIO,
    kind: str,
    about: Mapping[str, str],
    made: Mapping[str, Any],
) -> None:
    """Draw a figure in our style and write it. about: words for people; made: what brings the view back.

    A picture of the same data is the same file; text stays text. Raises OSError.
    """
    from matplotlib import style

    with style.context([STYLE, {"svg.fonttype": "none", "svg.hashsalt": "pygama"}]):
        draw().savefig(path, format=kind, metadata=_metadata(kind, about, made))


def _metadata(kind: str, about: Mapping[str, str], made: Mapping[str, Any]) -> dict[str, Any]:
    import pygama

    program = f"pygama {pygama.__version__}"
    metadata: dict[str, Any] = {"Title": about.get("title", "")}
    words = "\n".join(f"{name}: {text}" for name, text in about.items())
    match kind:
        case "png":
            metadata |= {"Description": words, "Source": about.get("file", ""), "Software": program}
        case "svg":
            metadata |= {"Description": words, "Source": about.get("file", ""), "Creator": program}
            metadata |= {"Date": None}
        case "pdf":
            metadata |= {"Subject": words, "Creator": program, "CreationDate": None}
    if made:
        for name, text in how_made.metadata(f".{kind}", made).items():
            metadata[name] = f"{metadata[name]}\n{text}" if name in metadata else text
    return metadata


def facts_text(about: Mapping[str, str]) -> str:
    """Write what a table is of, in lines that begin with '#'."""
    return "".join(f"# {name}: {' '.join(text.split())}\n" for name, text in about.items())


def quoted(name: str) -> str:
    """Write a text for CSV."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"' if any(character in name for character in ',"\n') else name


def number_texts(values: np.ndarray) -> Iterable[str]:
    """Write numbers for CSV."""
    if values.dtype.kind in "iu":
        return map(str, values.tolist())
    return (f"{value:.10g}" for value in values.tolist())


class Words:
    """Writes beside places of axes; what would lie over other words is left out. The layout must stand."""

    def __init__(self, axes: Axes) -> None:
        self._axes = axes
        self._taken: list[Bbox] = []
        legend = axes.get_legend()
        if legend is not None:
            self._taken.append(legend.get_window_extent())

    def above(self, text: str, x: float, y: float, color: str) -> bool:
        """Write above a place; to the right of it where there is no room. Tells whether there was any."""
        return self._put(text, x, y, color, "center", (0, WORDS_GAP), "bottom") or self._put(
            text, x, min(y, self._axes.get_ylim()[1]), color, "left", (3 * WORDS_GAP, 0), "top"
        )

    def at_top(self, text: str, x: float, color: str) -> bool:
        """Write at the top beside a place, to the right if it can be; farther down where that is taken."""
        top = self._axes.get_ylim()[1]
        return any(
            self._put(text, x, top, color, side, (sign * WORDS_GAP, -WORDS_GAP - row * LINE), "top")
            for row in range(N_ROWS)
            for side, sign in (("left", 1), ("right", -1))
        )

    def _put(
        self, text: str, x: float, y: float, color: str, ha: str, offset: tuple[float, float], va: str
    ) -> bool:
        ground = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6}
        words: Annotation = self._axes.annotate(
            text, (x, y), offset, textcoords="offset points", ha=ha, va=va, color=color, fontsize="x-small",
            bbox=ground, annotation_clip=True, zorder=20,
        )  # fmt: skip
        words.set_in_layout(False)
        box, frame = words.get_window_extent(), self._axes.get_window_extent()
        is_inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
        if not is_inside or any(box.overlaps(other) for other in self._taken):
            words.remove()
            return False
        self._taken.append(box)
        return True
