"""The laws of the mirror."""
