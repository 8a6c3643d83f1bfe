"""Vectors of movies and queries: text models, the recipe, and keeping stored vectors up to date."""
