"""Holds what the plots draw: columns that grow while a run is processed."""
