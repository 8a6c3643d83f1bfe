"""Benchmarks against other programs that do the same work: `python -m benchmarks`."""
