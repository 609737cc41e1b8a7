"""Starts the window with `pygama-gui` or `python -m pygama_gui`."""

import logging
import os
import sys
from multiprocessing import util
from typing import NoReturn

from pygama_gui.app import main


def run() -> NoReturn:
    """Run the window as a program, which ends at once when it is closed.

    What others have registered for the end is left out, but for the log and the helpers of worker processes:
    PyQt goes through its objects there, and now and then came upon one that was gone, after all was saved.
    """
    status = main()
    util._exit_function()  # type: ignore[attr-defined]
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    run()
