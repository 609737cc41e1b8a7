"""Has histograms counted off the event loop: the newest wish of each view, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from pygama_gui.data.linked import Counter, Counts, Cuts, Rows, Want

Answer = Callable[[list[Counts | None]], None]
Submit = Callable[[Callable[[], list[Counts | None]], Answer, Callable[[], None]], None]


@dataclass(frozen=True)
class _Wish:
    table: Hashable
    rows: Rows
    cuts: Cuts | None
    wants: tuple[Want, ...]
    then: Answer


class Counting:
    """The wishes that wait; a view that wishes again takes back what it wished before."""

    def __init__(self, submit: Submit) -> None:
        self._submit = submit
        self._counter = Counter()
        self._waiting: dict[str, _Wish] = {}
        self._is_counting = False

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
        self._waiting[owner] = _Wish(table, rows, cuts, tuple(wants), then)
        self._next()

    def _next(self) -> None:
        if self._is_counting or not self._waiting:
            return
        owner = next(iter(self._waiting))
        wish = self._waiting.pop(owner)
        self._is_counting = True
        self._submit(
            lambda: self._counter.count(wish.table, wish.rows, wish.cuts, wish.wants),
            lambda counts: self._hand_over(wish, counts),
            self._end,
        )

    def _hand_over(self, wish: _Wish, counts: list[Counts | None]) -> None:
        self._end()
        wish.then(counts)

    def _end(self) -> None:
        self._is_counting = False
        self._next()
