"""Long proofs, run by hand: `python -m tests.proofs --help`."""
