"""The chain: steps, settings, preview and scan."""
