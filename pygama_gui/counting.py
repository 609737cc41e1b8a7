"""Has histograms counted off the event loop: the newest wish of each view, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from pygama_gui.data.dragged import Indexes
from pygama_gui.data.linked import Counter, Counts, Cuts, Rows, Want

Answer = Callable[[list[Counts | None]], None]
Submit = Callable[[Callable[[], Any], Callable[[Any], None], Callable[[], None]], None]


@dataclass(frozen=True)
class _Wish:
    work: Callable[[Counter], Any]
    then: Callable[[Any], None]


class Counting:
    """The wishes that wait; a view that wishes again takes back what it wished before."""

    def __init__(self, submit: Submit, indexes: Indexes) -> None:
        self._submit = submit
        self._counter = Counter(indexes)
        self._waiting: dict[str, _Wish] = {}
        self._is_counting = False
        self._was_first = False
        self.first = ""
        """How the names of those begin whose wishes go before all others: of the view under the hand."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits or is being counted."""
        return not self._waiting and not self._is_counting

    def ask(
        self,
        owner: str,
        table: Hashable,
        rows: Rows,
        cuts: Cuts | None,
        wants: Sequence[Want],
        then: Answer,
    ) -> None:
        """Count what `owner` wants of a table, then hand it over in the main thread.

        rows: the columns that are wanted and that the cuts read, as they stand now.
        """
        wanted = tuple(wants)
        self.work(owner, lambda counter: counter.count(table, rows, cuts, wanted), then)

    def work(self, owner: str, work: Callable[[Counter], Any], then: Callable[[Any], None]) -> None:
        """Have something else done with what is counted, as `ask`."""
        self._waiting[owner] = _Wish(work, then)
        self._next()

    def _next(self) -> None:
        if self._is_counting or not self._waiting:
            return
        owner = self._whose_turn()
        self._was_first = self._is_first(owner)
        wish = self._waiting.pop(owner)
        self._is_counting = True
        self._submit(lambda: wish.work(self._counter), lambda found: self._hand_over(wish, found), self._end)

    def _whose_turn(self) -> str:
        """Give the first; after it, one of the others, that they come to see something as well."""
        first = [owner for owner in self._waiting if self._is_first(owner)]
        others = [owner for owner in self._waiting if owner not in first]
        return first[0] if first and not (self._was_first and others) else others[0]

    def _is_first(self, owner: str) -> bool:
        return bool(self.first) and owner.startswith(self.first)

    def _hand_over(self, wish: _Wish, found: Any) -> None:
        self._end()
        wish.then(found)

    def _end(self) -> None:
        self._is_counting = False
        self._next()
