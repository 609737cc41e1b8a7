"""Cuts: cards, survival and the table of what they cost."""
