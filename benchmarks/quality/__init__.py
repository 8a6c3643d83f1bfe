"""Quality of recommendations and searches, by ratings and facts: `python -m benchmarks.quality`."""
