"""What the monitor reads: the state of the mirror, past runs, and an overview."""
