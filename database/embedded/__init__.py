"""The embedded PostgreSQL server: its files, its processes, and who uses it."""
