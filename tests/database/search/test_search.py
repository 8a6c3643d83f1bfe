"""`MovieRepository`: names come first, one typing error is accepted, no text raises an error."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import URL, event, select, text
from sqlalchemy.orm import Session

from database.db import DatabaseManager
from database.models import Movie
from database.repository import MovieRepository
from database.search.filters import MovieFilter, UnknownFilterValue, resolve_genres
from database.search.query import NothingToSearch, search_movies
from database.search.query_terms import are_known, read_terms
from database.search.query_words import read_query_words, words_of
from database.search.similar.ranking import NoVector, similar_movies
from database.search.word_counts import refresh_words
from database.vectors import spaces
from tests.support.data.examples import examples
from tests.support.data.movies import movie, save
from tests.support.paths import REPO

FILTERS = {
    "genre": MovieFilter(genres=("Drama",)),
    "years": MovieFilter(years=(1990, 2005)),
    "rating and runtime": MovieFilter(rating=(6.0, None), runtime=(None, 110)),
    "language and quality": MovieFilter(languages=("en",), quality="1080P"),
}


@pytest.fixture(scope="module")
def session(mirror_url: URL) -> Iterator[Session]:
    """Open a session of the mirror with 300 practice movies, which is only read."""
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        yield session


@pytest.fixture(scope="module")
def movies(session: Session) -> list[Movie]:
    """Return all movies of the mirror, by YTS id."""
    return list(session.scalars(select(Movie).order_by(Movie.external_id)))


def first_titles(session: Session, query: str, count: int = 1) -> list[str]:
    """Return the titles of the first *count* results."""
    row_ids = [result.row_id for result in search_movies(session, query, limit=count)]
    titles = dict(session.execute(select(Movie.id, Movie.title).where(Movie.id.in_(row_ids))).all())
    return [titles[row_id] for row_id in row_ids]


def test_a_title_a_code_and_a_name_are_found_first(session: Session, movies: list[Movie]):
    """
    The exact title, in any case and also with the year, the IMDb code, or a name: the first result
    is that movie, or a movie with that person.
    """
    for film in movies[::12]:
        assert first_titles(session, film.title.upper()) == [film.title]
        if film.year:
            assert first_titles(session, f"{film.title} ({film.year})") == [film.title]
        if film.imdb_code:
            (result,) = search_movies(session, film.imdb_code, limit=1)
            assert (result.row_id, result.how) == (film.id, "imdb")
        for person in film.casts[:1]:
            result = search_movies(session, person.name, limit=1)[0]
            assert result.how in {"person", "title"}


def errors_in(word: str) -> dict[str, str]:
    """Return *word* with one typing error of each kind, in its middle."""
    at = len(word) // 2
    return {
        "left out": word[:at] + word[at + 1 :],
        "added": word[:at] + "q" + word[at:],
        "replaced": word[:at] + "q" + word[at + 1 :],
        "swapped": word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :],
    }


@pytest.mark.parametrize("kind", ["left out", "added", "replaced", "swapped"])
def test_one_typing_error_in_a_title_is_forgiven(session: Session, movies: list[Movie], kind: str):
    """The error is in a word of at least five letters; the movie is among the first ten results."""
    for film in movies[::18]:
        word = max(film.title.split(), key=len)
        if word.isalpha() and len(word) > 4:
            typed = film.title.replace(word, errors_in(word)[kind])
            assert film.title in first_titles(session, typed, 10), typed


@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS.keys())
def test_filters_neither_lose_nor_let_through(
    session: Session, movies: list[Movie], filters: MovieFilter
):
    """Searches, pages and similar movies have exactly the movies that a check of each one finds."""
    expected = {film.id for film in movies if passes(film, filters)}
    repository = MovieRepository(session)

    assert 0 < len(expected) < len(movies)
    assert {film.id for film in repository.stream(filters)} == expected
    results = search_movies(session, "drama action comedy", filters=filters, limit=1000)
    assert {result.row_id for result in results} <= expected
    near = similar_movies(session, movies[0].id, filters=filters, limit=1000)
    assert {result.row_id for result in near} <= expected - {movies[0].id}
    assert len(near) >= min(100, len(expected) - 3)


def passes(film: Movie, filters: MovieFilter) -> bool:
    """Return whether a movie matches *filters*, without a database."""

    def within(value: float | None, limits: tuple[float | None, float | None]) -> bool:
        low, high = limits
        return limits == (None, None) or (
            value is not None and (low is None or value >= low) and (high is None or value <= high)
        )

    return (
        {*filters.genres} <= {genre.name for genre in film.genres}
        and within(film.year, filters.years)
        and within(film.rating, filters.rating)
        and within(film.runtime, filters.runtime)
        and (not filters.languages or film.language in filters.languages)
        and (
            filters.quality is None
            or filters.quality.lower()
            in {(torrent.quality or "").lower() for torrent in film.torrents}
        )
    )


def test_filtered_similar_movies_are_the_nearest_of_all(session: Session, movies: list[Movie]):
    """A comparison with each vector chooses them, not an approximation; then they are ranked."""
    filters = MovieFilter(years=(1980, 2030))
    exact = text(
        "SELECT e.movie_id FROM movie_embeddings e JOIN movies m ON m.id = e.movie_id, "
        "movie_embeddings own WHERE own.movie_id = :id AND m.year >= 1980 AND m.gone_since IS NULL "
        "ORDER BY e.recommend <#> own.recommend LIMIT 105"
    )
    for film in movies[::40]:
        near = [it.row_id for it in similar_movies(session, film.id, filters=filters, limit=100)]
        nearest = {*session.scalars(exact, {"id": film.id})}
        assert len(near) == 100
        assert {*near} <= nearest - {film.id}


def test_pages_follow_each_other(session: Session):
    """Pages with offsets are parts of one order; no movie is repeated or left out."""
    whole = search_movies(session, "love and war", limit=40)
    parts = [search_movies(session, "love and war", limit=10, offset=n) for n in (0, 10, 20, 30)]

    assert [result for part in parts for result in part] == whole
    repository = MovieRepository(session)
    for order in ("rating", "likes", "year", "title", "newest"):
        ids = [
            film.id
            for n in (0, 100, 200)
            for film in repository.paginate(order=order, limit=100, offset=n)
        ]
        assert len(ids) == len(set(ids)) > 250


@pytest.mark.parametrize("query", ["", "   ", "\0", "😀", "!?", "&|!()<->:*", "'"])
def test_a_query_without_a_word_is_refused_with_a_message(session: Session, query: str):
    """The result is neither empty nor an error of PostgreSQL."""
    with pytest.raises(NothingToSearch, match="write a title"):
        search_movies(session, query)


@pytest.mark.parametrize(
    "query",
    ["the of and", "a & b | !c:* <-> (d)", "'; DROP TABLE movies; --", "x" * 3000, "w\0rd",
     " ".join(f"word{n}" for n in range(10_000)), "\\", "tt99999999999999"],
)  # fmt: skip
def test_operators_and_long_queries_are_searched_like_words(session: Session, query: str):
    """Operators of PostgreSQL have no meaning, and long queries are cut."""
    try:
        search_movies(session, query, limit=5)
    except NothingToSearch:
        assert query == "\\"


@examples(40)
@given(st.text(max_size=60))
def test_no_text_breaks_a_search(session: Session, query: str):
    """Any text has results or none, or it is refused because it has no word."""
    try:
        search_movies(session, query, limit=3)
    except NothingToSearch:
        assert not re.search(r"\w", query)


@pytest.mark.parametrize(
    "query", ["Amélie", "हिन्दी फिल्म", "Việt Nam", "İstanbul", "ภาษาไทย", "مُحَمَّد", "L\u2019été"]
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_marks_belong_to_their_words(query: str, form: Literal["NFC", "NFD"]):
    """Accents and vowel signs that are separate characters do not divide a word."""
    assert len(words_of(unicodedata.normalize(form, query))) == len(query.split())
    assert words_of(unicodedata.normalize(form, query)) == words_of(query)


def test_composed_and_decomposed_accents_find_the_same(db: DatabaseManager):
    """A Mac writes accents as separate characters; titles in other scripts are found as well."""
    titles = ["Amélie Poulain", "हिन्दी फिल्म", "Дюна"]
    save(db, *(movie(number, title=title) for number, title in enumerate(titles, start=1)))
    with db.get_session() as session:
        refresh_words(session)
        for title in titles:
            for form in ("NFC", "NFD"):
                word = unicodedata.normalize(form, title.split()[0])
                assert first_titles(session, word, 1) == [title]


@pytest.mark.parametrize(
    ("query", "is_known"),
    [("love", True), ("love asdfghjkl", True), ("the love of asdfghjkl", True),
     ("asdfghjkl", False), ("love asdfghjkl qwertzuiop", False), ("the of and", True),
     ("1984", False), ("Дюна 1984", False), ("love 1984", True), ("!?", False)],
)  # fmt: skip
def test_a_search_by_meaning_needs_words_that_occur(session: Session, query: str, is_known: bool):
    """At least half of them are in some movie; numbers and frequent small words do not count."""
    assert are_known(read_terms(session, read_query_words(session, query))) == is_known


def test_descriptions_of_films_are_above_the_floor(session: Session):
    """Hardly any query of the benchmarks is refused, although the mirror has only 300 movies."""
    folder = REPO / "benchmarks" / "quality" / "queries"
    known = [
        are_known(read_terms(session, read_query_words(session, query)))
        for name in ("known_items.json", "known_items_held_out.json")
        for query, _, _ in json.loads((folder / name).read_text())
    ]
    assert known.count(False) < 0.01 * len(known)


@dataclass
class FakeEmbedder:
    """Makes one vector for all queries."""

    space: spaces.Space | None
    vector: list[float]

    def embed_query(self, _query: str) -> list[float]:
        """Return the vector."""
        return self.vector


@pytest.mark.parametrize(("least", "how"), [(0.9, ["meaning"]), (1.1, []), (None, [])])
def test_of_a_model_of_many_languages_a_query_must_be_near_to_some_movie(
    session: Session, monkeypatch: pytest.MonkeyPatch, least: float | None, how: list[str]
):
    """For such a model, the nearest movie decides about words that no movie has."""
    if least:
        monkeypatch.setitem(spaces._LEAST_COSINES, "wordllama", least)
    stored = session.scalar(text("SELECT search::text FROM movie_embeddings LIMIT 1"))
    embedder = FakeEmbedder(spaces.read_active_space(session), json.loads(stored))

    found = search_movies(session, "неизвестно", embedder=embedder, limit=1)

    assert [each.how for each in found] == how


def test_an_unknown_genre_names_the_nearest(session: Session):
    """Genres are found in any case; the message about an unknown one names the nearest."""
    assert resolve_genres(session, ["drama", "SCI-FI"]) == ("Drama", "Sci-Fi")
    with pytest.raises(UnknownFilterValue, match=r"'Dramma'. The nearest is Drama"):
        resolve_genres(session, ["Dramma"])


def test_in_a_description_a_word_counts_the_same_in_a_title_and_in_a_plot(db: DatabaseManager):
    """A query of up to four words may name a movie: a word in a title then counts more."""
    save(db, movie(1, title="Octopus Harbor"), movie(2, description_full="Harbor of octopuses."))
    with db.get_session() as session:

        def shares(query: str) -> set[float]:
            return {found.parts.words for found in search_movies(session, query) if found.parts}

        assert len(shares("octopus harbor violin rain")) == 2
        assert len(shares("octopus harbor violin rain letter")) == 1


def test_similar_movies_have_neither_the_movie_itself_nor_a_film_twice(db: DatabaseManager):
    """Other entries of one film have the same IMDb code, or the same title and year."""
    from embeddings.index import embed_all

    plot = {"description_full": "A king loses his crown.", "cast": []}
    save(db, movie(1, **plot), movie(2, **plot, imdb_code="tt0000001"),
         movie(3, **plot, title="FILM 1!"), movie(4, **plot), movie(5, **plot, title="Film 4"),
         movie(6, description_full="Something else."))  # fmt: skip
    embed_all(db)
    with db.get_session() as session:
        ids = dict(session.execute(select(Movie.external_id, Movie.id)).all())
        near = {result.row_id for result in similar_movies(session, ids[1])}

        assert near in ({ids[4], ids[6]}, {ids[5], ids[6]})
        assert similar_movies(session, ids[1], filters=MovieFilter(years=(1800, 1801))) == []


def test_similar_movies_of_a_movie_without_a_vector_are_refused(db: DatabaseManager):
    """The message differs if there are no vectors at all, or if the movie was added later."""
    from embeddings.index import embed_all

    save(db, movie(1))
    with db.get_session() as session, pytest.raises(NoVector, match=r"embed_movies\.py"):
        similar_movies(session, session.scalars(select(Movie.id)).one())
    embed_all(db)
    save(db, movie(2))
    with db.get_session() as session, pytest.raises(NoVector, match="it came after"):
        similar_movies(
            session, session.scalars(select(Movie.id).where(Movie.external_id == 2)).one()
        )


def test_movies_that_are_gone_are_not_found(db: DatabaseManager):
    """Searches and streams leave them out; `get` returns them."""
    save(db, movie(1, title="Vanished"))
    with db.get_session() as session:
        session.execute(text("UPDATE movies SET gone_since = now()"))
        repository = MovieRepository(session)
        assert repository.search("Vanished") == []
        assert list(repository.stream()) == []
        assert repository.get(1) is not None


def test_a_new_movie_is_found_before_its_words_are_counted(db: DatabaseManager):
    """A search for a word without a count finds the movies that were just saved."""
    save(db, movie(1, title="Zyxwv Story"))
    with db.get_session() as session:
        assert [result.how for result in search_movies(session, "zyxwv")] == ["title"]
        refresh_words(session)
        assert session.scalar(text("SELECT movies FROM search_words WHERE word = ''")) == 1
        counted = (
            "SELECT word, movies FROM search_words WHERE word IN ('zyxwv', 'drama') ORDER BY 1"
        )
        assert [tuple(row) for row in session.execute(text(counted))] == [
            ("drama", 1),
            ("zyxwv", 1),
        ]
        session.execute(text("DELETE FROM movies"))
        refresh_words(session)
        assert session.scalar(text("SELECT count(*) FROM search_words WHERE word <> ''")) == 0


def test_words_of_few_new_movies_are_added_without_counting_all(db: DatabaseManager):
    """A typing error in a title that was just saved is forgiven."""
    save(db, *(movie(number) for number in range(1, 41)))
    with db.get_session() as session:
        refresh_words(session)
    save(db, movie(41, title="Zyxwvut"))
    with db.get_session() as session:
        newest = session.scalars(select(Movie.id).where(Movie.external_id == 41)).one()
        refresh_words(session, [newest])

        assert session.scalar(text("SELECT movies FROM search_words WHERE word = ''")) == 40
        assert session.scalar(text("SELECT movies FROM search_words WHERE word = 'film'")) == 40
        assert [result.how for result in search_movies(session, "zyxvwut", limit=1)] == ["title"]


def test_a_search_for_a_title_is_three_statements(mirror_url: URL, movies: list[Movie]):
    """The words, the names, and the candidates of all sources with their scores."""
    statements: list[str] = []
    with DatabaseManager(mirror_url, pool_size=1) as db, db.get_session() as session:
        embedder = FakeEmbedder(spaces.read_active_space(session), [1.0] * 256)
        event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

        assert search_movies(session, movies[0].title, embedder=embedder)

    assert len(statements) == 3


def test_the_number_of_statements_does_not_depend_on_the_number_of_movies(mirror_url: URL):
    """Genres, cast and torrents of all movies are read at once."""
    statements: list[str] = []
    with DatabaseManager(mirror_url, pool_size=1) as db, db.get_session() as session:
        repository = MovieRepository(session)
        one = repository.paginate(limit=1)[0]
        event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

        def count(ask: Callable[[int], list[Movie]], limit: int) -> int:
            session.expire_all()
            _ = one.id
            statements.clear()
            films = ask(limit)
            assert len(films) == limit
            assert all(film.to_dict()["torrents"] is not None for film in films)
            return len(statements)

        for ask in (
            lambda limit: [hit.movie for hit in repository.search("drama comedy", limit=limit)],
            lambda limit: [hit.movie for hit in repository.similar(one, limit=limit)],
            lambda limit: repository.paginate(limit=limit),
        ):
            assert count(ask, 3) == count(ask, 50) < 20
