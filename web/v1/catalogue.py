"""`list_people`, `list_genres`, `list_groups`, `read_totals`: people and figures for the API v1."""

import json
from dataclasses import asdict

from sqlalchemy.orm import Session

from database.search.aggregates import aggregate_movies
from database.serving.people import (
    find_people,
    read_people_json,
    read_people_part,
    read_people_total,
)
from database.stats import read_stats, read_sync_state, read_top_genres
from web.v1.cursors import decode_cursor, encode_cursor
from web.v1.filters import read_filter
from web.v1.models import Genre, Group, Stats
from web.v1.movies import list_movies
from web.v1.parameters import (
    GroupsQuery,
    ListQuery,
    PeopleQuery,
    PersonMoviesQuery,
    PersonQuery,
    Query,
)
from web.v1.problems import ProblemFound
from web.v1.route import Items, Source, Span

#: More than YTS has.
_MOST_GENRES = 1000


def list_people(source: Source, query: PeopleQuery, span: Span) -> Items:
    """Return people by their names."""
    session = source.session
    after = decode_cursor("name", span.cursor)
    part = read_people_part(session, name=query.name or "", after=after, limit=span.limit)
    return Items(
        read_people_json(session, part.ids),
        None if part.position is None else encode_cursor("name", part.position),
        {"total": None if query.name else read_people_total(session)},
    )


def one_person(source: Source, query: PersonQuery) -> str:
    """Return one person."""
    people = read_people_json(source.session, [find_person(source.session, query.person)])
    if not people:
        raise _missing(query.person)
    return people[0]


def list_movies_of_person(source: Source, query: PersonMoviesQuery, span: Span) -> Items:
    """Return the movies of one person."""
    return list_movies(source, query, span, find_person(source.session, query.person))


def find_person(session: Session, reference: str) -> int:
    """
    Return `casts.id` of the person with this IMDb code or name.

    Raises:
        ProblemFound: there is none, or there are several.
    """
    ids = find_people(session, reference, limit=10)
    if len(ids) == 1:
        return ids[0]
    if ids:
        several = [json.loads(person)["id"] for person in read_people_json(session, ids)]
        names = ", ".join(several)
        raise ProblemFound(
            409, f"Several people are called {reference}. Use one of their ids: {names}."
        )
    raise _missing(reference)


def _missing(reference: str) -> ProblemFound:
    return ProblemFound(
        404,
        f"The mirror has no person with the IMDb code or name {reference}. See /people?name=.",
    )


def list_genres(source: Source, _query: ListQuery, span: Span) -> Items:
    """Return all genres, those with most movies first."""
    genres = read_top_genres(source.session, _MOST_GENRES)
    return Items.of([Genre(**asdict(genre)).model_dump_json() for genre in genres], span)


def list_groups(source: Source, query: GroupsQuery, span: Span) -> Items:
    """Return the number of movies of each group, and their average rating."""
    groups = aggregate_movies(source.session, query.by, read_filter(source.session, query))
    return Items.of([Group(**asdict(group)).model_dump_json() for group in groups], span)


def read_totals(source: Source, _query: Query) -> str:
    """Return the totals of the mirror."""
    sync = read_sync_state(source.session)
    totals = asdict(read_stats(source.session))
    return Stats(**totals, source=None if sync is None else sync.source).model_dump_json()
