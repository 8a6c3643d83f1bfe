"""Tests of the package database."""
