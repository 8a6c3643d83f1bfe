"""Servers that tests start: YTS APIs, PostgreSQL, and the server over a mirror."""
