"""Files: what is inside, rows, and one column against another."""
