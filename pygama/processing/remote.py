"""Runs the chain in the workers of any executor: other processes, or other machines that see the same files.

A task is a stretch of rows of a Tier 1 file; the worker reads it, runs the chain and sends back the columns,
which are a hundredth of the waveforms. Results come in the order of the rows, and only so many are asked for
ahead that memory stays bounded.
"""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from functools import lru_cache
from pathlib import Path
from typing import Any

from pygama.block import Block
from pygama.errors import PygamaError, SettingsError
from pygama.processing.base import Tier1Processor
from pygama.processing.plugins import load_plugin
from pygama.processing.tier2_sink import Chain, Told
from pygama.quick_dataclass import dataclass
from pygama.storage import Table, TierFile

_TASK_BYTES = 16 << 20
_LEAST_AHEAD = 8

_TOKEN = uuid.uuid4().hex

_reading = threading.Lock()
"""HDF5 is for one thread at a time, and a worker may have several."""


class WorkersLost(PygamaError):
    """The workers of an executor died or cannot be reached."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that a worker needs to run the chain, in plain values."""

    chain: str
    """The steps, as JSON."""
    outputs: tuple[str, ...]
    save_waves: tuple[str, ...]
    plugins: tuple[tuple[str, str], ...]
    """(path, SHA-256) of each."""
    is_compact: bool = False
    source: str = ""
    """Name of the settings file that the steps are from."""

    @classmethod
    def of(cls, processor: Tier1Processor, save_waves: tuple[str, ...]) -> Recipe:
        """Write down what a processor does."""
        plugins = tuple((str(plugin.path), plugin.sha256) for plugin in processor.plugins)
        chain, columns = json.dumps(processor.to_chain()), tuple(processor.columns)
        return cls(chain, columns, save_waves, plugins, processor.is_compact, processor.source)


def blocks_from(executor: Executor, path: Path, table: Table, recipe: Recipe) -> Iterator[tuple[Block, Told]]:
    """Give the Tier 2 rows of a table in order, as the workers make them, and what each task has to tell.

    Raises what the chain raises, and WorkersLost where the workers go.
    """
    n_rows = max(_TASK_BYTES // max(2 * table.n_samples, 256), 64)
    starts = iter(range(0, table.n_rows, n_rows))
    ahead: deque[Future[tuple[Block, Told]]] = deque()
    n_ahead = max(2 * (getattr(executor, "_max_workers", None) or os.cpu_count() or 1), _LEAST_AHEAD)
    try:
        while True:
            while len(ahead) < n_ahead and (start := next(starts, None)) is not None:
                stop = min(start + n_rows, table.n_rows)
                work = (str(path.absolute()), table.key, start, stop, recipe, _this_process())
                ahead.append(executor.submit(run_rows, *work))
            if not ahead:
                return
            yield ahead.popleft().result()
    except BrokenExecutor as problem:
        raise WorkersLost(
            f"a worker ended while it processed {path.name}: {problem}. "
            "Too little memory is a frequent cause; try fewer workers, or none"
        ) from problem
    finally:
        for future in ahead:
            future.cancel()


def _this_process() -> tuple[str, int]:
    return _TOKEN, os.getpid()


def run_rows(
    path: str, key: str, start: int, stop: int, recipe: Recipe, asked_by: tuple[str, int]
) -> tuple[Block, Told]:
    """Read rows of a table and run the chain on them; done by a worker, which must be another process."""
    if asked_by == _this_process():
        raise SettingsError(
            "the executor's workers are threads of this process, and HDF5 is for one thread at a time: "
            "pass a ThreadPoolExecutor, or an executor of processes"
        )
    with _reading:
        stamp = Path(path).stat()
        block = _table(path, stamp.st_mtime_ns, stamp.st_size, key).read(start, stop)
    chain = Chain(_processor(recipe), None, recipe.save_waves)
    return chain.run(block), chain.told


@lru_cache(maxsize=4)
def _table(path: str, changed_ns: int, n_bytes: int, key: str) -> Table:
    """Open a table; the time of its file's last change and its size tell whether it must be opened anew."""
    return TierFile(Path(path)).table(key)


@lru_cache(maxsize=4)
def _processor(recipe: Recipe) -> Tier1Processor:
    for path, sha256 in recipe.plugins:
        load_plugin(path, sha256)
    chain: list[Mapping[str, Any]] = json.loads(recipe.chain)
    settings = {"chain": chain, "outputs": recipe.outputs, "compact": recipe.is_compact}
    return Tier1Processor.from_settings(settings, source=recipe.source)
