"""Saving, totals and searches with a million movies: `python -m benchmarks.million`."""
