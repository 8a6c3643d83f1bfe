"""Tests of ingest/: plan, sweep, pool and whole runs."""
