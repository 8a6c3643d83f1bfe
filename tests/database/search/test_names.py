"""`search_movies`: what a query means comes first: parts of names, numbers, years, people."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import URL, select
from sqlalchemy.orm import Session

from database.db import DatabaseManager
from database.models import Movie
from database.search.facets import Part, split_words
from database.search.query import Found, search_movies
from database.search.word_counts import refresh_words
from tests.support.data.movies import movie, save

#: Title, year, likes, genres, people.
_MOVIES: list[tuple[str, int, int | None, list[str], list[str]]] = [
    ("Mad Max: Fury Road", 2015, 900, ["Action"], ["Tom Hardy"]),
    ("The Road", 2009, 300, ["Drama"], ["Viggo Mortensen"]),
    ("Rocky", 1976, 800, ["Drama"], ["Sylvester Stallone"]),
    ("Rocky IV", 1985, 500, ["Drama"], ["Sylvester Stallone", "Dolph Lundgren"]),
    ("The Godfather", 1972, 990, ["Crime"], ["Al Pacino"]),
    ("GodFather", 2022, 1, ["Crime"], []),
    ("The Godfather: Part II", 1974, 700, ["Crime"], ["Al Pacino", "Robert De Niro"]),
    ("Star Wars", 1977, 980, ["Sci-Fi"], []),
    ("Spider-Man: Homecoming", 2017, 850, ["Action"], []),
    ("Alien³", 1992, 150, ["Horror", "Sci-Fi"], []),
    ("King Kong", 1933, 200, ["Adventure"], []),
    ("King Kong", 2005, 400, ["Adventure"], []),
    ("The Thing", 1982, 600, ["Horror"], ["Kurt Russell"]),
    ("Scream", 1996, 650, ["Horror"], []),
    ("Under the Skin", 2013, 350, ["Sci-Fi"], ["Scarlett Johansson"]),
    ("The Scarlet Letter", 1995, 340, ["Drama"], []),
    ("Heat", 1995, 640, ["Crime"], ["Al Pacino", "Robert De Niro"]),
    ("Дюна", 2021, None, ["Sci-Fi"], []),
    ("Lost in La Mancha", 2002, None, ["Documentary"], []),
    ("The Matrix", 1999, 970, ["Sci-Fi"], ["Keanu Reeves"]),
    ("Matrix Hunter", 2000, 5, ["Action"], []),
    ("The Matrix Revisited", 2001, 20, ["Documentary"], ["Keanu Reeves"]),
    ("The Matrix Reloaded", 2003, 450, ["Sci-Fi"], ["Keanu Reeves"]),
    ("The Matrix Revolutions", 2003, 400, ["Sci-Fi"], ["Keanu Reeves"]),
    ("Armitage III: Poly Matrix", 1996, 10, ["Animation"], []),
]
_PEOPLE = sorted({name for *_, cast in _MOVIES for name in cast})


@pytest.fixture(scope="module")
def session(new_database: Callable[..., URL]) -> Iterator[Session]:
    """Open a session of a mirror with these movies, which is only read."""
    with DatabaseManager(new_database()) as db:
        save(db, *(_payload(number) for number in range(1, len(_MOVIES) + 1)))
        with db.get_session() as session:
            refresh_words(session, is_full=True)
            session.commit()
            yield session


def _payload(number: int) -> Any:
    title, year, likes, genres, cast = _MOVIES[number - 1]
    people = [{"name": name, "imdb_code": str(1 + _PEOPLE.index(name))} for name in cast]
    return movie(
        number, title=title, year=year, like_count=likes, genres=genres, cast=people,
        description_full=f"Plot {number}.",
    )  # fmt: skip


def find(session: Session, query: str) -> list[tuple[str, int | None]]:
    """Return titles and years of the results."""
    found = [result.row_id for result in search_movies(session, query)]
    rows = session.execute(select(Movie.id, Movie.title, Movie.year).where(Movie.id.in_(found)))
    movies = {row_id: (title, year) for row_id, title, year in rows}
    return [movies[row_id] for row_id in found]


@pytest.mark.parametrize(
    ("query", "title", "year"),
    [("fury road", "Mad Max: Fury Road", 2015), ("roc", "Rocky", 1976),
     ("the godf", "The Godfather", 1972), ("godfather", "The Godfather", 1972),
     ("rocky 4", "Rocky IV", 1985), ("rocky four", "Rocky IV", 1985),
     ("godfather 2", "The Godfather: Part II", 1974), ("alien 3", "Alien³", 1992),
     ("starwars", "Star Wars", 1977), ("spiderman", "Spider-Man: Homecoming", 2017),
     ("god father", "The Godfather", 1972), ("king kong 1933", "King Kong", 1933),
     ("2005 king kong", "King Kong", 2005), ("road 2015", "Mad Max: Fury Road", 2015),
     ("heat de niro", "Heat", 1995), ("pacino heat", "Heat", 1995),
     ("fury raod", "Mad Max: Fury Road", 2015), ("scarlet johanson", "Under the Skin", 2013),
     ("johansson", "Under the Skin", 2013), ("дюна", "Дюна", 2021)],
)  # fmt: skip
def test_the_movie_that_is_meant_comes_first(session: Session, query: str, title: str, year: int):
    """By parts, letters, numbers, years, people, errors, articles, and joined or split words."""
    assert find(session, query)[0] == (title, year)


@pytest.mark.parametrize(
    ("query", "titles"),
    [("80s horror", {"The Thing"}), ("horror movies of the nineties", {"Scream", "Alien³"}),
     ("al pacino crime", {"The Godfather", "The Godfather: Part II", "Heat"}),
     ("al pacino robert de niro", {"The Godfather: Part II", "Heat"}),
     ("sylvester stallone 1980s", {"Rocky IV"})],
)  # fmt: skip
def test_a_list_has_all_movies_of_which_each_fact_is_true_first(
    session: Session, query: str, titles: set[str]
):
    """Genres, decades and people in a query are facts about the movie."""
    assert {title for title, _ in find(session, query)[: len(titles)]} == titles


def test_words_after_a_minus_are_not_in_the_results(session: Session):
    """A minus within a word is a sign like any other."""
    assert ("Rocky IV", 1985) in find(session, "rocky")
    assert ("Rocky IV", 1985) not in find(session, "rocky -lundgren")
    assert find(session, "spider-man")[0] == ("Spider-Man: Homecoming", 2017)


@pytest.mark.parametrize(
    ("query", "title"),
    [("matrix 2", "The Matrix Reloaded"), ("the matrix iii", "The Matrix Revolutions"),
     ("rocky 2", "Rocky IV"), ("godfather two", "The Godfather: Part II")],
)  # fmt: skip
def test_a_number_means_the_place_in_a_series(session: Session, query: str, title: str):
    """By year, of films that share a person; unless a title of the series has the number."""
    assert find(session, query)[0][0] == title


def test_the_number_of_a_sequel_that_does_not_exist_lists_the_series(session: Session):
    """No title has the number, so the titles with the name come first, most likes first."""
    assert [title for title, _ in find(session, "godfather 99")[:3]] == [
        "The Godfather", "The Godfather: Part II", "GodFather",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "query", ["qwzx plokt plot", "七人の侍", "Властелин колец", "qwzx", "Дюнаааааа"]
)
def test_what_matches_nothing_well_finds_nothing(session: Session, query: str):
    """Unknown words with a frequent one find nothing; words in other scripts find only titles."""
    assert find(session, query) == []


def test_how_a_movie_was_found_is_said(session: Session):
    """Also if only a part of the name was typed; a whole name has the score 1."""
    by_title, whole, by_person, by_words = (
        search_movies(session, query)[0]
        for query in ("fury road", "heat", "johansson", "plot mancha documentary")
    )
    assert [each.how for each in (by_title, whole, by_person, by_words)] == [
        "title", "title", "person", "words",
    ]  # fmt: skip
    assert whole.score == 1
    assert by_title.score < 1


def test_the_score_is_the_sum_of_its_parts(session: Session):
    """Results come by score, and unknown likes count like those of the average movie."""
    found: list[Found] = search_movies(session, "plot road lost")
    scores = [each.score for each in found]

    assert scores == sorted(scores, reverse=True)
    for each in found:
        assert each.parts is not None
        assert each.score == each.parts.total
        assert 0 <= each.parts.words <= 1
    unknown = session.scalars(select(Movie.id).where(Movie.title == "Lost in La Mancha")).one()
    (lost,) = (each.parts for each in found if each.row_id == unknown)
    assert lost is not None
    assert lost.likes == pytest.approx(0.45)


def test_years_and_genres_are_recognized():
    """Also as decades, in words, and genres of two words; words said of all movies do not count."""
    assert split_words(["80s", "sci", "fi", "movies"]) == [
        Part(("80s",), years=(1980, 1989)), Part(("sci", "fi"), genre="Sci-Fi"),
    ]  # fmt: skip
    assert [part.years for part in split_words(["1999", "2010s", "10s", "sixties", "300"])] == [
        (1999, 1999), (2010, 2019), (2010, 2019), (1960, 1969), None,
    ]  # fmt: skip
    assert split_words(["movie"]) == [Part(("movie",))]
