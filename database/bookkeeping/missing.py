"""
`record_missing`: ids that YTS does not have, when to request them again, and gone movies.

A denial of a movie that the list names is a contradiction, and is not recorded here.
Nothing here commits.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, delete, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from database.bookkeeping.models import ListedMovie, MissingMovie
from database.bookkeeping.sweep_state import get_or_create_sync_state
from database.counts import read_counts
from database.models import Movie
from database.sql import column_types, interval_of, table_of, unnest_params, unnest_rows

_Time = InstrumentedAttribute[datetime]

#: Pause after the second denial, which is believed; doubled with each further denial ...
ASK_MISSING_AGAIN = timedelta(days=30)
#: ... up to this.
LONGEST_PAUSE = timedelta(days=360)
#: In a longer gap between stored ids, only this many ids at each end are requested: ids are dense,
#: and such a gap is probably a jump in the numbering. If a movie is found there, its neighbours are
#: requested too.
IDS_AT_EACH_END = 500

#: Ids below the highest stored one that are neither stored nor recorded as missing. The parameter
#: says whether failed ids that are not due count.
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

    It also holds if *written_at* is in the future: then the clock was wrong.
    """
    return or_(at <= func.now(), written_at > func.now())


@dataclass(frozen=True, slots=True)
class DenialContext:
    """Facts that decide whether a run believes a denial."""

    #: The base URL that the run reads, without secrets, or `sandbox`.
    origin: str = ""
    #: Number of the first reading of the list in this run.
    first_reading: int = 0


#: Every movie that any reading has seen counts as listed.
ANY_READING = DenialContext()


def find_contradictions(
    session: Session, external_ids: Collection[int], first_reading: int
) -> tuple[set[int], set[int]]:
    """
    Return which of these denied ids the list names, and which it may name.

    The list names an id that a reading from *first_reading* on has seen: the denial is then a
    contradiction. It may name an id that only an earlier reading has seen and, while a sweep of the
    whole list is under way, each stored id.
    """
    ids = list(external_ids)
    is_on_page = (ListedMovie.external_id == func.any(ids)) & ListedMovie.page.is_not(None)
    seen = session.execute(select(ListedMovie.external_id, ListedMovie.reading).where(is_on_page))
    reading_of = dict(seen.all())
    named = {id_ for id_, reading in reading_of.items() if reading >= first_reading}
    doubtful = reading_of.keys() - named
    if get_or_create_sync_state(session).sweep_began_at is not None:
        stored = session.scalars(
            select(Movie.external_id).where(
                Movie.external_id == func.any(ids), Movie.gone_since.is_(None)
            )
        )
        doubtful |= set(stored) - named
    return named, doubtful


def record_missing(session: Session, external_ids: Collection[int], origin: str) -> None:
    """
    Count a denial of each id; after the first it is due at once, later ones are believed.

    Denials of another base URL than *origin* do not count. Stored movies are marked as gone if the
    last two sweeps of the whole list read *origin*, and the last one has not seen them.
    """
    if not external_ids:
        return
    _count_denials(session, sorted(external_ids), origin)
    state = get_or_create_sync_state(session)
    if state.is_gone_check_due and state.confirmed_origin == origin:
        session.execute(
            update(Movie)
            .where(Movie.external_id == func.any(list(external_ids)), Movie.gone_since.is_(None))
            .values(gone_since=func.now(), updated_at=func.now())
        )


def _count_denials(session: Session, external_ids: Sequence[int], origin: str) -> None:
    source = unnest_rows(column_types(MissingMovie, ["external_id"]))
    statement = insert(table_of(MissingMovie)).from_select(
        ["external_id", "ask_again_at", "origin"],
        select(source.c.external_id, func.now(), literal(origin)),
    )
    old = table_of(MissingMovie).c
    is_same = func.coalesce(old.origin, origin) == origin
    # The exponent is limited, because the interval would overflow.
    doubled = func.power(2, func.least(old.denials - 1, 16))
    pause = func.least(
        interval_of(ASK_MISSING_AGAIN.total_seconds() * doubled), literal(LONGEST_PAUSE)
    )
    values = {
        "last_asked_at": func.now(),
        "ask_again_at": case((is_same, func.now() + pause), else_=func.now()),
        "denials": case((is_same, func.least(old.denials + 1, literal(1000))), else_=1),
        "origin": origin,
    }
    session.execute(
        statement.on_conflict_do_update(index_elements=["external_id"], set_=values),
        unnest_params([{"external_id": id_} for id_ in external_ids], ["external_id"]),
    )


