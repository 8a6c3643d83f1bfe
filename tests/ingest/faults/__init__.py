"""Tests of runs whose source, database or process fails."""
