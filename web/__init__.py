"""The HTTP server over the mirror; the only package that serves."""
