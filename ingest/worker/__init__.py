"""One worker: takes batches, makes requests with several threads, saves the results."""
