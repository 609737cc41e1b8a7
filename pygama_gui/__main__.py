"""Starts the window with `python -m pygama_gui`."""

import sys

from pygama_gui.app import main

if __name__ == "__main__":
    sys.exit(main())
