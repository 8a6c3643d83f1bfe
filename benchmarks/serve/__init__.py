"""Measure the server over a mirror beside other servers that serve the same movies."""
