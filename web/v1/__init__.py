"""The API v1 of this program: a table of routes, from which OpenAPI and its page are made."""
