"""Find movies: by name, words, meaning and filters."""
