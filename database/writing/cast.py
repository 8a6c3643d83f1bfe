"""`save_cast`: add cast members; none is removed, because each response has another sample."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    Select,
    Update,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.orm import Session

from database.models import Cast, MovieCast
from database.sql import column_types, json_params, json_rows, table_of
from yts.payload import MoviePayload

_PERSON_COLUMNS = ("name", "imdb_code", "url_small_image")
_ROLE_COLUMNS = ("movie_id", "cast_id", "character_name", "position")

CastLinkRow = dict[str, Any]
#: From `movies.id` and `casts.id` to the name of the character, if known, and the position.
Roles = dict[tuple[int, int], tuple[str | None, int]]
Key = TypeVar("Key")


def save_cast(session: Session, movies: Mapping[int, MoviePayload], new: Set[int]) -> set[int]:
    """
    Save the cast of *movies*, keyed by `movies.id`; nothing is removed. Does not commit.

    Return the row ids of movies with a new cast member. The caller has locked the rows of the
    movies; *new* ones have no cast yet.
    """
    people: dict[str, CastLinkRow] = {}
    roles: dict[tuple[int, str], CastLinkRow] = {}
    for row_id, movie in movies.items():
        for person in movie.cast or ():
            if person.name is None:
                continue
            key = _key(person.imdb_code, person.name)
            _add(people, key, {name: getattr(person, name) for name in _PERSON_COLUMNS})
            role = {"movie_id": row_id, "key": key, "character_name": person.character_name}
            _add(roles, (row_id, key), role)
    if not people:
        return set()
    ids = _save_people(session, people)
    listed = [role | {"cast_id": ids[role["key"]]} for role in roles.values()]
    known = _read_roles(session, {movie_id for movie_id, _ in roles} - new)
    if rows := _choose_roles(listed, known):
        session.execute(_roles_statement(), json_params(rows))
    return {row["movie_id"] for row in rows if (row["movie_id"], row["cast_id"]) not in known}


def _key(imdb_code: str | None, name: str) -> str:
    """Return the key of a person: the IMDb code, or the name if there is none."""
    return imdb_code or f"name {name}"


def _add(rows: dict[Key, CastLinkRow], key: Key, row: CastLinkRow) -> None:
    """Add *row*, or fill unknown values of the row with the same key."""
    known = rows.setdefault(key, row)
    known.update({name: value for name, value in row.items() if known[name] is None})


def _save_people(session: Session, people: Mapping[str, CastLinkRow]) -> dict[str, int]:
    """
    Add new people and new pictures; return `casts.id` of all, by key. The first spelling of a name
    stays.
    """
    known = _read_people(session, list(people.values()))
    unknown = [people[key] for key in sorted(people.keys() - known.keys())]
    if unknown:
        session.execute(_people_statement(), json_params(unknown))
        # This includes people that another writer has added meanwhile.
        known |= _read_people(session, unknown)
    pictures = [
        {"id": row_id, "url_small_image": people[key]["url_small_image"]}
        for key, (row_id, has_picture) in known.items()
        if not has_picture and people[key]["url_small_image"] is not None
    ]
    if pictures:
        session.execute(_pictures_statement(), json_params(pictures))
    return {key: row_id for key, (row_id, _) in known.items()}


def _read_people(session: Session, people: Sequence[CastLinkRow]) -> dict[str, tuple[int, bool]]:
    """Return id, and whether there is a picture, for each stored person of *people*, by key."""
    codes = [row["imdb_code"] for row in people if row["imdb_code"]]
    names = [row["name"] for row in people if not row["imdb_code"]]
    rows = session.execute(_known_statement(), {"codes": codes, "names": names})
    return {_key(code, name): (row_id, has_picture) for row_id, code, name, has_picture in rows}


@cache
def _known_statement() -> Select[int, str | None, str, bool]:
    casts = table_of(Cast).c
    codes = bindparam("codes", type_=ARRAY(casts.imdb_code.type))
    names = bindparam("names", type_=ARRAY(casts.name.type))
    return select(casts.id, casts.imdb_code, casts.name, casts.url_small_image.is_not(None)).where(
        or_(
            casts.imdb_code == func.any(codes),
            and_(casts.imdb_code.is_(None), casts.name == func.any(names)),
        )
    )


@cache
def _people_statement() -> Insert:
    source = json_rows(column_types(Cast, _PERSON_COLUMNS))
    statement = insert(table_of(Cast)).from_select(list(_PERSON_COLUMNS), select(*source.c))
    return statement.on_conflict_do_nothing()


@cache
def _pictures_statement() -> Update:
    casts = table_of(Cast)
    source = json_rows(column_types(Cast, ["id", "url_small_image"]))
    # Locked in the order of their ids, otherwise two writers could block each other.
    lacking = (
        select(casts.c.id, source.c.url_small_image)
        .join(casts, casts.c.id == source.c.id)
        .where(casts.c.url_small_image.is_(None))
        .order_by(casts.c.id)
        .with_for_update(of=casts, key_share=True)
        .subquery()
    )
    return (
        update(casts)
        .where(casts.c.id == lacking.c.id)
        .values(url_small_image=lacking.c.url_small_image)
    )


def _read_roles(session: Session, movie_ids: Set[int]) -> Roles:
    """Return the stored cast of these movies."""
    if not movie_ids:
        return {}
    rows = session.execute(_stored_roles_statement(), {"movie_ids": sorted(movie_ids)})
    return {(movie_id, cast_id): (name, position) for movie_id, cast_id, name, position in rows}


@cache
def _stored_roles_statement() -> Select[int, int, str | None, int]:
    roles = table_of(MovieCast).c
    movie_ids = bindparam("movie_ids", type_=ARRAY(roles.movie_id.type))
    return select(roles.movie_id, roles.cast_id, roles.character_name, roles.position).where(
        roles.movie_id == func.any(movie_ids)
    )


def _choose_roles(listed: Sequence[CastLinkRow], known: Roles) -> list[CastLinkRow]:
    """Return new roles, positioned after the known ones, and those that get a character name."""
    free: defaultdict[int, int] = defaultdict(int)
    for (movie_id, _), (_, position) in known.items():
        free[movie_id] = max(free[movie_id], position + 1)
    rows = []
    for role in listed:
        movie_id = role["movie_id"]
        stored = known.get((movie_id, role["cast_id"]))
        if stored is None:
            rows.append(role | {"position": free[movie_id]})
            free[movie_id] += 1
        elif stored[0] is None and role["character_name"] is not None:
            rows.append(role | {"position": stored[1]})
    return rows


@cache
def _roles_statement() -> Insert:
    source = json_rows(column_types(MovieCast, _ROLE_COLUMNS))
    statement = insert(table_of(MovieCast)).from_select(list(_ROLE_COLUMNS), select(*source.c))
    return statement.on_conflict_do_update(
        index_elements=["movie_id", "cast_id"],
        set_={"character_name": statement.excluded.character_name},
    )
