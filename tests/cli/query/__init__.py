"""Tests of `query_movies.py` as a command."""
