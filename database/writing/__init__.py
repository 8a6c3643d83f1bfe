"""Save movies with genres, cast, torrents and search documents, with set-based statements."""
