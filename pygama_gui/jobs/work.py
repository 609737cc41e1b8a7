"""Does the work of a job; runs in a worker process.

A worker imports this module before it is given a job, so whatever is imported here is what a warm worker
has ready. The window itself never imports it.
"""

from __future__ import annotations

from dataclasses import replace

from pygama.processing.base import Tier1Processor
from pygama.processing.plugins import load_plugin
from pygama.processing.run import process_run
from pygama.processing.tier1 import ProcessTier1
from pygama.progress import Done, KeepsWarnings, Message, Tell
from pygama_gui.jobs.following import Follower
from pygama_gui.jobs.spec import JobSpec, threads_for


def process(spec: JobSpec, tell: Tell) -> None:
    """Make the Tier 1 and the Tier 2 file of one run in one pass, leaving one core to the window.

    Of a Tier 1 file, its Tier 2 file is made.
    """
    for path, sha256 in spec.plugins:
        load_plugin(path, sha256)
    if spec.is_tier1:
        _process_tier1(spec, tell)
        return
    warned, goes_on = KeepsWarnings(tell), getattr(tell, "goes_on", None)
    process_run(
        spec.path,
        output_dir=spec.output_dir,
        tier0=spec.tier0,
        processor=_processor_of(spec),
        n_max=spec.n_max,
        tell=warned,
        n_threads=spec.n_threads or threads_for(1),
        compression=spec.compression,
        suffix=spec.suffix,
        skip=spec.skip,
        within=spec.within,
        tiers=(1, 2) if spec.within is None else (),
        save_waves=spec.save_waves if spec.within is None else (),
        follow=None if spec.follow_s is None else Follower(spec, warned, goes_on=goes_on),
    )


def _processor_of(spec: JobSpec) -> Tier1Processor:
    return Tier1Processor.from_chain(spec.chain, outputs=spec.outputs or None, compact=spec.compact)


def _process_tier1(spec: JobSpec, tell: Tell) -> None:
    """Run the chain over a Tier 1 file, which is only read; it counts among the files of the run."""

    def pass_on(message: Message) -> None:
        if isinstance(message, Done):
            message = replace(message, outputs=(spec.path, *message.outputs))
        tell(message)

    ProcessTier1(
        spec.path,
        _processor_of(spec),
        out_dir=spec.output_dir,
        compression=spec.compression,
        suffix=spec.suffix,
        save_waves=spec.save_waves,
        tell=pass_on,
        n_threads=spec.n_threads or threads_for(1),
        report=False,
    )
