"""`query_movies.py`: filters from options, movies as rows, exports."""
