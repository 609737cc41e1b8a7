"""Changes a session: each function takes one and gives the next; its docstring is the label of its undo.

Functions marked `on_view` change only what is looked at; they are not undone one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pygama_gui.session.pictured import brought_back
from pygama_gui.session.set_changes import with_new_place
from pygama_gui.session.state import (
    NOTHING,
    SIZES,
    Arrangement,
    ChannelMap,
    ChannelsChoice,
    PlaneChoice,
    Run,
    Session,
    ShiftNotes,
    SpectrumChoice,
    Step,
    TrendsChoice,
    Values,
    WaveformChoice,
    with_runs,
)

N_RECENT = 12
Change = TypeVar("Change", bound=Callable[..., Session])

VIEW_ONLY: set[str] = set()
"""Names of the changes that undo passes over."""


def on_view(change: Change) -> Change:
    """Mark a change of what is looked at."""
    VIEW_ONLY.add(change.__name__)
    return change


def label(change: Callable[..., Session], session: Session | None = None, *args: Any) -> str:
    """Give the words for a change in the Edit menu: the first line of its docstring, and what it is about.

    session, args: what it is given, for the name of a setting, a step or a run.
    """
    first = (change.__doc__ or change.__name__).strip().partition("\n")[0].rstrip(".")
    words = first[:1].lower() + first[1:]
    about = "" if session is None else _about(change, session, args)
    return f"{words} ({about})" if about else words


def _about(change: Callable[..., Session], session: Session, args: tuple[Any, ...]) -> str:
    names = change.__code__.co_varnames[1 : 1 + len(args)]
    given = dict(zip(names, args, strict=True))
    run = session.run(given.get("run_id", ""))
    index = given.get("index", -1)
    step = session.chain[index].step if index in range(len(session.chain)) else ""
    number = "" if run is None else run.title[:1].lower() + run.title[1:]
    return " of ".join(part for part in (given.get("name", ""), step or number) if part)


def add_runs(session: Session, runs: Iterable[Run]) -> Session:
    """Add runs."""
    runs = tuple(runs)
    added = with_runs(session, runs)
    if added is session:
        return session
    known = {run.path for run in session.runs}
    new = [run for run in runs if run.path not in known]
    recent = tuple(dict.fromkeys((*(run.path for run in new), *session.recent)))[:N_RECENT]
    return replace(added, recent=recent, selected=session.selected or new[0].run_id)


def remove_run(session: Session, run_id: str) -> Session:
    """Remove run from the list."""
    runs = tuple(run for run in session.runs if run.run_id != run_id)
    if len(runs) == len(session.runs):
        return session
    selected = session.selected
    if selected == run_id:
        selected = runs[0].run_id if runs else ""
    return replace(session, runs=runs, selected=selected)


def open_tier_files(session: Session, runs: Iterable[Run]) -> Session:
    """Open Tier files."""
    return add_runs(session, runs)


def take_tier1(session: Session, run_id: str, path: Path) -> Session:
    """Take the Tier 1 file of a run."""
    return _with_run(session, run_id, tier1=path)


def take_tier_files(
    session: Session, run_id: str, tier1: Path | None, tier2: Path, instead_of: Path | None = None
) -> Session:
    """Take the Tier files of a run.

    instead_of: the Tier 2 file that is gone; data sets read the new one as well.
    """
    taken = _with_run(session, run_id, tier1=tier1, tier2=tier2)
    run = taken.run(run_id)
    if run is None or instead_of is None:
        return taken
    before = replace(run, tier2=instead_of)
    data_sets = tuple(with_new_place(one, before, run) for one in session.data_sets)
    return replace(taken, data_sets=data_sets)


def take_new_place(session: Session, run_id: str, moved: Run) -> Session:
    """Take the new place of a file.

    The run stays the run that it is, with what is shown of it; data sets read it from there as well.
    """
    run = session.run(run_id)
    if run is None:
        return session
    told = ("path", "tier1", "tier2", "size_bytes", "tier_sha256")
    after = replace(run, **{name: getattr(moved, name) for name in told})
    taken = replace(session, runs=tuple(after if one is run else one for one in session.runs))
    recent = tuple(dict.fromkeys((moved.path, *session.recent)))[:N_RECENT]
    data_sets = tuple(with_new_place(one, run, after) for one in session.data_sets)
    return replace(taken, recent=recent, data_sets=data_sets)


def take_raw(session: Session, run_id: str, raw: Run) -> Session:
    """Take the raw file of a run.

    Its Tier files were given before; it stays the run that it is, with what is shown of it.
    """
    told = ("path", "sub_run", "start_time", "size_bytes", "decoders", "header_sha256", "raw_name")
    taken = _with_run(session, run_id, **{name: getattr(raw, name) for name in told})
    recent = tuple(dict.fromkeys((raw.path, *session.recent)))[:N_RECENT]
    return taken if taken is session else replace(taken, recent=recent)


@on_view
def redo_runs(session: Session, run_ids: Iterable[str]) -> Session:
    """Process runs anew of which Tier 2 files were given."""
    wanted = {one for one in run_ids if (run := session.run(one)) is not None and run.tier2 is not None}
    for run_id in wanted:
        session = _with_run(session, run_id, is_redone=True)
    return session


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


def reset_step(session: Session, index: int) -> Session:
    """Reset all settings of a step."""
    return _with_step(session, index, replace(session.chain[index], settings=NOTHING))


def enable_step(session: Session, index: int, enabled: bool) -> Session:  # noqa: FBT001
    """Switch a step."""
    return _with_step(session, index, replace(session.chain[index], enabled=enabled))


def add_step(session: Session, name: str, outputs: Mapping[str, str] = NOTHING) -> Session:
    """Add a step."""
    index = len(session.chain) if session.step is None else min(session.step + 1, len(session.chain))
    step = Step(name, outputs=MappingProxyType(dict(outputs)))
    chain = (*session.chain[:index], step, *session.chain[index:])
    return replace(session, chain=chain, step=index)


def insert_steps(session: Session, index: int, steps: Iterable[Step]) -> Session:
    """Insert steps."""
    new = tuple(steps)
    if not new:
        return session
    chain = (*session.chain[:index], *new, *session.chain[index:])
    return replace(session, chain=chain, step=min(index + len(new), len(chain) - 1))


def duplicate_step(
    session: Session, index: int, outputs: Mapping[str, str], inputs: Mapping[str, str] = NOTHING
) -> Session:
    """Duplicate a step.

    inputs: what the copy reads by name, beside what the step says itself.
    """
    step = session.chain[index]
    reads = MappingProxyType({**step.inputs, **inputs})
    copy = replace(step, inputs=reads, outputs=MappingProxyType(dict(outputs)))
    chain = (*session.chain[: index + 1], copy, *session.chain[index + 1 :])
    return replace(session, chain=chain, step=index + 1)


def rename_output(
    session: Session, index: int, name: str, new: str, readers: Iterable[tuple[int, str]] = ()
) -> Session:
    """Rename what a step writes.

    readers: (step, name that it reads) of those that read it and are to follow.
    """
    step = session.chain[index]
    if new == step.outputs.get(name, name):
        return session
    outputs = _without(step.outputs, name) if new == name else _with(step.outputs, name, new)
    session = _with_step(session, index, replace(step, outputs=outputs))
    before = step.outputs.get(name, name)
    kept, waves = (
        tuple(new if one == before else one for one in those)
        for those in (session.outputs, session.save_waves)
    )
    session = replace(session, outputs=kept, save_waves=waves)
    for at, read in readers:
        session = choose_input(session, at, read, "" if new == read else new)
    return session


def choose_input(session: Session, index: int, name: str, source: str) -> Session:
    """Choose what a step reads.

    An empty source leaves it to the chain.
    """
    step = session.chain[index]
    inputs = _with(step.inputs, name, source) if source else _without(step.inputs, name)
    return _with_step(session, index, replace(step, inputs=inputs))


def set_channels(session: Session, index: int, channels: Mapping[str, Values]) -> Session:
    """Change the settings of single channels."""
    own = {place: MappingProxyType(dict(values)) for place, values in channels.items() if values}
    return _with_step(session, index, replace(session.chain[index], channels=MappingProxyType(own)))


def adopt_settings(session: Session, values: Iterable[tuple[int, str, Any]]) -> Session:
    """Adopt settings of a scan."""
    for index, name, value in values:
        session = set_setting(session, index, name, value)
    return session


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


def set_chain(
    session: Session,
    chain: Iterable[Step],
    tier0: Mapping[str, Any] = NOTHING,
    outputs: Iterable[str] = (),
    save_waves: Iterable[str] = (),
    compact: bool = False,
) -> Session:
    """Take a chain and options from a settings file."""
    taken = replace(session, chain=tuple(chain), tier0=MappingProxyType(dict(tier0)), step=None)
    return replace(taken, outputs=tuple(outputs), save_waves=tuple(save_waves), compact=compact)


def keep_columns(session: Session, names: Iterable[str]) -> Session:
    """Choose the columns that are kept."""
    return replace(session, outputs=tuple(names))


def keep_waves(session: Session, names: Iterable[str]) -> Session:
    """Choose the waveforms that are kept."""
    return replace(session, save_waves=tuple(names))


def set_compact(session: Session, is_compact: bool) -> Session:
    """Choose whether Tier 2 is compact."""
    return replace(session, compact=is_compact)


def take_chain(session: Session, chain: Iterable[Step]) -> Session:
    """Take the chain that the run was processed with."""
    steps = tuple(chain)
    step = session.step if session.step is not None and session.step < len(steps) else None
    return replace(session, chain=steps, step=step)


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
def choose_line(session: Session, line: tuple[float, float] | None) -> Session:
    """Choose the peak that settings are judged by."""
    return replace(session, line=line)


def choose_output_dir(session: Session, folder: Path) -> Session:
    """Choose the output folder."""
    return replace(session, output_dir=folder)


def process_on_add(session: Session, is_wanted: bool) -> Session:  # noqa: FBT001
    """Process runs as they are added, or not."""
    return replace(session, process_on_add=is_wanted)


def watch_folder(session: Session, folder: Path | None) -> Session:
    """Choose the folder that is watched for new runs."""
    return replace(session, watched=folder)


def allow_jobs(session: Session, number: int) -> Session:
    """Choose how many runs are processed at once."""
    return replace(session, n_jobs=number)


@on_view
def choose_size(session: Session, percent: int) -> Session:
    """Choose the size of text and buttons."""
    return replace(session, size_percent=min(max(percent, SIZES[0]), SIZES[-1]))


@on_view
def sign_as(session: Session, shifter: str) -> Session:
    """Sign pages of a shift."""
    return replace(session, shifter=shifter)


def note_shift(session: Session, run_id: str, notes: ShiftNotes) -> Session:
    """Write remarks for the shift page."""
    others = tuple(one for one in session.shift_notes if one.run_id != run_id)
    is_empty = not (notes.note or any(notes.remarks.values()))
    return replace(session, shift_notes=others if is_empty else (*others, notes))


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


def mark_region(session: Session, roi: tuple[float, float] | None) -> Session:
    """Mark a region of the spectrum."""
    return replace(session, spectrum=replace(session.spectrum, roi=roi))


def set_markers(session: Session, markers: Iterable[float]) -> Session:
    """Mark places of the spectrum."""
    return replace(session, spectrum=replace(session.spectrum, markers=tuple(sorted(set(markers)))))


@on_view
def show_plane(session: Session, choice: PlaneChoice) -> Session:
    """Change what the plane shows."""
    return replace(session, plane=choice)


@on_view
def show_trends(session: Session, choice: TrendsChoice) -> Session:
    """Change what the trends show."""
    return replace(session, trends=choice)


def set_band(session: Session, k: float, n_reference: int) -> Session:
    """Choose the reference band of the trends.

    k: its half width in standard deviations. n_reference: earlier runs that it is made of; 0: the run itself.
    """
    trends = replace(session.trends, k=k, n_reference=n_reference, has_band=True)
    return replace(session, trends=trends)


@on_view
def show_channels(session: Session, choice: ChannelsChoice) -> Session:
    """Change what the grid of channels shows."""
    return replace(session, channel_grid=choice)


@on_view
def choose_channel(session: Session, channel: int | None) -> Session:
    """Choose the channel that all views show, or all channels."""
    return replace(
        session,
        spectrum=replace(session.spectrum, channel=channel, is_apart=False),
        waveforms=replace(session.waveforms, channel=channel),
        plane=replace(session.plane, channel=channel),
        trends=replace(session.trends, channel=channel, is_apart=False),
        channel_grid=replace(session.channel_grid, chosen=channel),
    )


@on_view
def show_waveforms(session: Session, choice: WaveformChoice) -> Session:
    """Change what the waveform view shows."""
    return replace(session, waveforms=choice)


def open_session(session: Session, other: Session, keep: Iterable[str] = ()) -> Session:
    """Open a session.

    keep: ids of runs that stay in the list, because they are under way. The output folder stays where the
    session has none.
    """
    kept = [run for run in session.runs if run.run_id in set(keep)]
    recent = tuple(dict.fromkeys((*session.recent, *other.recent)))[:N_RECENT]
    output_dir = other.output_dir or session.output_dir
    return replace(with_runs(other, kept), recent=recent, output_dir=output_dir)


def bring_back(session: Session, other: Session) -> Session:
    """Bring back the view of a picture."""
    return brought_back(session, other)


@on_view
def overrule(session: Session, output_dir: Path | None, theme: str | None) -> Session:
    """Take what the command line says."""
    folder = session.output_dir if output_dir is None else output_dir.resolve()
    return replace(session, output_dir=folder, theme=theme or session.theme)


@on_view
def choose_layout(session: Session, layout: str) -> Session:
    """Choose the layout."""
    return session if layout == session.layout else replace(session, layout=layout)


@on_view
def arrange(session: Session, geometry: str, arrangement: Arrangement | None) -> Session:
    """Arrange the window and its panels."""
    others = {name: held for name, held in session.arrangements.items() if name != session.layout}
    present = {} if arrangement is None else {session.layout: arrangement}
    return replace(session, geometry=geometry, arrangements=MappingProxyType(others | present))


def _with_run(session: Session, run_id: str, **facts: Any) -> Session:
    runs = tuple(replace(run, **facts) if run.run_id == run_id else run for run in session.runs)
    return replace(session, runs=runs)


def _with(values: Values, name: str, value: Any) -> Values:
    return MappingProxyType({**values, name: value})


def _without(values: Values, name: str) -> Values:
    return MappingProxyType({key: value for key, value in values.items() if key != name})


def _with_step(session: Session, index: int, step: Step) -> Session:
    return replace(session, chain=(*session.chain[:index], step, *session.chain[index + 1 :]))
