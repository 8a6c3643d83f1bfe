"""Tests of how responses of YTS are read."""
