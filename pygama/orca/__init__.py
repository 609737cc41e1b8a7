"""Reads and writes the raw files of the ORCA data-acquisition system: headers and records.

`header` reads what a run says of itself, `packets` walks the records of a file of any size, `writer` makes
valid files. What a record means is not known here; that is the business of `pygama.decoders`.
"""
