"""Tests of what the server reads."""
