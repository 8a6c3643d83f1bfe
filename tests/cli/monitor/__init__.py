"""Tests of `monitor_progress.py` as a command."""
