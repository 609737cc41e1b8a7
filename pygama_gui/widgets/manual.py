"""Shows the documentation that ships with the program: its pages, and a field that finds sections in them.

The pages are the Markdown files of the repository, those on processors and decoders made from declarations,
so that there is one text, and no connection is needed.
"""

from __future__ import annotations

import re
from pathlib import Path

from PyQt5.QtCore import QEvent, QObject, QSize, Qt, QUrl
from PyQt5.QtGui import (
    QDesktopServices,
    QFont,
    QKeyEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
)
from PyQt5.QtWidgets import (
    QApplication,
    QDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from pygama.quick_dataclass import dataclass
from pygama_gui.widgets import theme
from pygama_gui.widgets.parts import room_on_screen

PAGES = (
    "window.md",
    "cuts.md",
    "files.md",
    "reference/processors.md",
    "reference/decoders.md",
    "reference/tier0.md",
    "plugins.md",
    "changelog.md",
)
"""Files among the documents, in the order in which they are listed."""
SIZE = QSize(1060, 720)
CONTENTS_WIDTH = 250
PICTURE_WIDTH = 680
DEEPEST = 3
"""Headings of more levels are no entries of their own."""
_HEADING = re.compile(r"(#{1,6}) +(.+?) *$")


@dataclass(frozen=True)
class Section:
    """A heading with what stands below it. at: its place among all headings of its page, from 0."""

    page: str
    title: str
    level: int
    at: int
    text: str


def sections_of(page: str, text: str) -> list[Section]:
    """Part the Markdown text of a page by its headings; lines of code are none."""
    found: list[tuple[str, int, list[str]]] = []
    is_code = False
    for line in text.splitlines():
        is_code ^= line.startswith("```")
        heading = None if is_code else _HEADING.match(line)
        if heading is not None:
            found.append((heading[2].replace("`", ""), len(heading[1]), [line]))
        elif found:
            found[-1][2].append(line)
    return [
        Section(page, title, level, at, "\n".join(lines).lower())
        for at, (title, level, lines) in enumerate(found)
    ]


def read_manual() -> list[Section]:
    """Read all pages."""
    return [one for page in PAGES for one in sections_of(page, _path(page).read_text(encoding="utf-8"))]


def found(query: str, sections: list[Section]) -> list[Section]:
    """Give the sections that have every word of a query, those with the most of them in the title first."""
    words = query.lower().split()
    fitting = [one for one in sections if one.level <= DEEPEST and all(word in one.text for word in words)]

    def rank(section: Section) -> tuple[int, int]:
        title = section.title.lower()
        return -sum(word in title for word in words), len(title) if any(
            word in title for word in words
        ) else 0

    return sorted(fitting, key=rank)


def _path(page: str) -> Path:
    return theme.resource(f"docs/{page}")


class Manual(QDialog):
    """The pages; the window works on while they are read."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Documentation")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._sections = read_manual()
        self.field = QLineEdit()
        self.field.setAccessibleName("Words to find in the documentation")
        self.field.setPlaceholderText("Find…")
        self.list = QListWidget()
        self.list.setAccessibleName("Sections of the documentation")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.text = QTextBrowser()
        self.text.setAccessibleName("Page of the documentation")
        self.text.setOpenLinks(False)
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.field)
        column.addWidget(self.list, 1)
        split = QSplitter()
        split.addWidget(side)
        split.addWidget(self.text)
        split.setStretchFactor(1, 1)
        split.setSizes([CONTENTS_WIDTH, SIZE.width() - CONTENTS_WIDTH])
        split.setHandleWidth(10)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(14, 14, 14, 14)
        outer.addWidget(split)
        self.resize(SIZE.boundedTo(room_on_screen()))
        self.field.textChanged.connect(self._list)
        self.field.returnPressed.connect(self._find_next)
        self.field.installEventFilter(self)
        self.list.currentItemChanged.connect(self._show_current)
        self.text.anchorClicked.connect(self._follow)
        self._page = ""
        self._list("")
        self.list.setCurrentRow(0)

    def _list(self, query: str) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        for section in found(query, self._sections):
            item = QListWidgetItem("    " * (section.level - 1) + section.title)
            item.setFont(theme.font(bold=section.level == 1))
            item.setToolTip(self._place(section))
            item.setData(Qt.ItemDataRole.UserRole, section)
            self.list.addItem(item)
        self.list.blockSignals(False)
        if not self.list.count():
            nothing = QListWidgetItem("Nothing of this name")
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(nothing)
        elif query:
            self.list.setCurrentRow(0)

    def _place(self, section: Section) -> str:
        page = next(one for one in self._sections if one.page == section.page)
        return section.title if page is section else f"{page.title}: {section.title}"

    def _show_current(self, item: QListWidgetItem | None) -> None:
        section: Section | None = None if item is None else item.data(Qt.ItemDataRole.UserRole)
        if section is not None:
            self._go_to(section)

    def _go_to(self, section: Section) -> None:
        if section.page != self._page:
            self._page = section.page
            self._read()
        cursor = QTextCursor(self._heading(section.at))
        self.text.setTextCursor(cursor)
        bar = self.text.verticalScrollBar()
        bar.setValue(bar.value() + self.text.cursorRect(cursor).top() - 12)
        if words := self.field.text().split():
            self.text.find(words[0])

    def _read(self) -> None:
        self.text.setDocument(_document(_path(self._page), self.text))

    def _heading(self, at: int) -> QTextBlock:
        document = self.text.document()
        assert document is not None
        return [one for one in _blocks(document) if one.blockFormat().headingLevel()][at]

    def _find_next(self) -> None:
        """Go to the next place of the first word on this page, at its end from the top again."""
        if (words := self.field.text().split()) and not self.text.find(words[0]):
            self.text.moveCursor(QTextCursor.MoveOperation.Start)
            self.text.find(words[0])

    def _follow(self, url: QUrl) -> None:
        """Go to another section or page; what is none of the pages is opened outside."""
        path = (_path(self._page).parent / url.path()).resolve() if url.path() else _path(self._page)
        if url.scheme() in ("", "file"):
            for section in self._sections:
                is_meant = not url.fragment() or section.title.lower() == url.fragment().lower()
                if is_meant and _path(section.page).resolve() == path.resolve():
                    self._go_to(section)
                    return
        QDesktopServices.openUrl(url if url.scheme() else QUrl.fromLocalFile(str(path)))

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  (Qt's name)
        """Go through the list by keys while the field has the focus."""
        moves = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in moves:
            QApplication.sendEvent(self.list, QKeyEvent(event))
            return True
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.StyleChange and self._page:
            at = self.text.verticalScrollBar().value()
            self._read()
            self.text.verticalScrollBar().setValue(at)


def _document(path: Path, parent: QTextBrowser) -> QTextDocument:
    """Make a page ready to be shown; laid out once, as a whole, when it is."""
    made = QTextDocument(parent)
    made.setDocumentMargin(16)
    made.setDefaultFont(theme.font())
    made.setBaseUrl(QUrl.fromLocalFile(str(path)))
    made.setMarkdown(path.read_text(encoding="utf-8"))
    _dress(made)
    return made


def _blocks(document: QTextDocument) -> list[QTextBlock]:
    block = document.begin()
    blocks = []
    while block.isValid():
        blocks.append(block)
        block = block.next()
    return blocks


def _dress(document: QTextDocument) -> None:
    """Give tables thin lines, code a font and a ground, blocks some room, in the theme's colours."""
    present = theme.current()
    every = QTextCursor(document)
    every.beginEditBlock()
    frames = document.rootFrame().childFrames()
    for table in [one for one in frames if isinstance(one, QTextTable)]:
        look = table.format()
        look.setBorderCollapse(True)
        look.setBorder(1)
        look.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        look.setBorderBrush(present.color("line"))
        look.setCellPadding(5)
        look.setBottomMargin(12)
        look.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        table.setFormat(look)
    is_code_before = False
    for block in _blocks(document):
        is_code = _is_code(block) and (bool(block.text()) or _is_code(block.next()))
        cursor = QTextCursor(block)
        if cursor.currentTable() is None:
            cursor.mergeBlockFormat(_look_of(block, is_code=is_code, follows_code=is_code_before))
        is_code_before = is_code
        _dress_words(block, is_code=is_code)
    every.endEditBlock()


def _is_code(block: QTextBlock) -> bool:
    return block.blockFormat().hasProperty(QTextBlockFormat.Property.BlockCodeFence)


def _look_of(block: QTextBlock, *, is_code: bool, follows_code: bool) -> QTextBlockFormat:
    look = QTextBlockFormat()
    if is_code:
        look.setBackground(theme.current().color("raised"))
        look.setTopMargin(0)
        look.setBottomMargin(0)
        return look
    is_heading = bool(block.blockFormat().headingLevel())
    look.setTopMargin(18 if is_heading and block.position() else 8 * follows_code)
    look.setBottomMargin(3 if block.textList() else 8)
    return look


def _dress_words(block: QTextBlock, *, is_code: bool) -> None:
    """Set code in a font of even width, and let pictures be no wider than the page."""
    parts = block.begin()
    ranges = []
    while not parts.atEnd():
        part = parts.fragment()
        ranges.append((part.position(), part.length(), part.charFormat()))
        parts += 1
    for at, length, look in ranges:
        cursor = QTextCursor(block.document())
        cursor.setPosition(at)
        cursor.setPosition(at + length, QTextCursor.MoveMode.KeepAnchor)
        if look.isImageFormat():
            picture = look.toImageFormat()
            picture.setWidth(PICTURE_WIDTH)
            cursor.setCharFormat(picture)
        elif is_code or look.fontFixedPitch():
            code = QTextCharFormat()
            code.setFontFamily("monospace")
            code.setFontStyleHint(QFont.StyleHint.Monospace)
            code.setProperty(QTextCharFormat.Property.FontPixelSize, theme.SMALL)
            cursor.mergeCharFormat(code)
