"""Works with Tier 2: finds and fits peaks, chooses events by cuts, counts them in histograms."""
