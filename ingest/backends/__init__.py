"""Where batches run: a thread, processes of this machine, or a dask cluster."""
