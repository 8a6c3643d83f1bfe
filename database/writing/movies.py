"""
`save_movies`: save movies with one statement for each table, for any number of movies.

Nothing here commits. Tables are written in one order (movies, genres, casts,
links, torrents) and keys are sorted, so that two writers deadlock only if the
slugs of stored movies change.
An unknown value never replaces a known one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import DateTime, Integer, Text, bindparam, case, func, or_, select
from sqlalchemy import update as update_rows
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from database.connection.kept_plans import run_kept
from database.models import Movie
from database.sql import any_differs, column_types, json_rows, plan_once, table_of
from database.writing.links import save_links
from database.writing.payload_rows import payload_params
from database.writing.search_documents import (
    LINKED_NAMES,
    document_columns,
    linked_names,
    save_documents,
)
from database.writing.slugs import assign_slugs
from yts.payload import MoviePayload

Outcome = Literal["saved", "updated", "unchanged", "skipped"]

_movies = table_of(Movie)
_id = _movies.c.external_id
_is_given = _id == func.any(bindparam("ids", type_=ARRAY(Integer)))
_moment = bindparam("moment", type_=DateTime(timezone=True))

_READ_CLOCK = select(func.clock_timestamp())
_READ_ROW_IDS = select(_id, _movies.c.id).where(_is_given)
_READ_STORED = plan_once(
    select(
        _id,
        _movies.c.details_fetched_at.is_not(None),
        _movies.c.fetched_at,
        _movies.c.fetched_at > func.clock_timestamp(),
        _movies.c.yts_slug,
    )
    .where(_is_given)
    .order_by(_id)
)
_LOCK_STORED = _READ_STORED.with_for_update(key_share=True)
_given = update_rows(_movies).where(_is_given)
_TOUCH_CHANGED = _given.values(updated_at=func.now(), fetched_at=_moment)
_TOUCH_DETAILS = _given.values(details_fetched_at=_moment)

#: Columns with the same names as the fields of a payload.
_PAYLOAD_COLUMNS = (
    "imdb_code",
    "title_english",
    "title_long",
    "year",
    "rating",
    "runtime",
    "language",
    "mpa_rating",
    "summary",
    "description_full",
    "description_intro",
    "synopsis",
    "yt_trailer_code",
    "like_count",
    "url",
    "background_image",
    "background_image_original",
    "small_cover_image",
    "medium_cover_image",
    "large_cover_image",
    "date_uploaded_unix",
)
_COLUMNS = [
    "external_id",
    "title",
    "slug",
    "yts_slug",
    "date_uploaded",
    "details_fetched_at",
    *_PAYLOAD_COLUMNS,
]
#: Columns that the upsert never changes; `assign_slugs` changes the slugs of stored movies.
_INSERTED_COLUMNS = frozenset({"external_id", "slug"})
#: Columns that are written together with a real change, but are not changes by themselves.
_VOLATILE_COLUMNS = frozenset({"like_count", "date_uploaded_unix", "details_fetched_at"})


def save_movies(
    session: Session,
    movies: Sequence[MoviePayload],
    *,
    detailed: Collection[int] = (),
    update: bool,
    asked_at: datetime | None = None,
) -> dict[int, Outcome]:
    """
    Save *movies* with genres, cast and torrents; return the outcome of each YTS id.

    The YTS ids in *detailed* come with details. Stored movies are skipped, except that details
    complete a row from a list page, and that *update* writes real changes. A row written from a
    response that was requested after *asked_at* (None: now), by the clock of the database, is
    skipped too: newer data is never overwritten by older. Does not commit.
    """
    if not movies:
        return {}
    asked_at = asked_at or read_clock(session)
    by_id = {movie.id: movie for movie in sorted(movies, key=lambda movie: movie.id)}
    # Locked where they may be written: `assign_slugs` and the upsert compare with these values.
    stored = _read_stored(session, by_id, is_locked=update or bool(detailed))
    wanted = [
        movie
        for movie in by_id.values()
        if movie.id not in stored or stored[movie.id].wants(asked_at, movie.id in detailed, update)
    ]
    outcomes: dict[int, Outcome] = dict.fromkeys(by_id, "skipped")
    if wanted:
        outcomes |= _write(session, wanted, stored, detailed, asked_at)
    return outcomes


def _write(
    session: Session,
    movies: Sequence[MoviePayload],
    stored: Mapping[int, "_Stored"],
    detailed: Collection[int],
    asked_at: datetime,
) -> dict[int, Outcome]:
    saved, updated = _write_rows(session, movies, stored, detailed, asked_at)
    outcomes: dict[int, Outcome] = dict.fromkeys((movie.id for movie in movies), "unchanged")
    outcomes |= dict.fromkeys(updated, "updated")
    outcomes |= dict.fromkeys(saved, "saved")
    row_ids = saved | updated
    row_ids |= read_row_ids(session, list(outcomes.keys() - row_ids.keys()))
    new = set(saved.values())
    changed, renamed = save_links(session, {row_ids[movie.id]: movie for movie in movies}, new)
    # The document of a new movie was written with it.
    save_documents(session, renamed.union(updated.values()))
    equal = [external_id for external_id, outcome in outcomes.items() if outcome == "unchanged"]
    only_links = [external_id for external_id in equal if row_ids[external_id] in changed]
    if only_links:
        session.execute(_TOUCH_CHANGED, {"ids": only_links, "moment": asked_at})
    if renewed := [external_id for external_id in equal if external_id in detailed]:
        session.execute(_TOUCH_DETAILS, {"ids": renewed, "moment": asked_at})
    return outcomes | dict.fromkeys(only_links, "updated")


def read_row_ids(session: Session, external_ids: Sequence[int]) -> dict[int, int]:
    """Return `movies.id` of each of these YTS ids that is stored."""
    if not external_ids:
        return {}
    return dict(session.execute(_READ_ROW_IDS, {"ids": external_ids}).all())


def existing_ids(
    session: Session, external_ids: Sequence[int], *, with_details: bool = False
) -> set[int]:
    """Return which of these YTS ids are stored, or stored with their details."""
    stored = _read_stored(session, external_ids)
    return {id_ for id_, row in stored.items() if row.is_complete or not with_details}


@dataclass(frozen=True, slots=True)
class _Stored:
    """Facts that decide whether a stored movie is written again."""

    is_complete: bool
    fetched_at: datetime
    #: The row was written at a time that is in the future: the clock was wrong then.
    is_ahead: bool
    yts_slug: str | None

    def wants(self, asked_at: datetime, has_details: bool, update: bool) -> bool:  # noqa: FBT001
        """Return whether a response that was requested at *asked_at* is of use."""
        # A response older than the row would undo newer values. If it has the first details, the
        # row stays due for them, and the next run requests them again.
        is_newer = self.is_ahead or asked_at >= self.fetched_at
        return is_newer and (update or (has_details and not self.is_complete))


def _read_stored(
    session: Session, external_ids: Collection[int], *, is_locked: bool = False
) -> dict[int, _Stored]:
    """Return the stored rows of these ids; *is_locked* prevents changes by other transactions."""
    statement = _LOCK_STORED if is_locked else _READ_STORED
    rows = run_kept(session, statement, {"ids": list(external_ids)})
    return {id_: _Stored(*facts) for id_, *facts in rows}


def read_clock(session: Session) -> datetime:
    """Return the time by the clock of the database, which alone decides what is newer."""
    now: datetime = session.scalars(_READ_CLOCK).one()
    return now


def _write_rows(
    session: Session,
    movies: Sequence[MoviePayload],
    stored: Mapping[int, "_Stored"],
    detailed: Collection[int],
    asked_at: datetime,
) -> tuple[dict[int, int], dict[int, int]]:
    """Write the movie rows; return `movies.id` of new and of changed rows, by YTS id."""
    slugs = assign_slugs(
        session,
        {movie.id: movie.slug for movie in movies},
        {external_id: row.yts_slug for external_id, row in stored.items()},
    )

    def run(statement: ReturningInsert[int, int], chosen: Sequence[MoviePayload]) -> dict[int, int]:
        rows = [
            _row(movie, slugs.get(movie.id), asked_at if movie.id in detailed else None)
            for movie in chosen
        ]
        parameters = {**payload_params(rows), "asked_at": asked_at}
        return dict(run_kept(session, statement, parameters)) if rows else {}

    # Stored rows are locked before new ones are added, otherwise two writers could block each
    # other. `assign_slugs` locks only those that have to change.
    updated = run(_upsert_statement(), [movie for movie in movies if movie.id in stored])
    new = [movie for movie in movies if movie.id not in stored]
    saved = run(_insert_statement(), new)
    if late := [movie for movie in new if movie.id not in saved]:
        # Another transaction gave their slugs to its movies meanwhile. If it has saved the same
        # movies, this one is repeated.
        slugs |= assign_slugs(session, {movie.id: movie.slug for movie in late}, {})
        saved |= run(_insert_or_fail_statement(), late)
    return saved, updated


def _insert_rows(*order: str) -> postgresql.Insert:
    """Return the statement that inserts the given rows in the order of these columns."""
    linked = dict.fromkeys(LINKED_NAMES, ARRAY(Text))
    source = json_rows({**column_types(Movie, _COLUMNS), **linked})
    document = document_columns(source)
    asked_at = bindparam("asked_at", type_=DateTime(timezone=True))
    return postgresql.insert(_movies).from_select(
        [*_COLUMNS, "fetched_at", *document],
        # Sorted, so all documents are computed before the first row is written: that is faster.
        select(*(source.c[name] for name in _COLUMNS), asked_at, *document.values()).order_by(
            *(source.c[name] for name in order)
        ),
    )


# New movies by slug: two writers that add the same slugs wait for each other in one order.
_ORDER_OF_NEW = ("slug", "external_id")


@cache
def _insert_statement() -> ReturningInsert[int, int]:
    """Return a statement that leaves out movies whose slugs are taken."""
    statement = _insert_rows(*_ORDER_OF_NEW).on_conflict_do_nothing(index_elements=["slug"])
    return plan_once(statement.returning(_id, _movies.c.id))


@cache
def _insert_or_fail_statement() -> ReturningInsert[int, int]:
    return plan_once(_insert_rows(*_ORDER_OF_NEW).returning(_id, _movies.c.id))


@cache
def _upsert_statement() -> ReturningInsert[int, int]:
    statement = _insert_rows("external_id")
    old, new = _movies.c, statement.excluded
    values: dict[str, Any] = {
        name: func.coalesce(new[name], old[name])
        for name in _COLUMNS
        if name not in _INSERTED_COLUMNS
    }
    changes = any_differs(
        (old[name], new[name]) for name in values if name not in _VOLATILE_COLUMNS
    )
    first_details = old.details_fetched_at.is_(None) & new.details_fetched_at.is_not(None)
    values |= {"updated_at": func.now(), "fetched_at": new.fetched_at}
    # Only then is the response probably complete; see `document_columns`.
    document = ("document_hash", "search_vector")
    values |= {name: case((first_details, new[name]), else_=old[name]) for name in document}
    # The cheap condition first.
    upsert = statement.on_conflict_do_update(
        index_elements=["external_id"], set_=values, where=or_(first_details, changes)
    )
    return plan_once(upsert.returning(_id, old.id))


def _row(
    movie: MoviePayload, slug: str | None, details_fetched_at: datetime | None
) -> dict[str, Any]:
    return {
        **vars(movie),
        **linked_names(movie),
        "external_id": movie.id,
        "title": movie.display_title,
        "slug": slug,
        "yts_slug": movie.slug,
        "date_uploaded": movie.uploaded_at,
        "details_fetched_at": details_fetched_at,
        "genres": None,
        "torrents": None,
        "cast": None,
    }
