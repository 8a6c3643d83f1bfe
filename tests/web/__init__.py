"""Tests of the package `web`: the server over a mirror."""
