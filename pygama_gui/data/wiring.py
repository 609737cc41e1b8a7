"""Works out who reads what in a chain, what is amiss, and what would mend it, before anything runs.

It follows the rules of `pygama.processing.plan.bind`, but goes on after the first thing that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from pygama.errors import SettingsError
from pygama.processing.channels import check_channels
from pygama.processing.declare import REGISTRY, Kind, Processor
from pygama.processing.steps import nearest
from pygama.quick_dataclass import dataclass
from pygama_gui.session import changes
from pygama_gui.session.state import DEFAULT_CHAIN, Session, Step

RAW = "waveform"
_KINDS: Mapping[Kind, str] = {"waves": "waveforms", "values": "one number a waveform"}
_MOST_INSERTED = 8


@dataclass(frozen=True, slots=True)
class Read:
    """What a step reads. name: in the processor; asked: what the step says; source: what it gets."""

    name: str
    asked: str
    source: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Mend:
    """A change of the session that does away with what is amiss, and words for its button."""

    words: str
    change: Callable[..., Session]
    args: tuple[Any, ...]
    about: str = ""


@dataclass(frozen=True, slots=True)
class Wire:
    """What one step reads and writes where it stands."""

    known: Processor | None
    reads: tuple[Read, ...] = ()
    writes: tuple[str, ...] = ()
    amiss: str = ""
    mends: tuple[Mend, ...] = ()
    offers: Mapping[str, Kind] = field(default_factory=dict)
    """Arrays that are there before the step, and what they hold."""

    @property
    def words(self) -> str:
        """Say what the step reads and writes."""
        if self.known is None:
            return "not a known step"
        return f"{', '.join(read.source for read in self.reads)} → {', '.join(self.writes)}"


def wires(chain: Sequence[Step]) -> list[Wire]:
    """Follow the arrays through a chain."""
    return list(_Follower(chain).wires())


def runnable(chain: Sequence[Step]) -> tuple[Step, ...]:
    """Give the chain with the steps switched off that cannot run, and those that need them."""
    chain = tuple(chain)
    while broken := {at for at, wire in enumerate(wires(chain)) if wire.amiss}:
        chain = tuple(
            replace(step, enabled=step.enabled and at not in broken) for at, step in enumerate(chain)
        )
    return chain


def readers_after(chain: Sequence[Step], index: int, output: str) -> Iterator[tuple[int, str]]:
    """Find the steps after one that ask for a name, up to the next step that writes it as well."""
    for at in range(index + 1, len(chain)):
        step = chain[at]
        known = REGISTRY.get(step.step)
        if known is None:
            continue
        yield from ((at, name) for name in plain_reads(known) if step.inputs.get(name, name) == output)
        if output in outputs_of(step):
            return


def free_name(chain: Sequence[Step], name: str) -> str:
    """Give a name that no step writes yet: wf_trap, wf_trap_2, …; the number of tp_01 belongs to its name."""
    taken = {RAW, *(output for step in chain for output in outputs_of(step))}
    declared = {output for known in REGISTRY.values() for output, _ in known.writes}
    stem, _, number = name.rpartition("_")
    is_numbered = number.isdecimal() and name not in declared and stem in declared | taken
    stem = stem if is_numbered else name
    names = (name if number == 1 else f"{stem}_{number}" for number in range(1, len(taken) + 3))
    return next(one for one in names if one not in taken)


def outputs_of(step: Step) -> tuple[str, ...]:
    """Name what a step writes; nothing where it is not known."""
    known = REGISTRY.get(step.step)
    return () if known is None else tuple(step.outputs.get(name, name) for name, _ in known.writes)


def makes(chain: Sequence[Step], *, waves: bool) -> tuple[str, ...]:
    """Name what the enabled steps of a chain make that can be kept: single values, or waveforms."""
    made = dict.fromkeys([RAW] if waves else [])
    for step in chain:
        known = REGISTRY.get(step.step)
        if step.enabled and known is not None and known.writes_waves == waves:
            made.update(dict.fromkeys(outputs_of(step)))
    return tuple(made)


def not_made(session: Session) -> tuple[str, ...]:
    """Name what is to be kept though the chain does not make it."""
    columns, waves = makes(session.chain, waves=False), makes(session.chain, waves=True)
    lost = [name for name in session.outputs if name not in columns]
    return (*lost, *(name for name in session.save_waves if name not in waves))


def free_outputs(chain: Sequence[Step], step: Step) -> dict[str, str]:
    """Give the outputs that a further step like this one needs so as not to write what is there."""
    known = REGISTRY.get(step.step)
    names = [] if known is None else [name for name, _ in known.writes]
    wanted = {name: free_name(chain, step.outputs.get(name, name)) for name in names}
    return {name: new for name, new in wanted.items() if new != name}


def inputs_behind(chain: Sequence[Step], index: int) -> dict[str, str]:
    """Name what a copy of a step, right behind it, is to read so as to read the same.

    Without a word it would read what the step itself wrote, where that takes the place of what it reads.
    """
    *_, of_step, of_copy = wires((*chain[: index + 1], chain[index]))
    pairs = zip(of_step.reads, of_copy.reads, strict=True)
    return {read.name: read.source for read, again in pairs if again.source != read.source}


def value_units(chain: Sequence[Step]) -> dict[str, str]:
    """Give the columns that the enabled steps of a chain write, in order, with the units as declared."""
    found: dict[str, str] = {}
    for step in chain:
        known = REGISTRY.get(step.step)
        if step.enabled and known is not None and not known.writes_waves:
            found.update(zip(outputs_of(step), dict(known.writes).values(), strict=True))
    return found


def made_names() -> set[str]:
    """Give the names of all that any processor writes; columns of other names come from the card."""
    return {name for known in REGISTRY.values() for name, _ in known.writes}


def plain_reads(known: Processor) -> list[str]:
    """Name what a processor reads, without the sampling period."""
    return [name for name, kind in known.reads if kind != "period"]


class _Follower:
    """Goes through the steps in order and knows what has been written so far."""

    def __init__(self, chain: Sequence[Step]) -> None:
        self._chain = tuple(chain)
        self._kinds: dict[str, Kind] = {RAW: "waves"}
        self._writers: dict[str, str] = {}
        self._newer: dict[str, str] = {}
        self._made = made_names()

    def wires(self) -> Iterator[Wire]:
        for index, step in enumerate(self._chain):
            known = REGISTRY.get(step.step)
            if known is None:
                words = f"'{step.step}' is not a known step; remove it"
                mend = Mend("Remove it", changes.remove_step, (index,))
                yield Wire(None, amiss=words if step.enabled else "", mends=(mend,) if step.enabled else ())
                continue
            reads = tuple(self._reads(step, known))
            writes = outputs_of(step)
            amiss, mends = self._amiss(index, step, known, reads, writes) if step.enabled else ("", ())
            yield Wire(known, reads, writes, amiss, tuple(mends), dict(self._kinds))
            if step.enabled:
                self._take(step, known, reads, writes)

    def _reads(self, step: Step, known: Processor) -> Iterator[Read]:
        for name, kind in known.reads:
            if kind != "period":
                asked = step.inputs.get(name, "")
                yield Read(name, asked or name, asked or self._latest(name), kind)

    def _latest(self, name: str) -> str:
        while name in self._newer:
            name = self._newer[name]
        return name

    def _take(self, step: Step, known: Processor, reads: tuple[Read, ...], writes: tuple[str, ...]) -> None:
        for name in writes:
            self._kinds[name] = "waves" if known.writes_waves else "values"
            self._writers.setdefault(name, step.step)
        sources = {read.name: read.source for read in reads}
        if known.replaces and (old := sources.get(known.replaces, known.replaces)) != writes[0]:
            self._newer[old] = writes[0]

    def _amiss(
        self, index: int, step: Step, known: Processor, reads: tuple[Read, ...], writes: tuple[str, ...]
    ) -> tuple[str, tuple[Mend, ...]]:
        for read in reads:
            if read.source not in self._kinds and not self._is_from_card(read):
                return self._missing(index, read)
            kind = self._kinds.get(read.source, read.kind)
            if kind != read.kind:
                return self._of_wrong_kind(index, read, kind)
        twice = [
            (name, output)
            for (name, _), output in zip(known.writes, writes, strict=True)
            if output in self._kinds
        ]
        if twice:
            return self._written_twice(index, *twice[0])
        return self._wrong_setting(step, known), ()

    def _is_from_card(self, read: Read) -> bool:
        """Tell whether an array that no step makes is a number of the card: crate, channel and the like."""
        return read.kind == "values" and read.source not in self._made

    def _wrong_setting(self, step: Step, known: Processor) -> str:
        try:
            known.check(step.settings)
            check_channels(known, step.channels)
        except SettingsError as problem:
            return str(problem)
        lacking = [
            setting for setting in known.settings if setting.needed and not step.settings.get(setting.name)
        ]
        return "; ".join(f"needs {setting.name}: {setting.about}" for setting in lacking)

    def _of_wrong_kind(self, index: int, read: Read, kind: Kind) -> tuple[str, tuple[Mend, ...]]:
        words = f"reads {_KINDS[read.kind]}, but '{read.source}' is {_KINDS[kind]}"
        mend = Mend(f"Read {read.name}", changes.choose_input, (index, read.name, ""))
        return words, (mend,) if read.asked != read.name else ()

    def _written_twice(self, index: int, name: str, output: str) -> tuple[str, tuple[Mend, ...]]:
        writer = self._writers.get(output, "the run")
        words = f"writes '{output}', which {writer} writes already; keep one of them"
        new = free_name(self._chain, output)
        readers = tuple(readers_after(self._chain, index, output))
        rename = Mend(f"Call it {new}", changes.rename_output, (index, name, new, readers))
        return words, (rename, Mend("Remove it", changes.remove_step, (index,)))

    def _missing(self, index: int, read: Read) -> tuple[str, tuple[Mend, ...]]:
        missing = read.source
        for at, step in enumerate(self._chain):
            if missing not in outputs_of(step):
                continue
            if at < index and not step.enabled:
                on = Mend(f"Switch {step.step} on", changes.enable_step, (at, True))
                return f"reads '{missing}'; switch {step.step} on", (on,)
            if at > index:
                words = f"reads '{missing}', which nothing before it writes; move {step.step} before it"
                return words, (Mend(f"Move {step.step} up", changes.move_step, (at, index)),)
        writers = [name for name, known in REGISTRY.items() if missing in dict(known.writes)]
        if writers:
            words = f"reads '{missing}', which nothing before it writes; put {' or '.join(writers)} before it"
            return words, tuple(self._insertions(index, writers))
        words = f"reads '{missing}', which no step writes; {nearest(missing, self._fitting(read.kind))}"
        plain = Mend(f"Read {read.name}", changes.choose_input, (index, read.name, ""))
        return words, (plain,) if read.asked != read.name else ()

    def _fitting(self, kind: Kind) -> list[str]:
        return [name for name, there in self._kinds.items() if there == kind]

    def _insertions(self, index: int, writers: Sequence[str]) -> Iterator[Mend]:
        """Offer each writer, with all that it needs itself; the usual one first."""
        usual = [step.step for step in DEFAULT_CHAIN]
        for name in sorted(writers, key=lambda one: one not in usual)[:2]:
            steps = self._with_needs(name, frozenset(self._kinds), 0)
            if steps:
                words = f"Insert {name}" if len(steps) == 1 else f"Insert {name} and what it needs"
                about = f"Insert {', '.join(step.step for step in steps)}"
                yield Mend(words, changes.insert_steps, (index, tuple(steps)), about)

    def _with_needs(self, name: str, there: frozenset[str], depth: int) -> list[Step]:
        """Give a step with those before it that make what it reads; none where that leads nowhere."""
        known = REGISTRY[name]
        steps: list[Step] = []
        for read, kind in known.reads:
            is_there = self._latest(read) in there or kind == "period"
            if is_there or (kind == "values" and read not in self._made):
                continue
            usual = [step.step for step in DEFAULT_CHAIN]
            makers = [maker for maker, other in REGISTRY.items() if read in dict(other.writes)]
            makers.sort(key=lambda one: one not in usual)
            if not makers or depth > _MOST_INSERTED:
                return []
            before = self._with_needs(makers[0], there, depth + 1)
            if not before:
                return []
            steps += before
            there |= {output for step in before for output, _ in REGISTRY[step.step].writes}
        return [*steps, Step(name)]
