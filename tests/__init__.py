"""Tests of the mirror: each one states a rule that the program keeps."""

import sys

# Whatever PYTHONDONTWRITEBYTECODE says: each run, and each worker of it, would otherwise compile
# all modules again, and rewrite the asserts of all tests.
sys.dont_write_bytecode = False
