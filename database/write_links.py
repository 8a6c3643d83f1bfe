"""Save what hangs on a movie: genres and torrents as the answer has them, cast as a union."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Integer, SmallInteger, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import TableValuedAlias

from database.incoming import any_differs, column_types, incoming_rows
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
    source = incoming_rows(column_types(Genre, ["name"]), [{"name": name} for name in names])
    unknown = select(source.c.name).where(source.c.name.not_in(select(Genre.name)))
    unknown = unknown.order_by(source.c.name)
    session.execute(insert(Genre).from_select(["name"], unknown).on_conflict_do_nothing())

    types = column_types(MovieGenre, ["movie_id"]) | column_types(Genre, ["name"])
    listed = incoming_rows(types, links)
    pairs = select(listed.c.movie_id, Genre.id).join(Genre, Genre.name == listed.c.name)
    gone = session.scalars(
        delete(MovieGenre)
        .where(
            MovieGenre.movie_id == func.any(sorted(told)),
            ~pairs.where(
                listed.c.movie_id == MovieGenre.movie_id, Genre.id == MovieGenre.genre_id
            ).exists(),
        )
        .returning(MovieGenre.movie_id)
    )
    changed = set(gone)
    new = session.scalars(
        insert(MovieGenre)
        .from_select(["movie_id", "genre_id"], pairs)
        .on_conflict_do_nothing()
        .returning(MovieGenre.movie_id)
    )
    return changed | set(new)


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
    by_code = Cast.imdb_code == listed.c.imdb_code
    by_name = and_(
        listed.c.imdb_code.is_(None), Cast.imdb_code.is_(None), Cast.name == listed.c.name
    )
    return by_code | by_name


def _save_people(session: Session, people: Sequence[Row]) -> None:
    """Add those not known yet, and pictures not known yet; the first spelling of a name stays."""
    source = incoming_rows(column_types(Cast, _PERSON_COLUMNS), people)
    unknown = select(*source.c).where(~select(Cast.id).where(_is_this_person(source)).exists())
    unknown = unknown.order_by(source.c.imdb_code, source.c.name)
    session.execute(
        insert(Cast).from_select(list(_PERSON_COLUMNS), unknown).on_conflict_do_nothing()
    )
    pictures = (
        select(Cast.id, source.c.url_small_image)
        .join(Cast, _is_this_person(source))
        .where(Cast.url_small_image.is_(None), source.c.url_small_image.is_not(None))
        .order_by(Cast.id)
        .with_for_update(of=Cast, key_share=True)
        .subquery()
    )
    session.execute(
        update(Cast)
        .where(Cast.id == pictures.c.id)
        .values(url_small_image=pictures.c.url_small_image)
        .execution_options(synchronize_session=False)
    )


def _save_roles(session: Session, roles: Sequence[Row]) -> None:
    numbered = [role | {"number": number} for number, role in enumerate(roles)]
    types = column_types(MovieCast, ["movie_id", "character_name"])
    types |= column_types(Cast, ["imdb_code", "name"])
    listed = incoming_rows({**types, "number": Integer()}, numbered)
    known = select(MovieCast).where(
        MovieCast.movie_id == listed.c.movie_id,
        MovieCast.cast_id == Cast.id,
        MovieCast.character_name.is_not(None) | listed.c.character_name.is_(None),
    )
    taken = (
        select(func.coalesce(func.max(MovieCast.position) + 1, 0))
        .where(MovieCast.movie_id == listed.c.movie_id)
        .scalar_subquery()
    )
    place = func.row_number().over(partition_by=listed.c.movie_id, order_by=listed.c.number) - 1
    new = (
        select(
            listed.c.movie_id,
            Cast.id,
            listed.c.character_name,
            (taken + place).cast(SmallInteger),
        )
        .join(Cast, _is_this_person(listed))
        .where(~known.exists())
    )
    columns = ["movie_id", "cast_id", "character_name", "position"]
    statement = insert(MovieCast).from_select(columns, new)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["movie_id", "cast_id"],
            set_={"character_name": statement.excluded.character_name},
        )
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
    names = ["movie_id", "date_uploaded", *_TORRENT_COLUMNS]
    source = incoming_rows(column_types(Torrent, names), list(rows.values()))
    gone = session.scalars(
        delete(Torrent)
        .where(
            Torrent.movie_id == func.any(sorted(told)),
            ~select(source.c.hash)
            .where(source.c.movie_id == Torrent.movie_id, source.c.hash == Torrent.hash)
            .exists(),
        )
        .returning(Torrent.movie_id)
    )
    changed = set(gone)
    statement = insert(Torrent).from_select(names, select(*(source.c[name] for name in names)))
    old, new = Torrent.__table__.c, statement.excluded
    fresh = [name for name in names if name not in {"movie_id", "hash"}]
    saved = session.scalars(
        statement.on_conflict_do_update(
            index_elements=["movie_id", "hash"],
            set_={name: func.coalesce(new[name], old[name]) for name in fresh},
            where=any_differs(
                (old[name], new[name]) for name in fresh if name not in _VOLATILE_TORRENT_COLUMNS
            ),
        ).returning(Torrent.movie_id)
    )
    return changed | set(saved)
