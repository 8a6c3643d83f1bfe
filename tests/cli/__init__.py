"""Tests of the commands, as processes where a process is the point."""
