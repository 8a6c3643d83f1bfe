"""
Ids that YTS denies: which denials are believed, which are due again, which movies are gone.

A denial of a movie that the list names is a contradiction, and is not recorded here.
Nothing here commits.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, delete, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from database.bookkeeping import ListedMovie, MissingMovie
from database.counts import read_counts
from database.incoming import column_types, incoming_rows, table_of, values_of
from database.intervals import interval_of
from database.models import Movie
from database.sync import read_state

_Time = InstrumentedAttribute[datetime]

#: The pause after the second denial, which is believed; doubled with each further one ...
ASK_MISSING_AGAIN = timedelta(days=30)
#: ... up to this.
LONGEST_PAUSE = timedelta(days=360)
#: Of a longer gap between stored ids only this many at each end are asked for: ids are dense, and
#: such a gap is rather a jump of the numbering. If a movie is found there, its neighbours follow.
IDS_AT_EACH_END = 500

#: Ids below the highest stored one that are neither stored nor recorded as missing. The parameter
#: says whether those count that failed and are not due.
_NEVER_ASKED = """
    WITH stored AS (SELECT external_id::bigint AS id FROM movies UNION SELECT 0),
    gaps AS (SELECT id + 1 AS first, lead(id) OVER (ORDER BY id) - 1 AS last FROM stored)
    SELECT {what} FROM gaps, LATERAL (
        SELECT generate_series(first, least(last, first + :edge - 1)) AS id
        UNION SELECT generate_series(greatest(first, last - :edge + 1), last)) AS ids
    WHERE first <= last
    AND NOT EXISTS (SELECT FROM missing_movies WHERE external_id = id)
    AND NOT EXISTS (
        SELECT FROM fetch_failures WHERE kind = 'movie' AND key = id::text
        AND (:with_failed OR (next_attempt_at > now() AND last_failed_at <= now())))
"""


def is_due(at: _Time, written_at: _Time) -> ColumnElement[bool]:
    """
    Return the SQL condition that the time *at* has come.

    Or that it was *written_at* a time that is still to come: then the clock was wrong.
    """
    return or_(at <= func.now(), written_at > func.now())


def find_contradictions(session: Session, external_ids: Collection[int]) -> set[int]:
    """
    Return which of these ids the list names, so that YTS contradicts itself if it denies them.

    While a sweep of the whole list is under way, what is stored counts as listed.
    """
    ids = list(external_ids)
    listed = set(
        session.scalars(
            select(ListedMovie.external_id).where(ListedMovie.external_id == func.any(ids))
        )
    )
    if read_state(session).sweep_began_at is not None:
        listed |= set(
            session.scalars(
                select(Movie.external_id).where(
                    Movie.external_id == func.any(ids), Movie.gone_since.is_(None)
                )
            )
        )
    return listed


def record_missing(session: Session, external_ids: Collection[int]) -> None:
    """
    Count a denial of each id; the first one is due again at once, the next are believed.

    Stored movies are marked as gone if a sweep of the whole list has not seen them either.
    """
    rows = [{"external_id": external_id} for external_id in sorted(external_ids)]
    if not rows:
        return
    source = incoming_rows(column_types(MissingMovie, ["external_id"]))
    statement = insert(table_of(MissingMovie)).from_select(
        ["external_id", "ask_again_at"], select(source.c.external_id, func.now())
    )
    old = table_of(MissingMovie).c
    # The exponent is bounded, or the interval would overflow.
    doubled = func.power(2, func.least(old.denials - 1, 16))
    pause = func.least(
        interval_of(ASK_MISSING_AGAIN.total_seconds() * doubled), literal(LONGEST_PAUSE)
    )
    values = {
        "last_asked_at": func.now(),
        "ask_again_at": func.now() + pause,
        "denials": func.least(old.denials + 1, literal(1000)),
    }
    session.execute(
        statement.on_conflict_do_update(index_elements=["external_id"], set_=values),
        values_of(rows, ["external_id"]),
    )
    if read_state(session).is_gone_check_due:
        session.execute(
            update(Movie)
            .where(
                Movie.external_id == func.any([row["external_id"] for row in rows]),
                Movie.gone_since.is_(None),
            )
            .values(gone_since=func.now())
        )


def clear_missing(session: Session, external_ids: Collection[int]) -> None:
    """Forget that these were missing or gone: YTS shows them."""
    ids = list(external_ids)
    session.execute(delete(MissingMovie).where(MissingMovie.external_id == func.any(ids)))
    session.execute(
        update(Movie)
        .where(Movie.external_id == func.any(ids), Movie.gone_since.is_not(None))
        .values(gone_since=None)
    )


def is_missing(external_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Return the SQL condition that an id is recorded as missing and not due again."""
    waits = ~is_due(MissingMovie.ask_again_at, MissingMovie.last_asked_at)
    return select(MissingMovie).where(MissingMovie.external_id == external_id, waits).exists()


def read_ids_to_audit(session: Session, count: int) -> list[int]:
    """
    Return up to *count* ids that the list does not name and that may exist all the same.

    First those never asked for, newest first, then denied ones that are due.
    """
    query = text(_NEVER_ASKED.format(what="id") + "ORDER BY id DESC LIMIT :count")
    parameters = {"edge": IDS_AT_EACH_END, "with_failed": False, "count": count}
    never_asked = list(session.scalars(query, parameters))
    due = session.scalars(
        select(MissingMovie.external_id)
        .where(is_due(MissingMovie.ask_again_at, MissingMovie.last_asked_at))
        .order_by(
            case((MissingMovie.denials == 1, 0), else_=1),
            MissingMovie.ask_again_at,
            MissingMovie.external_id.desc(),
        )
        .limit(count - len(never_asked))
    )
    return never_asked + list(due)


def read_unsearched(session: Session, external_ids: Collection[int]) -> list[tuple[int, str]]:
    """Return YTS id and IMDb code of those of these movies that have no text of the list yet."""
    rows = session.execute(
        select(Movie.external_id, Movie.imdb_code)
        .where(
            Movie.external_id == func.any(list(external_ids)),
            Movie.imdb_code.is_not(None),
            Movie.summary.is_(None),
            Movie.description_full.is_not(None),
        )
        .order_by(Movie.external_id)
    )
    return [(id_, code) for id_, code in rows if code is not None]


def count_never_asked(session: Session) -> int:
    """Return how many ids of `read_ids_to_audit` were never asked for and are not on record."""
    query = text(_NEVER_ASKED.format(what="count(*)"))
    return session.scalar(query, {"edge": IDS_AT_EACH_END, "with_failed": True}) or 0


def read_unlisted(session: Session) -> list[int]:
    """Return the YTS ids of stored movies, not marked gone, that the sweep has not seen."""
    is_listed = select(ListedMovie).where(ListedMovie.external_id == Movie.external_id)
    return list(
        session.scalars(
            select(Movie.external_id)
            .where(Movie.gone_since.is_(None), ~is_listed.exists())
            .order_by(Movie.external_id)
        )
    )


def finish_gone_check(session: Session) -> None:
    """Owe the check of vanished movies no longer, unless one of them is still to be asked for."""
    read_state(session).is_gone_check_due = bool(read_unlisted(session))


def count_present(session: Session) -> int:
    """Return how many stored movies are not marked gone."""
    counts = read_counts(session)
    return counts.movies - counts.gone_movies
