"""Save what hangs on a movie: genres and torrents as the answer has them, cast as a union."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Integer,
    SmallInteger,
    Table,
    Update,
    and_,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeEngine

from database.incoming import any_differs, column_types, incoming_rows, table_of, values_of
from database.models import Cast, Genre, MovieCast, MovieGenre, Torrent
from yts.payload import CastPayload, MoviePayload

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
_PERSON_COLUMNS = ("name", "imdb_code", "url_small_image")

Row = dict[str, Any]
Key = TypeVar("Key")


def save_links(session: Session, movies: Mapping[int, MoviePayload]) -> set[int]:
    """
    Save genres, cast and torrents of *movies*, keyed by `movies.id`; does not commit.

    Return the row ids of those whose genres or torrents changed. Genres and
    torrents that an answer no longer lists go; people stay, for every answer names
    another sample of the cast, and a new one is no change.
    """
    changed = _save_genres(session, movies)
    _save_cast(session, movies)
    return changed | _save_torrents(session, movies)


def _save_genres(session: Session, movies: Mapping[int, MoviePayload]) -> set[int]:
    told = {row_id: movie.genres for row_id, movie in movies.items() if movie.genres is not None}
    links = [
        {"movie_id": row_id, "name": name}
        for row_id, genres in told.items()
        for name in sorted({genre for genre in genres if genre})
    ]
    names = {genre for genres in told.values() for genre in genres if genre}
    add_genres, remove_links, add_links = _genre_statements()
    session.execute(add_genres, values_of([{"name": name} for name in names], ["name"]))
    incoming = values_of(links, ["movie_id", "name"])
    gone = session.scalars(remove_links, {**incoming, "told": sorted(told)}).all()
    return {*gone, *session.scalars(add_links, incoming)}


@cache
def _genre_statements() -> tuple[Insert, ReturningDelete[int], ReturningInsert[int]]:
    genres, links = table_of(Genre), table_of(MovieGenre)
    source = incoming_rows(column_types(Genre, ["name"]))
    unknown = select(source.c.name).where(source.c.name.not_in(select(genres.c.name)))
    add_genres = insert(genres).from_select(["name"], unknown.order_by(source.c.name))

    listed = incoming_rows({"movie_id": links.c.movie_id.type, "name": genres.c.name.type})
    pairs = select(listed.c.movie_id, genres.c.id).join(genres, genres.c.name == listed.c.name)
    is_listed = pairs.where(
        listed.c.movie_id == links.c.movie_id, genres.c.id == links.c.genre_id
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


def _save_cast(session: Session, movies: Mapping[int, MoviePayload]) -> None:
    people: dict[str, Row] = {}
    roles: dict[tuple[int, str], Row] = {}
    for row_id, movie in movies.items():
        for person in movie.cast or ():
            if person.name is None:
                continue
            key = person.imdb_code or f"name {person.name}"
            _add(people, key, person.model_dump(include=set(_PERSON_COLUMNS)))
            role = {"movie_id": row_id, "character_name": person.character_name}
            _add(roles, (row_id, key), role | _identity(person))
    if not people:
        return
    _save_people(session, list(people.values()))
    _save_roles(session, list(roles.values()))


def _add(rows: dict[Key, Row], key: Key, row: Row) -> None:
    """Add *row*, or fill in what the one of the same key does not know."""
    known = rows.setdefault(key, row)
    known.update({name: value for name, value in row.items() if known[name] is None})


def _identity(person: CastPayload) -> Row:
    return {"imdb_code": person.imdb_code, "name": person.name}


def _is_this_person(listed: TableValuedAlias) -> ColumnElement[bool]:
    casts = table_of(Cast).c
    by_code = casts.imdb_code == listed.c.imdb_code
    by_name = and_(
        listed.c.imdb_code.is_(None), casts.imdb_code.is_(None), casts.name == listed.c.name
    )
    return by_code | by_name


def _save_people(session: Session, people: Sequence[Row]) -> None:
    """Add those not known yet, and pictures not known yet; the first spelling of a name stays."""
    for statement in _people_statements():
        session.execute(statement, values_of(people, _PERSON_COLUMNS))


@cache
def _people_statements() -> tuple[Insert, Update]:
    casts = table_of(Cast)
    source = incoming_rows(column_types(Cast, _PERSON_COLUMNS))
    unknown = select(*source.c).where(~select(casts.c.id).where(_is_this_person(source)).exists())
    unknown = unknown.order_by(source.c.imdb_code, source.c.name)
    pictures = (
        select(casts.c.id, source.c.url_small_image)
        .join(casts, _is_this_person(source))
        .where(casts.c.url_small_image.is_(None), source.c.url_small_image.is_not(None))
        .order_by(casts.c.id)
        .with_for_update(of=casts, key_share=True)
        .subquery()
    )
    return (
        insert(casts).from_select(list(_PERSON_COLUMNS), unknown).on_conflict_do_nothing(),
        update(casts)
        .where(casts.c.id == pictures.c.id)
        .values(url_small_image=pictures.c.url_small_image),
    )


def _save_roles(session: Session, roles: Sequence[Row]) -> None:
    numbered = [role | {"number": number} for number, role in enumerate(roles)]
    session.execute(_roles_statement(), values_of(numbered, _role_types()))


def _role_types() -> dict[str, TypeEngine[Any]]:
    types = column_types(MovieCast, ["movie_id", "character_name"])
    return types | column_types(Cast, ["imdb_code", "name"]) | {"number": Integer()}


@cache
def _roles_statement() -> Insert:
    casts, links = table_of(Cast), table_of(MovieCast)
    listed = incoming_rows(_role_types())
    known = select(links).where(
        links.c.movie_id == listed.c.movie_id,
        links.c.cast_id == casts.c.id,
        links.c.character_name.is_not(None) | listed.c.character_name.is_(None),
    )
    taken = (
        select(func.coalesce(func.max(links.c.position) + 1, 0))
        .where(links.c.movie_id == listed.c.movie_id)
        .scalar_subquery()
    )
    place = func.row_number().over(partition_by=listed.c.movie_id, order_by=listed.c.number) - 1
    new = (
        select(
            listed.c.movie_id,
            casts.c.id,
            listed.c.character_name,
            (taken + place).cast(SmallInteger),
        )
        .join(casts, _is_this_person(listed))
        .where(~known.exists())
    )
    columns = ["movie_id", "cast_id", "character_name", "position"]
    statement = insert(links).from_select(columns, new)
    return statement.on_conflict_do_update(
        index_elements=["movie_id", "cast_id"],
        set_={"character_name": statement.excluded.character_name},
    )


def _save_torrents(session: Session, movies: Mapping[int, MoviePayload]) -> set[int]:
    told = {row_id: movie for row_id, movie in movies.items() if movie.torrents is not None}
    rows = {
        (row_id, torrent.hash): {name: getattr(torrent, name) for name in _TORRENT_COLUMNS}
        | {"movie_id": row_id, "date_uploaded": torrent.uploaded_at}
        for row_id, movie in told.items()
        for torrent in movie.torrents or ()
        if torrent.hash is not None
    }
    remove, upsert = _torrent_statements()
    keys = values_of(list(rows.values()), _TORRENT_KEY)
    gone = session.scalars(remove, {**keys, "told": sorted(told)}).all()
    return {*gone, *session.scalars(upsert, values_of(list(rows.values()), _TORRENT_ROW))}


@cache
def _torrent_statements() -> tuple[ReturningDelete[int], ReturningInsert[int]]:
    torrents = table_of(Torrent)
    old = torrents.c
    listed = incoming_rows(column_types(Torrent, _TORRENT_KEY))
    is_listed = (
        select(listed.c.hash)
        .where(listed.c.movie_id == old.movie_id, listed.c.hash == old.hash)
        .exists()
    )
    source = incoming_rows(column_types(Torrent, _TORRENT_ROW))
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
