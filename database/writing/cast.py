"""`save_cast`: add cast members; none is removed, because each response has another sample."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from functools import cache
from typing import Any

from sqlalchemy import (
    Select,
    Update,
    bindparam,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from database.connection.kept_plans import run_kept
from database.models import Cast, MovieCast
from database.sql import column_types, insert_json, json_rows, plan_once, table_of
from database.writing.payload_rows import payload_params, save_rows
from yts.payload import MoviePayload

_ROLE_COLUMNS = ("movie_id", "cast_id", "character_name", "position")

Row = dict[str, Any]
#: From `movies.id` and `casts.id` to the name of the character, if known, and the position.
Roles = dict[tuple[int, int], tuple[str | None, int]]
#: `casts.id`, the name as it is stored, and whether a picture has to be added.
Person = tuple[int, str, bool]

#: Add unknown people, and return all. They are locked in one order, otherwise two writers could
#: block each other.
_SAVE_PEOPLE = plan_once(
    text("""
    WITH person AS MATERIALIZED (
        SELECT incoming.*, stored.id, stored.name AS stored_name,
            stored.url_small_image IS NULL AND incoming.url_small_image IS NOT NULL AS lacks_picture
        FROM json_to_recordset(CAST(:incoming AS json))
            AS incoming (name text, imdb_code text, url_small_image text)
        -- Lookups by keys, however many people are stored.
        LEFT JOIN LATERAL (
            SELECT * FROM casts WHERE imdb_code = incoming.imdb_code
            UNION ALL SELECT * FROM casts WHERE name = incoming.name
                AND imdb_code IS NULL AND incoming.imdb_code IS NULL
        ) AS stored ON TRUE
    ),
    added AS (
        INSERT INTO casts (name, imdb_code, url_small_image)
        SELECT name, imdb_code, url_small_image FROM person WHERE id IS NULL
        ORDER BY imdb_code, name
        ON CONFLICT DO NOTHING RETURNING id, imdb_code, name
    )
    SELECT id, imdb_code, stored_name, lacks_picture FROM person WHERE id IS NOT NULL
    UNION ALL SELECT id, imdb_code, name, FALSE FROM added
    """)
)
_INSERT_ROLES = plan_once(insert_json(MovieCast, _ROLE_COLUMNS))
_UPSERT_ROLES = plan_once(
    _INSERT_ROLES.on_conflict_do_update(
        index_elements=["movie_id", "cast_id"],
        set_={"character_name": _INSERT_ROLES.excluded.character_name},
    ).returning(table_of(MovieCast).c.movie_id)
)


def save_cast(
    session: Session, movies: Mapping[int, MoviePayload], new: Set[int]
) -> tuple[set[int], set[int]]:
    """
    Save the cast of *movies*, keyed by `movies.id`; nothing is removed. Does not commit.

    Return the row ids of movies with a new cast member, and of those whose cast has a person who is
    stored with another spelling. The caller has locked the rows of the movies; *new* ones have no
    cast yet.
    """
    people: dict[str, Row] = {}
    characters: dict[tuple[int, str], str | None] = {}
    respelled: set[int] = set()
    for row_id, movie in movies.items():
        for person in movie.cast or ():
            if person.name is None:
                continue
            key = _key(person.imdb_code, person.name)
            row = people.setdefault(key, vars(person))
            if row["url_small_image"] is None:
                people[key] = {**row, "url_small_image": person.url_small_image}
            if row["name"] != person.name:
                respelled.add(row_id)
            if characters.get((row_id, key)) is None:
                characters[row_id, key] = person.character_name
    if not people:
        return set(), set()
    stored = _save_people(session, people)
    others = {key for key, (_, name, _) in stored.items() if name != people[key]["name"]}
    respelled |= {row_id for row_id, key in characters if key in others}
    listed = [(row_id, stored[key][0], name) for (row_id, key), name in characters.items()]
    known = _read_roles(session, {row_id for row_id, _ in characters} - new)
    rows = _choose_roles(listed, known)
    save_rows(session, rows, new, _INSERT_ROLES, _UPSERT_ROLES)
    added = {row["movie_id"] for row in rows if (row["movie_id"], row["cast_id"]) not in known}
    return added, respelled


def _key(imdb_code: str | None, name: str) -> str:
    """Return the key of a person: the IMDb code, or the name if there is none."""
    return imdb_code or f"name {name}"


def _save_people(session: Session, people: Mapping[str, Row]) -> dict[str, Person]:
    """Add new people and new pictures; return all, by key. The first spelling of a name stays."""
    incoming = payload_params(list(people.values()))
    stored = _read_saved(session, incoming)
    if len(stored) < len(people):  # Another writer has added some meanwhile, and committed.
        stored = _read_saved(session, incoming)
    pictures = [
        {"id": row_id, "url_small_image": people[key]["url_small_image"]}
        for key, (row_id, _, lacks_picture) in stored.items()
        if lacks_picture
    ]
    if pictures:
        session.execute(_pictures_statement(), payload_params(pictures))
    return stored


def _read_saved(session: Session, incoming: Mapping[str, object]) -> dict[str, Person]:
    rows = run_kept(session, _SAVE_PEOPLE, incoming)
    return {_key(code, name): (row_id, name, lacks) for row_id, code, name, lacks in rows}


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
    return plan_once(
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
    return plan_once(
        select(roles.movie_id, roles.cast_id, roles.character_name, roles.position).where(
            roles.movie_id == func.any(movie_ids)
        )
    )


def _choose_roles(listed: Iterable[tuple[int, int, str | None]], known: Roles) -> list[Row]:
    """Return new roles, positioned after the known ones, and those that get a character name."""
    free: defaultdict[int, int] = defaultdict(int)
    for (movie_id, _), (_, position) in known.items():
        free[movie_id] = max(free[movie_id], position + 1)
    rows = []
    for movie_id, cast_id, name in listed:
        stored = known.get((movie_id, cast_id))
        if stored is None:
            position = free[movie_id]
            free[movie_id] += 1
        elif stored[0] is None and name is not None:
            position = stored[1]
        else:
            continue
        ids = {"movie_id": movie_id, "cast_id": cast_id}
        rows.append({**ids, "character_name": name, "position": position})
    return rows
