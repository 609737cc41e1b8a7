"""Says which kernels are compiled on this machine."""

from __future__ import annotations


def compiled_kernels() -> dict[str, bool]:
    """Tell for each kernel whether the compiled one is in use; the others are NumPy's."""
    from pygama.orca import framing
    from pygama.processing.kernels import chain, twins, windows
    from pygama.storage import chunk_map, sample_chunks

    return {
        "framing": framing.IS_COMPILED,
        "windows": windows.COMPILED,
        "chain": chain.COMPILED,
        "steps": twins.COMPILED,
        "bit planes": sample_chunks.COMPILED,
        "chunk walk": chunk_map.compiled is not None,
    }
