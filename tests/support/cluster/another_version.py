"""Preloaded by a worker of a cluster: changes the version of the product there."""

from ingest.backends import dask_worker

dask_worker.__version__ = "99.0"
