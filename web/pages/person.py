"""`read_person`: the films of one person, by decade and year."""

import json
from dataclasses import dataclass
from itertools import groupby

from database.serving.movie_cards import MovieCard, read_cards
from database.serving.movie_lists import MovieList
from database.serving.people import find_people, read_people_json, read_roles
from web.pages.filter_chips import Pair
from web.pages.paging import place_of, read_page
from web.pages.queries import PersonPageQuery
from web.v1.problems import ProblemFound
from web.v1.route import Source

#: More than nearly all people have.
_ON_PAGE = 72


@dataclass(frozen=True, slots=True)
class Namesake:
    """One of several people with one name."""

    name: str
    imdb_code: str | None
    films: int


@dataclass(frozen=True, slots=True)
class Decade:
    """The films of ten years."""

    name: str
    #: Each with the role, in words.
    films: list[tuple[MovieCard, str]]


@dataclass(frozen=True, slots=True)
class PersonView:
    """The page of a person, or of several with one name."""

    name: str
    #: Digits, without nm.
    imdb_code: str | None
    films: int
    decades: list[Decade]
    #: Empty if only one person has the name.
    namesakes: list[Namesake]
    #: Parameters of the pages beside this one; None where there is none.
    previous: list[Pair] | None = None
    following: list[Pair] | None = None


def read_person(source: Source, query: PersonPageQuery) -> PersonView:
    """
    Return the page of a person.

    Raises:
        ProblemFound: the mirror has no person of this name or code.
    """
    session = source.session
    ids = find_people(session, query.person)
    people = [json.loads(person) for person in read_people_json(session, ids)]
    if not people or len(people) < len(ids):
        raise ProblemFound(
            404, f"The mirror has no person with the name or IMDb code {query.person}."
        )
    if len(people) > 1:
        namesakes = [Namesake(each["name"], each["imdb_code"], each["movies"]) for each in people]
        return PersonView(people[0]["name"], None, 0, [], namesakes)
    (person_id,), (person,) = ids, people
    movies = MovieList(order="year", person=person_id)
    part = read_page(session, movies, after=query.after, before=query.before, limit=_ON_PAGE)
    roles = read_roles(session, person_id, part.ids)
    films = [
        (card, f"as {roles[card.id]}" if roles.get(card.id) else "")
        for card in read_cards(session, part.ids)
    ]
    decades = [
        Decade("Year unknown" if first is None else f"{first}s", list(group))
        for first, group in groupby(films, lambda film: film[0].year and film[0].year // 10 * 10)
    ]
    return PersonView(
        name=person["name"],
        imdb_code=person["imdb_code"],
        films=person["movies"],
        decades=decades,
        namesakes=[],
        previous=place_of(movies, "before", part.begin),
        following=place_of(movies, "after", part.position),
    )
