"""Time and memory of fetch runs as the catalogue grows: `python -m benchmarks.growth`."""
