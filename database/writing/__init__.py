"""Save movies with genres, cast, torrents and search documents, set by set."""
