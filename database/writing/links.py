"""`save_links`: save genres, cast and torrents of movies; unlisted genres and torrents go."""

from collections.abc import Mapping, Set
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    Text,
    bindparam,
    delete,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert

from database.models import Genre, MovieGenre, Torrent
from database.sql import any_differs, column_types, json_params, json_rows, table_of
from database.writing.cast import save_cast
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
    session: Session, movies: Mapping[int, MoviePayload], new: Set[int] = frozenset()
) -> tuple[set[int], set[int]]:
    """
    Save genres, cast and torrents of *movies*, keyed by `movies.id`; does not commit.

    Return the row ids of movies whose genres or torrents changed, and of movies that have a new
    cast member. Genres and torrents that a response no longer lists are deleted. Cast members stay,
    because every response has another sample of the cast, and a new one is not a change. The rows
    of *new* movies were created in this transaction and have no links yet, so none are read.
    """
    changed = _save_genres(session, movies, new)
    cast_changed = save_cast(session, movies, new)
    return changed | _save_torrents(session, movies, new), cast_changed


def _save_genres(session: Session, movies: Mapping[int, MoviePayload], new: Set[int]) -> set[int]:
    genres_of = {
        row_id: movie.genres for row_id, movie in movies.items() if movie.genres is not None
    }
    # Names that YTS does not use may be in another language, so they never replace genres.
    doubtful = [row_id for row_id in genres_of.keys() - new if not movies[row_id].has_known_genres]
    if doubtful:
        for row_id in session.scalars(_have_genres(), {"movie_ids": doubtful}):
            del genres_of[row_id]
    links = [
        {"movie_id": row_id, "name": name}
        for row_id, genres in genres_of.items()
        for name in sorted({genre for genre in genres if genre})
    ]
    names = {genre for genres in genres_of.values() for genre in genres if genre}
    add_genres, remove_links, add_links = _genre_statements()
    session.execute(add_genres, json_params([{"name": name} for name in names]))
    incoming = json_params(links)
    changed = set(session.scalars(add_links, incoming))
    if old := sorted(genres_of.keys() - new):
        changed |= set(session.scalars(remove_links, {**incoming, "movie_ids": old}))
    return changed


@cache
def _have_genres() -> Select[int]:
    links = table_of(MovieGenre)
    return select(links.c.movie_id).where(links.c.movie_id == _any_listed(links)).distinct()


def _key_of(name: ColumnElement[str]) -> ColumnElement[str]:
    """Return a key that is equal for all spellings of a genre: they differ in case and spaces."""
    # Literals, because PostgreSQL treats two parameters as different, and so two keys as well.
    constants = [literal_column(constant, Text) for constant in (r"'\s'", "''", "'g'")]
    return func.lower(func.regexp_replace(name, *constants))


@cache
def _genre_statements() -> tuple[Insert, ReturningDelete[int], ReturningInsert[int]]:
    genres, links = table_of(Genre), table_of(MovieGenre)
    source = json_rows(column_types(Genre, ["name"]))
    key = _key_of(source.c.name)
    unknown = (
        select(func.min(source.c.name))
        .where(key.not_in(select(_key_of(genres.c.name))))
        .group_by(key)
        .order_by(key)
    )
    add_genres = insert(genres).from_select(["name"], unknown)

    # One row for each key, because earlier versions may have left two.
    known = (
        select(func.min(genres.c.id).label("id"), _key_of(genres.c.name).label("key"))
        .group_by(_key_of(genres.c.name))
        .subquery()
    )
    listed = json_rows({"movie_id": links.c.movie_id.type, "name": genres.c.name.type})
    pairs = (
        select(listed.c.movie_id, known.c.id)
        .select_from(listed)
        .join(known, known.c.key == _key_of(listed.c.name))
    )
    is_listed = pairs.where(
        listed.c.movie_id == links.c.movie_id, known.c.id == links.c.genre_id
    ).exists()
    remove_links = delete(links).where(links.c.movie_id == _any_listed(links), ~is_listed)
    add_links = insert(links).from_select(["movie_id", "genre_id"], pairs)
    return (
        add_genres.on_conflict_do_nothing(),
        remove_links.returning(links.c.movie_id),
        add_links.on_conflict_do_nothing().returning(links.c.movie_id),
    )


def _any_listed(links: Table) -> ColumnElement[Any]:
    """Return the operand of the SQL condition "movie_id is in parameter `movie_ids`"."""
    return func.any(bindparam("movie_ids", type_=ARRAY(links.c.movie_id.type)))


def _save_torrents(session: Session, movies: Mapping[int, MoviePayload], new: Set[int]) -> set[int]:
    listing = {row_id: movie for row_id, movie in movies.items() if movie.torrents is not None}
    rows = {
        (row_id, torrent.hash): {name: getattr(torrent, name) for name in _TORRENT_COLUMNS}
        | {"movie_id": row_id, "date_uploaded": torrent.uploaded_at}
        for row_id, movie in listing.items()
        for torrent in movie.torrents or ()
        if torrent.hash is not None
    }
    remove, upsert = _torrent_statements()
    incoming = json_params(list(rows.values()))
    changed = set(session.scalars(upsert, incoming))
    if old := sorted(listing.keys() - new):
        changed |= set(session.scalars(remove, {**incoming, "movie_ids": old}))
    return changed


@cache
def _torrent_statements() -> tuple[ReturningDelete[int], ReturningInsert[int]]:
    torrents = table_of(Torrent)
    old = torrents.c
    listed = json_rows(column_types(Torrent, _TORRENT_KEY))
    is_listed = (
        select(listed.c.hash)
        .where(listed.c.movie_id == old.movie_id, listed.c.hash == old.hash)
        .exists()
    )
    source = json_rows(column_types(Torrent, _TORRENT_ROW))
    statement = insert(torrents).from_select(
        _TORRENT_ROW, select(*(source.c[name] for name in _TORRENT_ROW))
    )
    new = statement.excluded
    fresh = [name for name in _TORRENT_ROW if name not in _TORRENT_KEY]
    upsert = statement.on_conflict_do_update(
        index_elements=_TORRENT_KEY,
        set_={name: func.coalesce(new[name], old[name]) for name in fresh},
        where=any_differs(
            (old[name], new[name]) for name in fresh if name not in _VOLATILE_TORRENT_COLUMNS
        ),
    )
    return (
        delete(torrents)
        .where(old.movie_id == _any_listed(torrents), ~is_listed)
        .returning(old.movie_id),
        upsert.returning(old.movie_id),
    )
