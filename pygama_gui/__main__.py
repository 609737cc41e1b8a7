"""Starts the window with `pygama-gui` or `python -m pygama_gui`."""

import atexit
import os
import sys
from typing import NoReturn

from pygama_gui.app import main


def run() -> NoReturn:
    """Run the window as a program, which ends when it is closed.

    What is registered for the end is done; then the process ends at once. A Python that takes itself apart
    takes Qt's objects apart in no order, and now and then that crashed after all was saved.
    """
    status = main()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    run()
