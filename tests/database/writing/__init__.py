"""Tests of how movies are saved."""
