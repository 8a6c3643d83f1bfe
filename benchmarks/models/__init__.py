"""Models, compared by searches in several languages: `python -m benchmarks.models`."""
