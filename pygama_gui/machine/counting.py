"""Has histograms counted under the session's cuts, off the event loop.

The newest wish of each view is served, one after the other, that of the view under the hand first; what the
cuts do is tallied aside, so that no view waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pygama.analysis.cuts import CutSet
from pygama.quick_dataclass import dataclass
from pygama_gui.data.channels import CODE
from pygama_gui.data.cutting import Passing, joined, readable
from pygama_gui.data.dragged import Indexes, Shape, columns_of, shape_of
from pygama_gui.data.linked import Counter, Counts, Cuts, Rows, Want, n_of
from pygama_gui.data.live_set import LiveSet
from pygama_gui.data.passes import Task
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

    def take_back(self, owner: str) -> None:
        """Forget what `owner` wished and did not get yet."""
        self._waiting.pop(owner, None)

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


class FromSample:
    """Hands over what a sample tells until all rows are counted. then: gets either.

    is_stopped: whether somebody stopped the counting. is_whole: whether all was counted of what is found.
    """

    def __init__(
        self, then: Callable[[Any], None], is_stopped: Callable[[], bool], is_whole: Callable[[Any], bool]
    ) -> None:
        self._then, self._is_stopped, self._is_whole = then, is_stopped, is_whole
        self._estimate: Any = None
        self._has_exact = self._is_over = False

    def end(self) -> None:
        """Take nothing of a sample any more."""
        self._is_over = True

    def estimate(self, found: Any) -> None:
        """Take what the sample tells."""
        if not (self._has_exact or self._is_over):
            self._estimate = found
            self._then(found)

    def take(self, found: Any) -> None:
        """Take what was counted; some rows in the order of the files tell less than a sample of all."""
        self._has_exact = self._has_exact or self._is_whole(found) or self._is_stopped()
        self._then(found if self._has_exact or self._estimate is None else self._estimate)


class Counting:
    """What is counted for the views, of the rows of runs as they stand when it is asked for."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._indexes = Indexes()
        self._wishes = Wishes(partial(bridge.threads.do, "count"), self._indexes)
        self._tallying = Wishes(partial(bridge.threads.do, "tally cuts"), self._indexes)
        self._preparing: set[tuple[int, tuple[str, ...], int]] = set()
        self._samples: dict[str, FromSample] = {}
        """What was looked for last in a sample, by who asked."""

    def count(
        self, owner: str, run_id: str, wants: Sequence[Want], then: Answer, *, takes_estimates: bool = False
    ) -> None:
        """Have histograms of a run counted under the present cuts, then hand them to `then`, in order.

        owner: who asks; what it asked before and did not get yet is forgotten. None stands for a histogram
        of a column that the run does not have. Nothing is told of a run that has no data yet.
        takes_estimates: while an edge is dragged over a data set on disk, `then` gets what a sample tells,
        until all is counted.
        """
        live = self._bridge.live(run_id)
        if live is None:
            return
        cuts = passing_of(self._bridge.session)
        names = {CODE}.union(*(want.columns for want in wants), () if cuts is None else cuts.columns)
        rows = self._bridge.rows_of(run_id, names)
        if not (isinstance(live, LiveSet) and live.is_on_disk):
            self._wishes.ask(owner, live, rows, cuts, wants, then)
            return
        tasks, wanted = [(cuts, want) for want in wants], tuple(wants)
        self._count_on_disk(
            owner,
            live,
            tasks,
            (lambda counter: counter.count(live, rows, cuts, wanted)) if takes_estimates else None,
            then,
        )

    def _count_on_disk(
        self,
        owner: str,
        live: LiveSet,
        tasks: Sequence[Task],
        sample: Callable[[Counter], list[Counts | None]] | None,
        then: Answer,
    ) -> None:
        """Have tasks counted from the files. sample: counts them in a sample while an edge is dragged."""
        data_sets = self._bridge.data_sets
        if sample is None:
            data_sets.count(owner, live, tasks, then)
            return
        first = FromSample(then, lambda: data_sets.is_stopped(live), lambda found: _are_whole(found, live))
        is_known = data_sets.count(owner, live, tasks, first.take)
        self._look_at_sample(
            self._wishes, owner, first, lambda counter: _estimates(sample(counter), live), is_known=is_known
        )

    def _look_at_sample(
        self,
        wishes: Wishes,
        owner: str,
        first: FromSample,
        work: Callable[[Counter], Any],
        *,
        is_known: bool,
    ) -> None:
        if self.has_first and not is_known:
            self._samples[owner] = first
            wishes.work(owner, work, first.estimate)
        else:  # what is under way for it is late
            wishes.take_back(owner)
            if (late := self._samples.pop(owner, None)) is not None:
                late.end()

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
        columns = {CODE, *live.columns.names[:1], *cuts.columns, *(one.column for one in peaks), along}
        rows, wanted = self._bridge.rows_of(run_id, columns), tuple(peaks)
        if isinstance(live, LiveSet) and live.is_on_disk:
            self._tally_on_disk(live, rows, cuts, wanted, along, then)
            return
        self._tallying.work(
            CUT_FIGURES, lambda counter: counter.figures(live, rows, cuts, wanted, along), then
        )
        if not self._bridge.is_active(run_id):
            for cut in cuts:
                self._prepare_drag(live, shape_of(cut, rows), rows)

    def _tally_on_disk(
        self,
        live: LiveSet,
        rows: Rows,
        cuts: CutSet,
        peaks: Sequence[Peak],
        along: str,
        then: Callable[[Figures], None],
    ) -> None:
        data_sets = self._bridge.data_sets
        first = FromSample(then, lambda: data_sets.is_stopped(live), lambda found: found.is_whole)

        def estimate(counter: Counter) -> Figures:
            found = counter.figures(live, rows, cuts, peaks, along)
            return replace(found, n_all=live.n_rows, n_sampled=n_of(rows))

        is_known = data_sets.tally(CUT_FIGURES, live, cuts, peaks, along, first.take)
        self._look_at_sample(self._tallying, CUT_FIGURES, first, estimate, is_known=is_known)

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

        names: of the cuts, switched on or not. owner, then: as in `count`, estimates with them.
        """
        live = self._bridge.live(run_id)
        if live is None:
            return
        both = [(self._cuts_with(name, is_on=True), self._cuts_with(name, is_on=False)) for name in names]
        read = {CODE}.union(*(want.columns for want in wants))
        rows = self._bridge.rows_of(
            run_id, read.union(*(one.columns for pair in both for one in pair if one))
        )

        def work(counter: Counter) -> list[WithAndWithout]:
            return [
                (counter.count(live, rows, with_it, wants), counter.count(live, rows, without, wants))
                for with_it, without in both
            ]

        if not (isinstance(live, LiveSet) and live.is_on_disk):
            self._wishes.work(owner, work, then)
            return
        tasks = [(cuts, want) for pair in both for cuts in pair for want in wants]
        self._count_on_disk(
            owner,
            live,
            tasks,
            lambda counter: [one for pair in work(counter) for side in pair for one in side],
            lambda found: then(_in_pairs(found, len(wants))),
        )

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


def _are_whole(found: Sequence[Counts | None], live: LiveRun) -> bool:
    return all(one is None or one.n_rows >= live.n_rows for one in found)


def _estimates(found: Sequence[Counts | None], live: LiveSet) -> list[Counts | None]:
    return [None if one is None else one.as_estimate(live.n_rows) for one in found]


def _in_pairs(found: Sequence[Counts | None], n: int) -> list[WithAndWithout]:
    """Part counts, n with a cut, then n without it, and so on."""
    each = [list(found[at : at + n]) for at in range(0, len(found), n)]
    return list(zip(each[::2], each[1::2], strict=True))
