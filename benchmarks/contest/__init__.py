"""Fetching the same movies with this program and four others: `python -m benchmarks.contest`."""
