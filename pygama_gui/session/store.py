"""Keeps the present session, tells whoever listens of each change, and can take changes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pygama_gui.session.changes import VIEW_ONLY, as_looked_at, label
from pygama_gui.session.state import Session

Listener = Callable[[Session, Session], None]
N_UNDO = 200


class Store:
    """The present session and the ones before it."""

    def __init__(self, session: Session | None = None) -> None:
        self.session = session or Session()
        self.listeners: list[Listener] = []
        self._undo: list[tuple[str, Session]] = []
        self._redo: list[tuple[str, Session]] = []
        self._merging = ""

    def change(self, change: Callable[..., Session], *args: Any, merge: str = "") -> None:
        """Apply a change. Changes in a row with the same `merge` are undone together (a drag)."""
        old = self.session
        new = change(old, *args)
        if new is old or new == old:
            return
        if change.__name__ not in VIEW_ONLY:
            self._remember(label(change), old, merge)
        self._go_to(new)

    def settle(self) -> None:
        """End a drag: the next change is undone on its own."""
        self._merging = ""

    def undo(self) -> None:
        """Take the last change back."""
        self._step(self._undo, self._redo)

    def redo(self) -> None:
        """Make the last change that was taken back again."""
        self._step(self._redo, self._undo)

    @property
    def undo_label(self) -> str:
        """What undo would take back; empty where there is nothing."""
        return self._undo[-1][0] if self._undo else ""

    @property
    def redo_label(self) -> str:
        """What redo would make again; empty where there is nothing."""
        return self._redo[-1][0] if self._redo else ""

    def _remember(self, words: str, old: Session, merge: str) -> None:
        if not (merge and merge == self._merging and self._undo):
            self._undo.append((words, old))
            del self._undo[:-N_UNDO]
        self._merging = merge
        self._redo.clear()

    def _step(self, source: list[tuple[str, Session]], target: list[tuple[str, Session]]) -> None:
        if not source:
            return
        words, session = source.pop()
        target.append((words, self.session))
        self._merging = ""
        self._go_to(as_looked_at(session, self.session))

    def _go_to(self, new: Session) -> None:
        old, self.session = self.session, new
        for listener in tuple(self.listeners):
            listener(old, new)