def doubt_other_denials(session: Session, origin: str) -> None:
    """Make ids due that a base URL other than *origin* has denied."""
    session.execute(
        update(MissingMovie).where(MissingMovie.origin != origin).values(ask_again_at=func.now())
    )


def clear_missing(session: Session, external_ids: Collection[int]) -> None:
    """Delete the records that these ids are missing or gone, because YTS shows them."""
    ids = list(external_ids)
    session.execute(delete(MissingMovie).where(MissingMovie.external_id == func.any(ids)))
    session.execute(
        update(Movie)
        .where(Movie.external_id == func.any(ids), Movie.gone_since.is_not(None))
        .values(gone_since=None, updated_at=func.now())
    )


def is_missing(external_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Return the SQL condition that an id is recorded as missing and not due again."""
    waits = ~is_due(MissingMovie.ask_again_at, MissingMovie.last_asked_at)
    return select(MissingMovie).where(MissingMovie.external_id == external_id, waits).exists()


def read_ids_to_audit(session: Session, count: int) -> list[int]:
    """
    Return up to *count* ids that the list does not name and that may still exist.

    Ids that were never requested come first, newest first, then denied ids that are due.
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


def read_unsearched(session: Session) -> list[tuple[int, str]]:
    """Return YTS id and IMDb code of movies that no page named and that lack the list's texts."""
    rows = session.execute(
        select(Movie.external_id, Movie.imdb_code)
        .join(ListedMovie, ListedMovie.external_id == Movie.external_id)
        .where(
            ListedMovie.page.is_(None),
            ~ListedMovie.is_searched,
            Movie.gone_since.is_(None),
            Movie.imdb_code.is_not(None),
            Movie.summary.is_(None),
            Movie.description_full.is_not(None),
        )
        .order_by(Movie.external_id)
    )
    return [(id_, code) for id_, code in rows if code is not None]


def read_imdb_codes(session: Session, external_ids: Collection[int]) -> list[tuple[int, str]]:
    """Return YTS id and IMDb code of each of these movies that has a stored code."""
    rows = session.execute(
        select(Movie.external_id, Movie.imdb_code)
        .where(Movie.external_id == func.any(list(external_ids)))
        .order_by(Movie.external_id)
    )
    return [(id_, code) for id_, code in rows if code is not None]


def count_never_asked(session: Session) -> int:
    """Return how many ids of `read_ids_to_audit` were never requested and have no record."""
    query = text(_NEVER_ASKED.format(what="count(*)"))
    return session.scalar(query, {"edge": IDS_AT_EACH_END, "with_failed": True}) or 0


def read_unlisted(session: Session) -> list[int]:
    """
    Return the YTS ids of stored movies, not marked gone, that the sweep has not seen.

    Movies that no page named, but details have shown since the sweep, are left out.
    """
    is_seen = select(ListedMovie).where(
        ListedMovie.external_id == Movie.external_id,
        ListedMovie.page.is_not(None) | (ListedMovie.reading > 0),
    )
    return list(
        session.scalars(
            select(Movie.external_id)
            .where(Movie.gone_since.is_(None), ~is_seen.exists())
            .order_by(Movie.external_id)
        )
    )


def count_vanished(session: Session) -> int:
    """Return how many movies of `read_unlisted` were named on pages before."""
    is_known = select(ListedMovie).where(ListedMovie.external_id == Movie.external_id)
    query = select(func.count()).where(Movie.gone_since.is_(None), ~is_known.exists())
    return session.scalar(query) or 0


def finish_gone_check(session: Session) -> None:
    """
    End the owed check of vanished movies, unless one of them still has to be requested.

    They are requested once if they cannot be marked because two base URLs were read in turn.
    """
    state = get_or_create_sync_state(session)
    state.is_gone_check_due = state.confirmed_origin is not None and bool(read_unlisted(session))


def count_present(session: Session) -> int:
    """Return how many stored movies are not marked gone."""
    counts = read_counts(session)
    return counts.movies - counts.gone_movies
