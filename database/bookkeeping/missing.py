"""
`record_missing`: ids that YTS does not have, when to request them again, and gone movies.

A denial of a movie that the list names is a contradiction, and is not recorded here.
Nothing here commits.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Integer,
    Text,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.orm import Session

from database.bookkeeping.models import ListedMovie, MissingMovie
from database.bookkeeping.sweep_state import read_state, set_gone_check
from database.connection.kept_plans import run_kept
from database.models import Movie
from database.sql import column_types, interval_of, json_params, json_rows, plan_once, table_of

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

_READ_NEVER_ASKED = text(_NEVER_ASKED.format(what="id") + "ORDER BY id DESC LIMIT :count")
_COUNT_NEVER_ASKED = text(_NEVER_ASKED.format(what="count(*)"))


def is_due(at: ColumnElement[datetime], written_at: ColumnElement[datetime]) -> ColumnElement[bool]:
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

_movies, _listed, _missing = map(table_of, (Movie, ListedMovie, MissingMovie))
_IDS = func.any(bindparam("ids", type_=ARRAY(Integer)))
_is_present = _movies.c.gone_since.is_(None)
_is_on_page = _listed.c.page.is_not(None)
_READ_SEEN = select(_listed.c.external_id, _listed.c.reading).where(
    _listed.c.external_id == _IDS, _is_on_page
)
_READ_PRESENT = select(_movies.c.external_id).where(_movies.c.external_id == _IDS, _is_present)
_MARK_GONE = (
    update(_movies)
    .where(_movies.c.external_id == _IDS, _is_present)
    .values(gone_since=func.now(), updated_at=func.now())
)
#: YTS shows these movies: they are neither missing nor gone.
_CLEAR = plan_once(
    text(
        "WITH present AS (UPDATE movies SET gone_since = NULL, updated_at = now() "
        "WHERE external_id = ANY (:ids) AND gone_since IS NOT NULL) "
        "DELETE FROM missing_movies WHERE external_id = ANY (:ids)"
    )
)
_DOUBT = text("UPDATE missing_movies SET ask_again_at = now() WHERE origin <> :origin")


def find_contradictions(
    session: Session, external_ids: Collection[int], first_reading: int
) -> tuple[set[int], set[int]]:
    """
    Return which of these denied ids the list names, and which it may name.

    The list names an id that a reading from *first_reading* on has seen: the denial is then a
    contradiction. It may name an id that only an earlier reading has seen and, while a sweep of the
    whole list is under way, each stored id.
    """
    ids = {"ids": list(external_ids)}
    reading_of = dict(session.execute(_READ_SEEN, ids).all())
    named = {id_ for id_, reading in reading_of.items() if reading >= first_reading}
    doubtful = reading_of.keys() - named
    if read_state(session).sweep_began_at is not None:
        doubtful |= set(session.scalars(_READ_PRESENT, ids)) - named
    return named, doubtful


def _make_count_denials() -> Insert:
    """Return the statement that counts a denial of each id by the base URL `denied_by`."""
    source = json_rows(column_types(MissingMovie, ["external_id"]))
    origin = bindparam("denied_by", type_=Text)
    statement = insert(_missing).from_select(
        ["external_id", "ask_again_at", "origin"],
        select(source.c.external_id, func.now(), origin),
    )
    old = _missing.c
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
    return statement.on_conflict_do_update(index_elements=["external_id"], set_=values)


_COUNT_DENIALS = _make_count_denials()


def record_missing(session: Session, external_ids: Collection[int], origin: str) -> None:
    """
    Count a denial of each id; after the first it is due at once, later ones are believed.

    Denials of another base URL than *origin* do not count. Stored movies are marked as gone if the
    last two sweeps of the whole list read *origin*, and the last one has not seen them.
    """
    if not external_ids:
        return
    ids = [{"external_id": id_} for id_ in sorted(external_ids)]
    session.execute(_COUNT_DENIALS, {**json_params(ids), "denied_by": origin})
    state = read_state(session)
    if state.is_gone_check_due and state.confirmed_origin == origin:
        session.execute(_MARK_GONE, {"ids": list(external_ids)})


def doubt_other_denials(session: Session, origin: str) -> None:
    """Make ids due that a base URL other than *origin* has denied."""
    session.execute(_DOUBT, {"origin": origin})


def clear_missing(session: Session, external_ids: Collection[int]) -> None:
    """Delete the records that these ids are missing or gone, because YTS shows them."""
    run_kept(session, _CLEAR, {"ids": list(external_ids)})


def is_missing(external_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the SQL condition that an id is recorded as missing and not due again."""
    waits = ~is_due(_missing.c.ask_again_at, _missing.c.last_asked_at)
    return (
        select(_missing.c.external_id).where(_missing.c.external_id == external_id, waits).exists()
    )


