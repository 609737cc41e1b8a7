"""Keeps the present session, tells whoever listens of each change, and can take changes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any

from pygama.quick_dataclass import dataclass
from pygama_gui.session.changes import VIEW_ONLY, label
from pygama_gui.session.state import Session, consistent, with_runs

Listener = Callable[[Session, Session], None]
N_UNDO = 200


@dataclass(frozen=True)
class Done:
    """A change that was made: its words, and the sessions before and after it."""

    words: str
    before: Session
    after: Session


class Store:
    """The present session and the ones before it."""

    def __init__(self, session: Session | None = None) -> None:
        self.session = session or Session()
        self.listeners: list[Listener] = []
        self._undo: list[Done] = []
        self._redo: list[Done] = []
        self._merging = ""
        self._redo_before: list[Done] = []
        """What could be made again before the drag that is under way."""

    def change(self, change: Callable[..., Session], *args: Any, merge: str = "") -> None:
        """Apply a change. Changes in a row with the same `merge` are undone together (a drag)."""
        old = self.session
        new = change(old, *args)
        if new is old or new == old:
            return
        if change.__name__ not in VIEW_ONLY:
            self._remember(label(change, old, *args), old, new, merge)
        self._go_to(new)

    def settle(self) -> None:
        """End a drag: the next change is undone on its own."""
        self._merging = ""

    def give_up(self) -> None:
        """Take the drag back that is under way, as if it had not begun: it can be made again by no redo."""
        if self._merging and self._undo:
            done, self._redo = self._undo.pop(), self._redo_before
            self._put(done.after, done.before, ())

    def undo(self, keep: Iterable[str] = ()) -> None:
        """Take the last change back; what was looked at since stays.

        keep: ids of runs that stay in the list, because they are under way.
        """
        if self._undo:
            done, present = self._undo.pop(), self.session
            self._put(done.after, done.before, keep)
            self._redo.append(Done(done.words, self.session, present))  # with what was looked at since

    def redo(self, keep: Iterable[str] = ()) -> None:
        """Make the last change that was taken back again. keep: as for `undo`."""
        if self._redo:
            done, present = self._redo.pop(), self.session
            self._put(done.before, done.after, keep)
            self._undo.append(Done(done.words, present, self.session))

    @property
    def undo_label(self) -> str:
        """What undo would take back; empty where there is nothing."""
        return self._undo[-1].words if self._undo else ""

    @property
    def redo_label(self) -> str:
        """What redo would make again; empty where there is nothing."""
        return self._redo[-1].words if self._redo else ""

    def _remember(self, words: str, old: Session, new: Session, merge: str) -> None:
        if merge and merge == self._merging and self._undo:
            begun = self._undo.pop()
            old = taken_back(old, begun.after, begun.before)
        else:
            self._redo_before = list(self._redo)
        self._undo.append(Done(words, old, new))
        del self._undo[:-N_UNDO]
        self._merging = merge
        self._redo.clear()

    def _put(self, now: Session, then: Session, keep: Iterable[str]) -> None:
        present = self.session
        self._merging = ""
        new: Session = taken_back(present, now, then)
        ids = set(keep)
        lost = [run for run in present.runs if run.run_id in ids and new.run(run.run_id) is None]
        new = with_runs(new, lost) if lost else new
        self._go_to(consistent(replace(new, recent=present.recent)))

    def _go_to(self, new: Session) -> None:
        old, self.session = self.session, new
        for listener in tuple(self.listeners):
            listener(old, new)


def taken_back(present: Any, after: Any, before: Any) -> Any:
    """Put back what a change changed, and nothing else: what was changed otherwise since stays.

    after, before: what the change made, and what it was given; data classes are gone through field by field.
    """
    if before is after or before == after:
        return present
    if not is_dataclass(present) or isinstance(present, type):
        return before
    names = [field.name for field in fields(present)]
    put_back = {
        name: taken_back(getattr(present, name), getattr(after, name), getattr(before, name))
        for name in names
    }
    return replace(present, **put_back)
