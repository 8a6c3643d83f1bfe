"""A fetch on a dask cluster beside processes of one machine: `python -m benchmarks.cluster`."""