_READ_DENIED = (
    select(_missing.c.external_id)
    .where(is_due(_missing.c.ask_again_at, _missing.c.last_asked_at))
    .order_by(
        case((_missing.c.denials == 1, 0), else_=1),
        _missing.c.ask_again_at,
        _missing.c.external_id.desc(),
    )
    .limit(bindparam("count"))
)
_codes = select(_movies.c.external_id, _movies.c.imdb_code).order_by(_movies.c.external_id)
_READ_CODES = _codes.where(_movies.c.external_id == _IDS, _movies.c.imdb_code.is_not(None))
_READ_UNSEARCHED = _codes.join(_listed, _listed.c.external_id == _movies.c.external_id).where(
    ~_is_on_page,
    ~_listed.c.is_searched,
    _is_present,
    _movies.c.imdb_code.is_not(None),
    _movies.c.summary.is_(None),
    _movies.c.description_full.is_not(None),
)
_is_of_movie = select(_listed.c.external_id).where(_listed.c.external_id == _movies.c.external_id)
_READ_UNLISTED = (
    select(_movies.c.external_id)
    .where(_is_present, ~_is_of_movie.where(_is_on_page | (_listed.c.reading > 0)).exists())
    .order_by(_movies.c.external_id)
)
_COUNT_VANISHED = select(func.count()).where(_is_present, ~_is_of_movie.exists())


def read_ids_to_audit(session: Session, count: int) -> list[int]:
    """
    Return up to *count* ids that the list does not name and that may still exist.

    Ids that were never requested come first, newest first, then denied ids that are due.
    """
    parameters = {"edge": IDS_AT_EACH_END, "with_failed": False, "count": count}
    never_asked = list(session.scalars(_READ_NEVER_ASKED, parameters))
    due = session.scalars(_READ_DENIED, {"count": count - len(never_asked)})
    return never_asked + list(due)


def read_unsearched(session: Session) -> list[tuple[int, str]]:
    """Return YTS id and IMDb code of movies that no page named and that lack the list's texts."""
    return [(id_, code) for id_, code in session.execute(_READ_UNSEARCHED)]


def read_imdb_codes(session: Session, external_ids: Collection[int]) -> list[tuple[int, str]]:
    """Return YTS id and IMDb code of each of these movies that has a stored code."""
    rows = session.execute(_READ_CODES, {"ids": list(external_ids)})
    return [(id_, code) for id_, code in rows]


def count_never_asked(session: Session) -> int:
    """Return how many ids of `read_ids_to_audit` were never requested and have no record."""
    return session.scalar(_COUNT_NEVER_ASKED, {"edge": IDS_AT_EACH_END, "with_failed": True}) or 0


def read_unlisted(session: Session) -> list[int]:
    """
    Return the YTS ids of stored movies, not marked gone, that the sweep has not seen.

    Movies that no page named, but details have shown since the sweep, are left out.
    """
    return list(session.scalars(_READ_UNLISTED))


def count_vanished(session: Session) -> int:
    """Return how many movies of `read_unlisted` were named on pages before."""
    return session.scalar(_COUNT_VANISHED) or 0


def finish_gone_check(session: Session) -> None:
    """
    End the owed check of vanished movies, unless one of them still has to be requested.

    They are requested once if they cannot be marked because two base URLs were read in turn.
    """
    can_be_marked = read_state(session).confirmed_origin is not None
    set_gone_check(session, is_due=can_be_marked and bool(read_unlisted(session)))
