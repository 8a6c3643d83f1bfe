"""Finds and recommends: vectors of movies, kept in step with their documents."""
