"""`join_details`: a list row and the details of the same movie as one movie (pure)."""

from typing import Any, TypeVar

from yts.payload import MoviePayload, TorrentPayload

Payload = TypeVar("Payload", MoviePayload, TorrentPayload)


def join_details(row: MoviePayload, details: MoviePayload) -> MoviePayload:
    """
    Return *details* with what only the list row of the movie says.

    To save the result equals saving the row first and the details after it: an unknown value
    replaces nothing, and genres that YTS does not use replace no others.
    """
    known = {torrent.hash: torrent for torrent in row.torrents or ()}
    values = _values_to_fill(details, row)
    if details.torrents:
        values["torrents"] = tuple(
            _fill(torrent, known.get(torrent.hash, torrent)) for torrent in details.torrents
        )
    if any(row.genres or ()) and not details.has_known_genres:
        values["genres"] = row.genres
    return details.model_copy(update=values)


def _fill(new: TorrentPayload, old: TorrentPayload) -> TorrentPayload:
    """Return *new* with the values of *old* where it has none."""
    values = _values_to_fill(new, old)
    return new.model_copy(update=values) if values else new


def _values_to_fill(new: Payload, old: Payload) -> dict[str, Any]:
    """Return the values of *old*, by field, where *new* has none."""
    known = vars(old)
    return {
        name: known[name]
        for name, value in vars(new).items()
        if value is None and known[name] is not None
    }
