"""Keeps what YTS says: the tables, the one way to write them, and the ways to read them."""
