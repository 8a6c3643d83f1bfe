"""Test clusters of dask, and modules that their workers load first."""
