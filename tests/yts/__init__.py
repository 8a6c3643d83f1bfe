"""Tests of `yts`: responses, timeouts, errors and retries."""
