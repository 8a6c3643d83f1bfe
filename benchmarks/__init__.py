"""Comparison with other programs that do the same work: `python -m benchmarks`."""
