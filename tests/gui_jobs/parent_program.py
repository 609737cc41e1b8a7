"""Starts a job and a spare worker, prints the job's own process number and waits to be killed."""

import sys
import threading
from pathlib import Path

from pygama.progress import Note
from pygama_gui.jobs.runner import JobRunner, JobSpec


def main(target: str) -> None:
    runner = JobRunner(target=target)
    runner.warm_up()
    runner.submit(1, JobSpec(Path("Run72"), Path(sys.argv[2])))
    runner.warm_up()
    pause = threading.Event()
    while True:
        for _, message in runner.hear():
            if isinstance(message, Note):
                print(message.text, flush=True)
        pause.wait(0.01)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main(sys.argv[1])
