"""Tests of the pool of workers, and of one worker."""
