"""Tests of `fetch_yts_data.py` as a command."""
