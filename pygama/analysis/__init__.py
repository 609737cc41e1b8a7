"""Works with Tier 2: finds and fits peaks."""
