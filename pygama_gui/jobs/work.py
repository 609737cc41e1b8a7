"""Does the work of a job; runs in a worker process.

A worker imports this module before it is given a job, so whatever is imported here is what a warm worker
has ready. The window itself never imports it.
"""

from __future__ import annotations

from pygama.processing.base import Tier1Processor
from pygama.processing.plugins import load_plugin
from pygama.processing.run import process_run
from pygama.progress import KeepsWarnings, Tell
from pygama_gui.jobs.following import Follower
from pygama_gui.jobs.spec import JobSpec, threads_for


def process(spec: JobSpec, tell: Tell) -> None:
    """Make the Tier 1 and the Tier 2 file of one run in one pass, leaving one core to the window."""
    for path, sha256 in spec.plugins:
        load_plugin(path, sha256)
    warned, goes_on = KeepsWarnings(tell), getattr(tell, "goes_on", None)
    process_run(
        spec.path,
        output_dir=spec.output_dir,
        tier0=spec.tier0,
        processor=Tier1Processor.from_chain(spec.chain, outputs=spec.outputs or None),
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
