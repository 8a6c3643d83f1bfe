"""Tests of how movies are found."""
