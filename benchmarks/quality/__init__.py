"""Recommendations and searches against tastes and facts: `python -m benchmarks.quality`."""
