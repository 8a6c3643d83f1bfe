"""Tests of the mirror: each one states a rule that the program keeps."""
