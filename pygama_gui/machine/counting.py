"""Has histograms counted under the session's cuts, off the event loop.

The newest wish of each view is served, one after the other, that of the view under the hand first; what the
cuts do is tallied aside, so that no view waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pygama.quick_dataclass import dataclass
from pygama_gui.data.channels import CODE
from pygama_gui.data.cutting import Passing, joined, readable
from pygama_gui.data.dragged import Indexes, Shape, columns_of, shape_of
from pygama_gui.data.linked import Counter, Counts, Cuts, Rows, Want
from pygama_gui.data.live_set import LiveSet
from pygama_gui.data.selection import passing_of
from pygama_gui.data.tally import Figures, Peak

if TYPE_CHECKING:
    from pygama_gui.bridge import Bridge
    from pygama_gui.data.live_run import LiveRun

CUT_FIGURES = "figures of the cuts"

WithAndWithout = tuple[list[Counts | None], list[Counts | None]]
"""Histograms under the cuts with one of them, and without it."""
Submit = Callable[[Callable[[], Any], Callable[[Any], None], Callable[[], None]], None]
Answer = Callable[[list[Counts | None]], None]


@dataclass(frozen=True)
class _Wish:
    work: Callable[[Counter], Any]
    then: Callable[[Any], None]
    otherwise: Callable[[], None]


class Wishes:
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

    def work(
        self,
        owner: str,
        work: Callable[[Counter], Any],
        then: Callable[[Any], None],
        otherwise: Callable[[], None] = lambda: None,
    ) -> None:
        """Have something else done with what is counted, as `ask`; otherwise: called if it went wrong."""
        self._waiting[owner] = _Wish(work, then, otherwise)
        self._next()

    def _next(self) -> None:
        if self._is_counting or not self._waiting:
            return
        owner = self._whose_turn()
        self._was_first = self._is_first(owner)
        wish = self._waiting.pop(owner)
        self._is_counting = True
        self._submit(
            lambda: wish.work(self._counter),
            lambda found: self._hand_over(wish, found),
            lambda: self._give_up(wish),
        )

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

    def _give_up(self, wish: _Wish) -> None:
        self._end()
        wish.otherwise()

    def _end(self) -> None:
        self._is_counting = False
        self._next()


class Counting:
    """What is counted for the views, of the rows of runs as they stand when it is asked for."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._indexes = Indexes()
        self._wishes = Wishes(partial(bridge.threads.do, "count"), self._indexes)
        self._tallying = Wishes(partial(bridge.threads.do, "tally cuts"), self._indexes)
        self._preparing: set[tuple[int, tuple[str, ...], int]] = set()

    def count(self, owner: str, run_id: str, wants: Sequence[Want], then: Answer) -> None:
        """Have histograms of a run counted under the present cuts, then hand them to `then`, in order.

        owner: who asks; what it asked before and did not get yet is forgotten. None stands for a histogram
        of a column that the run does not have. Nothing is told of a run that has no data yet.
        """
        live = self._bridge.live(run_id)
        if live is None:
            return
        cuts = passing_of(self._bridge.session)
        if isinstance(live, LiveSet) and live.is_on_disk:
            self._bridge.data_sets.count(owner, live, [(cuts, want) for want in wants], then)
            return
        names = {CODE}.union(*(want.columns for want in wants), () if cuts is None else cuts.columns)
        self._wishes.ask(owner, live, self._bridge.rows_of(run_id, names), cuts, wants, then)

    def follow(
        self,
        owner: str,
        find: Callable[[Counter], Any],
        make: Callable[[Any], Any],
        then: Callable[[Any], None],
        otherwise: Callable[[], None],
    ) -> None:
        """Have something found in what is counted, then something made of it where no histogram waits for it.

        then: gets what was made. otherwise: called if something went wrong. owner: as in `count`.
        """
        self._wishes.work(
            owner,
            find,
            lambda found: self._bridge.threads.do("follow hand", lambda: make(found), then, otherwise),
            otherwise,
        )

    def tally(self, run_id: str, peaks: Sequence[Peak], along: str, then: Callable[[Figures], None]) -> None:
        """Have it counted what each cut does to a run, in peaks and along a column too; no view waits."""
        live = self._bridge.live(run_id)
        if live is None:
            return
        cuts, _ = readable(self._bridge.session.cuts)
        if isinstance(live, LiveSet) and live.is_on_disk:
            self._bridge.data_sets.tally(CUT_FIGURES, live, cuts, peaks, along, then)
            return
        columns = {CODE, *live.columns.names[:1], *cuts.columns, *(one.column for one in peaks), along}
        rows, wanted = self._bridge.rows_of(run_id, columns), tuple(peaks)
        self._tallying.work(
            CUT_FIGURES, lambda counter: counter.figures(live, rows, cuts, wanted, along), then
        )
        if not self._bridge.is_active(run_id):
            for cut in cuts:
                self._prepare_drag(live, shape_of(cut, rows), rows)

    def _prepare_drag(self, live: LiveRun, shape: Shape | None, rows: Rows) -> None:
        """Make an index of what a cut lies over, so that its edges can be dragged among very many rows."""
        if shape is None:
            return
        names = columns_of(shape)
        if not self._indexes.are_needed(live, names, len(live.columns)):
            return
        if (key := (id(live), names, len(live.columns))) not in self._preparing:
            self._preparing.add(key)
            values = [rows[name] for name in names]
            self._bridge.compute(
                lambda: self._indexes.prepare(live, names, *values),
                lambda _nothing: self._preparing.discard(key),
            )

    def count_each(
        self,
        owner: str,
        run_id: str,
        names: Sequence[str],
        wants: Sequence[Want],
        then: Callable[[list[WithAndWithout]], None],
    ) -> None:
        """Have histograms of a run counted with each of some cuts and without it, all others as they are.

        names: of the cuts, switched on or not. owner, then: as in `count`.
        """
        live = self._bridge.live(run_id)
        if live is None:
            return
        both = [(self._cuts_with(name, is_on=True), self._cuts_with(name, is_on=False)) for name in names]
        if isinstance(live, LiveSet) and live.is_on_disk:
            tasks = [(cuts, want) for pair in both for cuts in pair for want in wants]
            self._bridge.data_sets.count(owner, live, tasks, lambda found: then(_in_pairs(found, len(wants))))
            return
        read = {CODE}.union(*(want.columns for want in wants))
        rows = self._bridge.rows_of(
            run_id, read.union(*(one.columns for pair in both for one in pair if one))
        )

        def work(counter: Counter) -> list[WithAndWithout]:
            return [
                (counter.count(live, rows, with_it, wants), counter.count(live, rows, without, wants))
                for with_it, without in both
            ]

        self._wishes.work(owner, work, then)

    def _cuts_with(self, name: str, *, is_on: bool) -> Passing | None:
        return joined(
            tuple(
                replace(cut, enabled=is_on) if cut.name == name else cut for cut in self._bridge.session.cuts
            )
        )

    @property
    def is_busy(self) -> bool:
        """Whether something waits to be counted, or is being counted."""
        is_idle = self._wishes.is_idle and self._tallying.is_idle and self._bridge.data_sets.is_idle
        return not is_idle or bool(self._preparing)

    def serve_first(self, owner: str) -> None:
        """Serve the view under the hand before all others, and draw more often; '' ends it.

        owner: how the names begin under which it asks.
        """
        self._wishes.first = owner
        self._bridge.hurry(is_wanted=bool(owner))
        if not owner:
            self._bridge.data_sets.take_hand_away()

    @property
    def has_first(self) -> bool:
        """Whether something is under the hand."""
        return bool(self._wishes.first)


def _in_pairs(found: Sequence[Counts | None], n: int) -> list[WithAndWithout]:
    """Part counts, n with a cut, then n without it, and so on."""
    each = [list(found[at : at + n]) for at in range(0, len(found), n)]
    return list(zip(each[::2], each[1::2], strict=True))
