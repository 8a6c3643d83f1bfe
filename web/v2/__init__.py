"""The YTS API v2: the endpoints, parameters and responses of YTS, from the mirror."""
