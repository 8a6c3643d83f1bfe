"""The embedded PostgreSQL server: its files, its processes, and the commands that use it."""
