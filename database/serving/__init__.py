"""Reads for the server: movies as JSON made by PostgreSQL, in sessions that cannot write."""
