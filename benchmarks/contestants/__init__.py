"""Other programs that mirror the same movies, each a command."""
