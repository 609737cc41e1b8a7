"""The list of runs, their cards, headers and data sets."""
