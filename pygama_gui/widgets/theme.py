"""Gives the window its colours and sizes: the tokens of the two themes, one style sheet, one palette.

pyqtgraph ignores the palette, so plots ask `current()` and recolour themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib import resources
from pathlib import Path
from string import Template

import pyqtgraph as pg
from PyQt5.QtCore import QByteArray, QEvent, QSize, Qt
from PyQt5.QtGui import QColor, QFont, QIcon, QPainter, QPalette, QPen, QPixmap
from PyQt5.QtSvg import QSvgRenderer
from PyQt5.QtWidgets import QApplication, QStyleFactory, QWidget

NAMES = ("light", "dark")
SMALL, NORMAL, CAPTION, LARGE = 12, 13, 11, 15
ESTIMATED = 0.55
"""Opacity of what a sample of the rows tells, until all are counted."""
OKABE_ITO = ("#009E73", "#CC79A7", "#E69F00", "#D55E00", "#56B4E9", "#0072B2")
_BLUE = {"light": "#56B4E9", "dark": "#0072B2"}
"""That of the two blues which is far from the accent of a theme."""
_OLIVE = "#8C8500"


def free_color(used: Sequence[str]) -> str:
    """Give a colour for something new among others: the first of those that the fewest have."""
    return min(OKABE_ITO, key=used.count)


class Theme:
    """Named colours of one theme."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tokens: dict[str, str] = json.loads(resource(f"themes/{name}.json").read_text(encoding="utf-8"))

    def color(self, token: str) -> QColor:
        """Give a colour by its name."""
        return QColor(self.tokens[token])

    def pen(self, token: str, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
        """Give a pen one pixel wide; wider pens are many times slower."""
        return thin_pen(self.tokens[token], style)

    def series(self, index: int) -> str:
        """Give the colour of a computed curve; the first has the accent.

        What looks like the markers and regions that are drawn over curves comes last.
        """
        green, pink, orange, vermilion, *_ = OKABE_ITO
        others = (green, pink, _BLUE[self.name], _OLIVE, vermilion, orange)
        return self.tokens["accent"] if index == 0 else others[(index - 1) % len(others)]

    def style_sheet(self) -> str:
        """Fill the tokens into the one style sheet."""
        template = Template(resource("themes/window.qss").read_text(encoding="utf-8"))
        return template.substitute(self.tokens, name=self.name, icons=resource("icons").as_posix())

    def palette(self) -> QPalette:
        """Give the palette for what the style sheet does not reach."""
        palette = QPalette()
        roles = QPalette.ColorRole
        for role, token in (
            (roles.Window, "bg"),
            (roles.Base, "panel"),
            (roles.AlternateBase, "raised"),
            (roles.Button, "panel"),
            (roles.ToolTipBase, "raised"),
            (roles.WindowText, "text"),
            (roles.Text, "text"),
            (roles.ButtonText, "text"),
            (roles.ToolTipText, "text"),
            (roles.Highlight, "accent"),
            (roles.HighlightedText, "on_accent"),
            (roles.Link, "accent"),
        ):
            palette.setColor(role, self.color(token))
        palette.setColor(roles.PlaceholderText, self.color("faint"))
        for role in (roles.WindowText, roles.Text, roles.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, role, self.color("faint"))
        return palette


def thin_pen(color: QColor | str, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    """Give a pen of any colour, one pixel wide as other things are measured: more dots on a fine screen."""
    screen = QApplication.primaryScreen()
    pen = pg.mkPen(color, width=max(round(screen.devicePixelRatio()), 1) if screen else 1, style=style)
    pen.setCosmetic(True)
    return pen


def mixed(token: str, ground: str, share: float) -> QColor:
    """Mix a colour with a ground: opaque lines are drawn much faster than those that one sees through."""
    one, other = current().color(token), current().color(ground)
    pairs = ((one.red(), other.red()), (one.green(), other.green()), (one.blue(), other.blue()))
    red, green, blue = (round(share * a + (1 - share) * b) for a, b in pairs)
    return QColor(red, green, blue)


_present = ["light"]
_dressed: list[QApplication] = []


def resource(name: str) -> Path:
    """Find a file among the resources that ship with the program."""
    return Path(str(resources.files("pygama.resources") / name))


@lru_cache(maxsize=2)
def theme(name: str) -> Theme:
    """Give a theme by its name."""
    return Theme(name)


def current() -> Theme:
    """Give the theme in use."""
    return theme(_present[0])


def apply(name: str) -> None:
    """Put a theme on the whole program."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    if app in _dressed and _present[0] == name:
        return
    _choose(app, name)
    _style(app)


@contextmanager
def applied_at_the_end(name: str) -> Iterator[None]:
    """Put a theme on what is made meanwhile, all at once at the end.

    Qt styles a widget, with all that is in it, anew whenever it is put into another one: of a whole
    window that would take as long as all the rest.
    """
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    if app in _dressed:
        apply(name)
        yield
    else:
        _choose(app, name)
        yield
        _style(app)


def _choose(app: QApplication, name: str) -> None:
    _present[0] = name
    if app not in _dressed:
        _dressed.append(app)
        app.setStyle(QStyleFactory.create("Fusion"))
        app.setFont(font())
    app.setPalette(theme(name).palette())


def _style(app: QApplication) -> None:
    """Put the style sheet of the present theme on every widget, once.

    Qt goes from every widget that it has rules for through all that is in it, and so styles each as often
    as it lies deep. Where it has forgotten its rules, it goes through none.
    """
    style = app.style()
    if not app.styleSheet() or style is None:
        app.setStyleSheet(current().style_sheet())
        return
    style.unpolish(app)  # forgets the rules
    app.setStyleSheet(current().style_sheet())
    outermost = [one for one in app.topLevelWidgets() if one.parent() is None]
    for widget in [each for one in outermost for each in (one, *one.findChildren(QWidget))]:
        widget.style().polish(widget)
        app.sendEvent(widget, QEvent(QEvent.Type.StyleChange))


def font(px: int = NORMAL, *, bold: bool = False) -> QFont:
    """Give the program's font in one of its sizes."""
    font = QFont(QApplication.font())
    font.setPixelSize(px)
    font.setBold(bold)
    return font


def icon(name: str, token: str = "soft") -> QIcon:
    """Draw an icon in a colour of the present theme, crisp at one and two times its size."""
    text = resource(f"icons/{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(text.replace("currentColor", current().tokens[token]).encode()))
    icon = QIcon()
    for px in (16, 32, 64):
        pixmap = QPixmap(QSize(px, px))
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        renderer.render(painter)
        painter.end()
        icon.addPixmap(pixmap)
    return icon


def mark(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the style sheet looks at, and restyle the widget if it changed."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
