"""How fast this program is beside others that do the same work: `python -m benchmarks`."""
