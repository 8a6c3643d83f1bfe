"""The HTTP server: endpoints, rate limit, faults on request, control of a running server."""
