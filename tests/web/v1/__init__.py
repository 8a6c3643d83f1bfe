"""Tests of the API v1."""
