"""One fetch run: plan, worker processes, request budget, and the phases of the run."""
