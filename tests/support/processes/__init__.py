"""Helpers that start processes: commands, programs, and work for worker processes."""
