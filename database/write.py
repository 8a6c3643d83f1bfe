"""
Save movies: one statement for each table, whatever the number of movies.

Nothing here commits. Tables are written in one order (movies, genres, casts,
links, torrents) and keys are sorted, so that two writers never deadlock.
An unknown value never replaces a known one.
"""

from collections.abc import Collection, Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, Result, func, literal_column, or_, select
from sqlalchemy import update as update_rows
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from database.incoming import any_differs, column_types, incoming_rows
from database.models import Movie
from database.slugs import assign_slugs
from database.write_links import save_links
from yts.payload import MoviePayload

Outcome = Literal["saved", "updated", "unchanged", "skipped"]

#: Columns that a payload fills under the same name.
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
_COLUMNS = ["external_id", "title", "slug", "date_uploaded", *_PAYLOAD_COLUMNS]
#: Written along with a real change, but none by themselves.
_VOLATILE_COLUMNS = frozenset({"like_count", "date_uploaded_unix"})


def save_movies(
    session: Session, movies: Sequence[MoviePayload], *, has_details: bool, update: bool
) -> dict[int, Outcome]:
    """
    Save *movies* with genres, cast and torrents; return what became of each YTS id.

    Stored movies are skipped, except that an answer with details completes a row
    that came from a list page, and that *update* writes whatever really changed.
    Does not commit.
    """
    by_id = {movie.id: movie for movie in sorted(movies, key=lambda movie: movie.id)}
    is_complete = _read_stored(session, by_id)
    outcomes: dict[int, Outcome] = {}
    wanted: list[MoviePayload] = []
    for movie in by_id.values():
        stored = movie.id in is_complete
        if stored and not update and (is_complete[movie.id] or not has_details):
            outcomes[movie.id] = "skipped"
        else:
            outcomes[movie.id] = "unchanged"
            wanted.append(movie)
    if not wanted:
        return outcomes

    for external_id, is_new in _upsert(session, wanted, has_details=has_details):
        outcomes[external_id] = "saved" if is_new else "updated"
    row_ids = read_row_ids(session, [movie.id for movie in wanted])
    changed = save_links(session, {row_ids[movie.id]: movie for movie in wanted})
    touched = [movie.id for movie in wanted if row_ids[movie.id] in changed]
    only_links = [external_id for external_id in touched if outcomes[external_id] == "unchanged"]
    _touch(session, only_links)
    return outcomes | dict.fromkeys(only_links, "updated")


def read_row_ids(session: Session, external_ids: Sequence[int]) -> dict[int, int]:
    """Return `movies.id` of each of these YTS ids that is stored."""
    rows = session.execute(
        select(Movie.external_id, Movie.id).where(Movie.external_id == func.any(external_ids))
    )
    return dict(rows.all())


def existing_ids(
    session: Session, external_ids: Sequence[int], *, with_details: bool = False
) -> set[int]:
    """Return which of these YTS ids are stored, or stored with their details."""
    stored = _read_stored(session, external_ids)
    return {id_ for id_, is_complete in stored.items() if is_complete or not with_details}


def _read_stored(session: Session, external_ids: Collection[int]) -> dict[int, bool]:
    rows = session.execute(
        select(Movie.external_id, Movie.details_fetched_at.is_not(None)).where(
            Movie.external_id == func.any(list(external_ids))
        )
    )
    return dict(rows.all())


def _upsert(
    session: Session, movies: Sequence[MoviePayload], *, has_details: bool
) -> list[tuple[int, bool]]:
    """Write the movie rows; return those new or changed, with whether they are new."""
    slugs = assign_slugs(session, {movie.id: movie.slug for movie in movies})
    rows = [
        {name: getattr(movie, name) for name in _PAYLOAD_COLUMNS}
        | {
            "external_id": movie.id,
            "title": movie.display_title,
            "slug": slugs[movie.id],
            "date_uploaded": movie.uploaded_at,
        }
        for movie in movies
    ]
    source = incoming_rows(column_types(Movie, _COLUMNS), rows)
    fetched_at: ColumnElement[Any] = func.now() if has_details else literal_column("NULL")
    statement = postgresql.insert(Movie).from_select(
        [*_COLUMNS, "details_fetched_at"],
        select(*(source.c[name] for name in _COLUMNS), fetched_at).order_by(source.c.external_id),
    )
    old, new = Movie.__table__.c, statement.excluded
    values: dict[str, Any] = {
        name: func.coalesce(new[name], old[name]) for name in _COLUMNS if name != "external_id"
    }
    changes = any_differs(
        (old[name], new[name]) for name in values if name not in _VOLATILE_COLUMNS
    )
    first_details = old.details_fetched_at.is_(None) & new.details_fetched_at.is_not(None)
    values["details_fetched_at"] = func.coalesce(new.details_fetched_at, old.details_fetched_at)
    values["updated_at"] = func.now()
    returned: Result[int, bool] = session.execute(
        statement.on_conflict_do_update(
            index_elements=["external_id"], set_=values, where=or_(changes, first_details)
        ).returning(Movie.external_id, literal_column("movies.xmax = 0"))
    )
    return list(returned)


def _touch(session: Session, external_ids: Sequence[int]) -> None:
    if external_ids:
        session.execute(
            update_rows(Movie)
            .where(Movie.external_id == func.any(external_ids))
            .values(updated_at=func.now())
        )
