"""`save_links`: save genres, cast and torrents of movies; unlisted genres and torrents go."""

from collections.abc import Mapping, Set
from functools import cache

from sqlalchemy import func
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from database.models import Torrent
from database.sql import any_differs, insert_json, json_params, plan_once, table_of
from database.writing.cast import save_cast
from database.writing.genres import save_genres
from database.writing.payload_rows import remove_unlisted, save_rows
from yts.payload import MoviePayload

_TORRENT_COLUMNS = (
    "hash",
    "url",
    "quality",
    "type",
    "is_repack",
    "video_codec",
    "bit_depth",
    "audio_channels",
    "seeds",
    "peers",
    "size",
    "size_bytes",
    "date_uploaded_unix",
)
_TORRENT_KEY = ["movie_id", "hash"]
_TORRENT_ROW = ["movie_id", "date_uploaded", *_TORRENT_COLUMNS]
#: Columns that are written together with a real change, but are not changes by themselves.
_VOLATILE_TORRENT_COLUMNS = frozenset({"seeds", "peers", "date_uploaded_unix"})


def save_links(
    session: Session, movies: Mapping[int, MoviePayload], new: Set[int]
) -> tuple[set[int], set[int]]:
    """
    Save genres, cast and torrents of *movies*, keyed by `movies.id`; does not commit.

    Return the row ids of movies whose genres or torrents changed, and of movies whose document, as
    it was written with the row, does not have the names that are linked. Genres and torrents that a
    response no longer lists are deleted. Cast members stay, because every response has another
    sample of the cast, and a new one is not a change. The rows of *new* movies were created in this
    transaction and have no links yet, so none are read.
    """
    genres_changed, other_genres = save_genres(session, movies, new)
    cast_changed, other_names = save_cast(session, movies, new)
    changed = genres_changed | _save_torrents(session, movies, new)
    return changed, (genres_changed | cast_changed) - new | other_genres | other_names


def _save_torrents(session: Session, movies: Mapping[int, MoviePayload], new: Set[int]) -> set[int]:
    listing = {row_id: movie for row_id, movie in movies.items() if movie.torrents is not None}
    rows = {
        (row_id, torrent.hash): {
            **vars(torrent),
            "movie_id": row_id,
            "date_uploaded": torrent.uploaded_at,
        }
        for row_id, movie in listing.items()
        for torrent in movie.torrents or ()
        if torrent.hash is not None
    }
    changed = save_rows(session, list(rows.values()), new, _INSERT_TORRENTS, _upsert_torrents())
    if old := listing.keys() - new:
        incoming = [{"movie_id": row_id, "hash": hash_} for row_id, hash_ in rows if row_id in old]
        parameters = {**json_params(incoming), "movie_ids": sorted(old)}
        changed |= set(session.scalars(_REMOVE_TORRENTS, parameters))
    return changed


_INSERT_TORRENTS = plan_once(insert_json(Torrent, _TORRENT_ROW))
_REMOVE_TORRENTS = remove_unlisted("torrents", "hash", "text")


@cache
def _upsert_torrents() -> ReturningInsert[int]:
    old, new = table_of(Torrent).c, _INSERT_TORRENTS.excluded
    fresh = [name for name in _TORRENT_ROW if name not in _TORRENT_KEY]
    upsert = _INSERT_TORRENTS.on_conflict_do_update(
        index_elements=_TORRENT_KEY,
        set_={name: func.coalesce(new[name], old[name]) for name in fresh},
        where=any_differs(
            (old[name], new[name]) for name in fresh if name not in _VOLATILE_TORRENT_COLUMNS
        ),
    )
    return plan_once(upsert.returning(old.movie_id))
