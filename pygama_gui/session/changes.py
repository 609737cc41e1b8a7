"""Changes a session: each function takes one and gives the next; its docstring is the label of its undo.

Functions marked `on_view` change only what is looked at; they are not undone one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pygama_gui.session.state import (
    NOTHING,
    ChannelMap,
    Run,
    Session,
    SpectrumChoice,
    Step,
    Values,
    WaveformChoice,
)

N_RECENT = 12
Change = TypeVar("Change", bound=Callable[..., Session])

VIEW_FIELDS = (
    "output_dir",
    "theme",
    "tab",
    "spectrum",
    "waveforms",
    "recent",
    "process_on_add",
    "n_jobs",
    "watched",
)
"""What undo leaves as it is."""
VIEW_ONLY: set[str] = set()
"""Names of the changes that undo passes over."""


def on_view(change: Change) -> Change:
    """Mark a change of what is looked at."""
    VIEW_ONLY.add(change.__name__)
    return change


def as_looked_at(session: Session, present: Session) -> Session:
    """Give a session with what is looked at taken from the present one."""
    kept = {name: getattr(present, name) for name in VIEW_FIELDS}
    if session.run(present.selected) is not None:
        kept["selected"] = present.selected
    return replace(session, **kept)


def label(change: Callable[..., Session]) -> str:
    """Give the words for a change in the Edit menu."""
    return (change.__doc__ or change.__name__).strip().rstrip(".").lower()


def add_runs(session: Session, runs: Iterable[Run]) -> Session:
    """Add runs."""
    known = {run.path for run in session.runs}
    new = tuple(run for run in runs if run.path not in known)
    if not new:
        return session
    everything = tuple(
        sorted((*session.runs, *new), key=lambda run: (run.run_number, run.sub_run, str(run.path)))
    )
    recent = tuple(dict.fromkeys((*(run.path for run in new), *session.recent)))[:N_RECENT]
    return replace(session, runs=everything, recent=recent, selected=session.selected or new[0].run_id)


def remove_run(session: Session, run_id: str) -> Session:
    """Remove run from the list."""
    runs = tuple(run for run in session.runs if run.run_id != run_id)
    selected = session.selected
    if selected == run_id:
        selected = runs[0].run_id if runs else ""
    return replace(session, runs=runs, selected=selected)


def write_aside(session: Session, run_id: str, suffix: str) -> Session:
    """Write the files of a run beside those of another."""
    return _with_run(session, run_id, suffix=suffix)


def skip_record(session: Session, run_id: str, offset: int) -> Session:
    """Skip a record of a run."""
    run = session.run(run_id)
    if run is None or offset in run.skip:
        return session
    return _with_run(session, run_id, skip=tuple(sorted((*run.skip, offset))))


@on_view
def select_run(session: Session, run_id: str) -> Session:
    """Select run."""
    return session if run_id == session.selected else replace(session, selected=run_id)


def set_tier0(session: Session, name: str, value: Any) -> Session:
    """Change a Tier 0 option."""
    return replace(session, tier0=_with(session.tier0, name, value))


def reset_tier0(session: Session, name: str) -> Session:
    """Reset a Tier 0 option."""
    return replace(session, tier0=_without(session.tier0, name))


def set_setting(session: Session, index: int, name: str, value: Any) -> Session:
    """Change a setting of a step."""
    step = session.chain[index]
    return _with_step(session, index, replace(step, settings=_with(step.settings, name, value)))


def reset_setting(session: Session, index: int, name: str) -> Session:
    """Reset a setting of a step."""
    step = session.chain[index]
    return _with_step(session, index, replace(step, settings=_without(step.settings, name)))


def enable_step(session: Session, index: int, enabled: bool) -> Session:  # noqa: FBT001
    """Switch a step."""
    return _with_step(session, index, replace(session.chain[index], enabled=enabled))


def add_step(session: Session, name: str) -> Session:
    """Add a step."""
    index = len(session.chain) if session.step is None else min(session.step + 1, len(session.chain))
    chain = (*session.chain[:index], Step(name), *session.chain[index:])
    return replace(session, chain=chain, step=index)


def remove_step(session: Session, index: int) -> Session:
    """Remove a step."""
    chain = session.chain[:index] + session.chain[index + 1 :]
    return replace(session, chain=chain, step=min(index, len(chain) - 1) if chain else None)


def move_step(session: Session, index: int, to: int) -> Session:
    """Move a step."""
    to = max(0, min(to, len(session.chain) - 1))
    if to == index:
        return session
    steps = list(session.chain)
    steps.insert(to, steps.pop(index))
    return replace(session, chain=tuple(steps), step=to)


def set_chain(session: Session, chain: Iterable[Step], tier0: Mapping[str, Any] = NOTHING) -> Session:
    """Take a chain and options from a settings file."""
    return replace(session, chain=tuple(chain), tier0=MappingProxyType(dict(tier0)), step=None)


def take_channel_map(session: Session, channel_map: ChannelMap) -> Session:
    """Take a channel map."""
    return replace(session, channel_map=channel_map)


def forget_channel_map(session: Session) -> Session:
    """Forget the channel map."""
    return replace(session, channel_map=ChannelMap())


@on_view
def select_step(session: Session, index: int | None) -> Session:
    """Select a step."""
    return replace(session, step=index)


@on_view
def choose_output_dir(session: Session, folder: Path) -> Session:
    """Choose the output folder."""
    return replace(session, output_dir=folder)


@on_view
def process_on_add(session: Session, is_wanted: bool) -> Session:  # noqa: FBT001
    """Process runs as they are added."""
    return replace(session, process_on_add=is_wanted)


@on_view
def watch_folder(session: Session, folder: Path | None) -> Session:
    """Watch a folder for new runs, or none."""
    return replace(session, watched=folder)


@on_view
def allow_jobs(session: Session, number: int) -> Session:
    """Process so many runs at once."""
    return replace(session, n_jobs=number)


@on_view
def choose_theme(session: Session, theme: str) -> Session:
    """Choose the theme."""
    return replace(session, theme=theme)


@on_view
def choose_tab(session: Session, tab: int) -> Session:
    """Choose the tab."""
    return session if tab == session.tab else replace(session, tab=tab)


@on_view
def show_spectrum(session: Session, choice: SpectrumChoice) -> Session:
    """Change what the spectrum shows."""
    return replace(session, spectrum=choice)


@on_view
def show_waveforms(session: Session, choice: WaveformChoice) -> Session:
    """Change what the waveform view shows."""
    return replace(session, waveforms=choice)


def _with_run(session: Session, run_id: str, **facts: Any) -> Session:
    runs = tuple(replace(run, **facts) if run.run_id == run_id else run for run in session.runs)
    return replace(session, runs=runs)


def _with(values: Values, name: str, value: Any) -> Values:
    return MappingProxyType({**values, name: value})


def _without(values: Values, name: str) -> Values:
    return MappingProxyType({key: value for key, value in values.items() if key != name})


def _with_step(session: Session, index: int, step: Step) -> Session:
    return replace(session, chain=(*session.chain[:index], step, *session.chain[index + 1 :]))
