"""Connections to PostgreSQL: engines, retries, waits, signals, and errors explained."""
