"""Holds the commands of `pygama`, one module for those that belong together."""
