"""Tests of the doors: the real commands, as processes."""
