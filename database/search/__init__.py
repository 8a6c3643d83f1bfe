"""Find movies: by name, words, meaning, filters and similarity."""
