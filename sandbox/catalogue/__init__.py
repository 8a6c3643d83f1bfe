"""The practice data: movies that follow from a seed, as JSON of the YTS API."""
