"""Helpers of the tests: sources, servers, processes, movies."""
