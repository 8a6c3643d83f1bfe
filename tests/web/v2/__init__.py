"""Tests of the YTS API v2 of the server, without HTTP."""
