"""State of the mirroring: runs, failures, missing ids, the sweep, the request budget."""
