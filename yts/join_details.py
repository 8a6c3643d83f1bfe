"""`join_details`: a list row and the details of the same movie as one movie (pure)."""

from typing import TypeVar

from yts.payload import MoviePayload, TorrentPayload

Payload = TypeVar("Payload", MoviePayload, TorrentPayload)


def join_details(row: MoviePayload, details: MoviePayload) -> MoviePayload:
    """
    Return *details* with what only the list row of the movie says.

    To save the result equals saving the row first and the details after it: an unknown value
    replaces nothing, and genres that YTS does not use replace no others.
    """
    known = {torrent.hash: torrent for torrent in row.torrents or ()}
    torrents = details.torrents and tuple(
        _fill(torrent, known.get(torrent.hash, torrent)) for torrent in details.torrents
    )
    is_doubtful = any(row.genres or ()) and not details.has_known_genres
    genres = row.genres if is_doubtful else details.genres
    return _fill(details.model_copy(update={"torrents": torrents, "genres": genres}), row)


def _fill(new: Payload, old: Payload) -> Payload:
    """Return *new* with the values of *old* where it has none."""
    values = {
        name: value
        for name in type(new).model_fields
        if getattr(new, name) is None and (value := getattr(old, name)) is not None
    }
    return new.model_copy(update=values) if values else new
