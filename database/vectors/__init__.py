"""Embedding spaces, and the vectors stored in them."""
