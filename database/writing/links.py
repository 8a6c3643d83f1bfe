"""Save what hangs on a movie: genres and torrents as the answer has them."""

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
from database.sql import any_differs, column_types, table_of, unnest_params, unnest_rows
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
#: Written along with a real change, but none by themselves.
_VOLATILE_TORRENT_COLUMNS = frozenset({"seeds", "peers", "date_uploaded_unix"})


def save_links(
    session: Session, movies: Mapping[int, MoviePayload], new: Set[int] = frozenset()
) -> tuple[set[int], set[int]]:
    """
    Save genres, cast and torrents of *movies*, keyed by `movies.id`; does not commit.

    Return the row ids of those whose genres or torrents changed, and of those in which
    somebody appears for the first time. Genres and torrents that an answer no longer lists
    go; people stay, for every answer names another sample of the cast, and a new one is no
    change. The rows of *new* movies were made in this transaction and have nothing yet, so
    nothing is looked up for them.
    """
    changed = _save_genres(session, movies, new)
    cast_changed = save_cast(session, movies, new)
    return changed | _save_torrents(session, movies, new), cast_changed


def _save_genres(session: Session, movies: Mapping[int, MoviePayload], new: Set[int]) -> set[int]:
    told = {row_id: movie.genres for row_id, movie in movies.items() if movie.genres is not None}
    # Names that YTS does not use may be in another language: they fill an empty place only.
    doubtful = [row_id for row_id in told.keys() - new if not movies[row_id].has_known_genres]
    if doubtful:
        for row_id in session.scalars(_have_genres(), {"told": doubtful}):
            del told[row_id]
    links = [
        {"movie_id": row_id, "name": name}
        for row_id, genres in told.items()
        for name in sorted({genre for genre in genres if genre})
    ]
    names = {genre for genres in told.values() for genre in genres if genre}
    add_genres, remove_links, add_links = _genre_statements()
    session.execute(add_genres, unnest_params([{"name": name} for name in names], ["name"]))
    incoming = unnest_params(links, ["movie_id", "name"])
    changed = set(session.scalars(add_links, incoming))
    if old := sorted(told.keys() - new):
        changed |= set(session.scalars(remove_links, {**incoming, "told": old}))
    return changed


@cache
def _have_genres() -> Select[int]:
    links = table_of(MovieGenre)
    return select(links.c.movie_id).where(links.c.movie_id == _any_told(links)).distinct()


def _key_of(name: ColumnElement[str]) -> ColumnElement[str]:
    """Return what names of one genre have in common: they may differ in case and blanks."""
    # Literals, because PostgreSQL takes two parameters for different, and thus two keys.
    constants = [literal_column(it, Text) for it in (r"'\s'", "''", "'g'")]
    return func.lower(func.regexp_replace(name, *constants))


@cache
def _genre_statements() -> tuple[Insert, ReturningDelete[int], ReturningInsert[int]]:
    genres, links = table_of(Genre), table_of(MovieGenre)
    source = unnest_rows(column_types(Genre, ["name"]))
    key = _key_of(source.c.name)
    unknown = (
        select(func.min(source.c.name))
        .where(key.not_in(select(_key_of(genres.c.name))))
        .group_by(key)
        .order_by(key)
    )
    add_genres = insert(genres).from_select(["name"], unknown)

    # One row for each key, should there be two of earlier versions.
    known = (
        select(func.min(genres.c.id).label("id"), _key_of(genres.c.name).label("key"))
        .group_by(_key_of(genres.c.name))
        .subquery()
    )
    listed = unnest_rows({"movie_id": links.c.movie_id.type, "name": genres.c.name.type})
    pairs = (
        select(listed.c.movie_id, known.c.id)
        .select_from(listed)
        .join(known, known.c.key == _key_of(listed.c.name))
    )
    is_listed = pairs.where(
        listed.c.movie_id == links.c.movie_id, known.c.id == links.c.genre_id
    ).exists()
    remove_links = delete(links).where(links.c.movie_id == _any_told(links), ~is_listed)
    add_links = insert(links).from_select(["movie_id", "genre_id"], pairs)
    return (
        add_genres.on_conflict_do_nothing(),
        remove_links.returning(links.c.movie_id),
        add_links.on_conflict_do_nothing().returning(links.c.movie_id),
    )


def _any_told(links: Table) -> ColumnElement[Any]:
    """Return what is any of the movies whose links the answers tell, parameter `told`."""
    return func.any(bindparam("told", type_=ARRAY(links.c.movie_id.type)))


def _save_torrents(session: Session, movies: Mapping[int, MoviePayload], new: Set[int]) -> set[int]:
    told = {row_id: movie for row_id, movie in movies.items() if movie.torrents is not None}
    rows = {
        (row_id, torrent.hash): {name: getattr(torrent, name) for name in _TORRENT_COLUMNS}
        | {"movie_id": row_id, "date_uploaded": torrent.uploaded_at}
        for row_id, movie in told.items()
        for torrent in movie.torrents or ()
        if torrent.hash is not None
    }
    remove, upsert = _torrent_statements()
    incoming = unnest_params(list(rows.values()), _TORRENT_ROW)
    changed = set(session.scalars(upsert, incoming))
    if old := sorted(told.keys() - new):
        changed |= set(session.scalars(remove, {**incoming, "told": old}))
    return changed


@cache
def _torrent_statements() -> tuple[ReturningDelete[int], ReturningInsert[int]]:
    torrents = table_of(Torrent)
    old = torrents.c
    listed = unnest_rows(column_types(Torrent, _TORRENT_KEY))
    is_listed = (
        select(listed.c.hash)
        .where(listed.c.movie_id == old.movie_id, listed.c.hash == old.hash)
        .exists()
    )
    source = unnest_rows(column_types(Torrent, _TORRENT_ROW))
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
        .where(old.movie_id == _any_told(torrents), ~is_listed)
        .returning(old.movie_id),
        upsert.returning(old.movie_id),
    )
