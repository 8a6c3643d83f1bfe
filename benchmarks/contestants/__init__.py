"""Other ways to mirror the same movies, each a command of its own."""
