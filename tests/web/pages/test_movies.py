"""One movie, one person, and searches as pages."""

import re
from html import unescape

import pytest
import requests

from database.db import DatabaseManager
from database.search.similar.reasons import Why
from database.serving.name_hints import Suggestion, closest_names, suggest
from tests.support.data.movies import movie, person, save
from tests.support.databases import run_sql
from tests.support.servers.web_server import open_server
from web.pages.movie import reason_line
from web.settings import ServerSettings

ONE = ServerSettings(connections=1)


def read(url: str) -> str:
    """Return a page."""
    response = requests.get(url, timeout=20)
    assert response.status_code == 200, response.text
    return response.text


def test_a_movie_has_its_facts_and_leads_on(db: DatabaseManager):
    """To its genres, year, language and people, to IMDb and to the trailer."""
    save(db, movie(7, language="fr", runtime=135, description_full="One.\n\nTwo."))
    with open_server(db, ONE) as root:
        page = read(f"{root}/movies/film-7-2014")
        assert read(f"{root}/movies/7") == page
        for address in re.findall(r'href="(/(?:browse|people)[^"]*)"', page):
            read(f"{root}{unescape(address)}")

    assert "<h1>Film 7</h1>" in page
    assert "2 h 15 min" in page
    assert "<p>One.</p><p>Two.</p>" in page
    assert {"720p", "1080p"} <= {*re.findall(r"<td>(\w+)</td>", page)}
    assert 'href="https://www.imdb.com/title/tt0000007/" rel="external noreferrer"' in page
    assert 'href="https://www.youtube.com/watch?v=abcdefghijk"' in page
    assert ">French</a>" in page
    assert 'href="/people/nm0000001">Person 1</a>' in page


def test_codes_that_are_none_are_not_linked(db: DatabaseManager):
    """What YTS sends as a trailer or an IMDb code may be anything."""
    save(db, movie(7, yt_trailer_code='x"><script>', imdb_code="tt1/../evil"))
    with open_server(db, ONE) as root:
        page = read(f"{root}/movies/7")

    assert "youtube" not in page
    assert "imdb.com/title" not in page


def test_a_movie_that_yts_no_longer_has_says_so(db: DatabaseManager):
    """Its page stays, and no list has it."""
    save(db, movie(7), movie(8))
    run_sql(db.url, "UPDATE movies SET gone_since = now() WHERE external_id = 7")
    with open_server(db, ONE) as root:
        assert "no longer has this movie" in read(f"{root}/movies/7")
        assert "film-7-2014" not in read(f"{root}/browse")


@pytest.mark.parametrize("slug", ["a-very/odd slug?", "am%c3%a9lie-2001", "Œuvre-2001", None])
def test_every_movie_can_be_reached_from_a_list(db: DatabaseManager, slug: str | None):
    """By its slug or, where that does not fit in an address, by its id."""
    save(db, movie(7, slug=slug))
    with open_server(db, ONE) as root:
        address = re.search(r'<a href="(/movies/[^"]+)"', read(f"{root}/browse"))
        assert address
        assert "<h1>Film 7</h1>" in read(f"{root}{unescape(address[1])}")


def test_similar_movies_have_reasons(served: str):
    """Each card of the practice mirror, which has vectors, says what both have in common."""
    page = read(f"{served}/movies/5")

    similar = page.partition("<h2>Similar</h2>")[2]
    assert similar.count('class="card"') == 8
    assert similar.count('class="why"') >= 7


def test_without_vectors_similar_movies_share_genres(db: DatabaseManager):
    """Those with most likes, first of all its genres; the page says why."""
    save(
        db,
        movie(1, genres=["Crime", "Drama"]),
        movie(2, genres=["Crime"], like_count=99),
        movie(3, genres=["Crime", "Drama"], like_count=1),
        movie(4, genres=["Crime", "Drama"], like_count=50),
        movie(5, genres=["War"]),
    )
    with open_server(db, ONE) as root:
        similar = read(f"{root}/movies/1").partition("<h2>Similar</h2>")[2]

    assert re.findall(r'<span class="name">([^<]*)<', similar) == ["Film 4", "Film 3", "Film 2"]
    assert "embed_movies.py" in similar


def test_reasons_are_one_line():
    """The best two of those that the command says."""
    why = Why(("Crime", "Drama"), ("A", "B"), 2, (("head", "head"), ("sea", "ship")))

    assert reason_line(why) == "Also with A, B; also about head, sea / ship"
    assert reason_line(Why(("Crime",), years_later=0)) == "Also Crime; the same year"
    assert reason_line(Why()) == reason_line(None) == ""


def test_a_person_has_films_by_year(db: DatabaseManager):
    """The newest first, with roles; the address is the IMDb code, and a name works too."""
    cast = [person(5, name="Ann Lee", character_name="The Captain")]
    years = {1: 1998, 2: 2011, 3: 1995, 4: 0}
    save(db, *(movie(number, year=year, cast=cast) for number, year in years.items()))
    with open_server(db, ONE) as root:
        page = read(f"{root}/people/nm0000005")
        assert read(f"{root}/people/ann%20lee") == page
        missing = requests.get(f"{root}/people/nobody", timeout=20)

    assert re.findall(r"<h2>([^<]*)</h2>", page) == ["2010s", "1990s", "Year unknown"]
    names = re.findall(r'<span class="name">([^<]*)<', page)
    assert names == ["Film 2", "Film 1", "Film 3", "Film 4"]
    assert page.count("as The Captain") == 4
    assert missing.status_code == 404


def test_people_with_one_name_can_be_told_apart(db: DatabaseManager):
    """The page of the name leads to each of them."""
    save(db, movie(1, cast=[person(5, name="Ann Lee"), person(6, name="Ann Lee")]))
    with open_server(db, ONE) as root:
        page = read(f"{root}/people/Ann%20Lee")
        assert {"/people/nm0000005", "/people/nm0000006"} <= {*re.findall('href="([^"]+)"', page)}
        read(f"{root}/people/nm0000006")


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("drama", "/browse?genre=Drama"),
        ("science fiction", "/browse?genre=Sci-Fi"),
        ("keanu reeves", "/people/keanu%20reeves"),
        ("keanu reeves drama", None),
    ],
)
def test_a_search_for_a_genre_or_a_person_leads_to_all_their_movies(
    served: str, words: str, place: str | None
):
    """The results are those that fit best, of whatever kind."""
    page = read(f"{served}/search?q={words}")

    linked = re.search(r'<a href="([^"]+)">All movies (?:of the genre|with) ', page)
    assert (linked and linked[1]) == place
    assert place is None or requests.get(f"{served}{place}", timeout=20).status_code == 200


def test_a_search_past_its_end_does_not_say_that_nothing_was_found(served: str):
    """It leads back to what was found."""
    page = read(f"{served}/search?q=letters&page=10")

    assert "No more movies match" in page
    assert 'href="/search?q=letters"' in page


def test_a_search_says_how_each_movie_was_found(served: str):
    """The results are those of the API, in its order, over all pages."""
    items = requests.get(f"{served}/api/v1/search?q=letters&limit=40", timeout=20).json()["items"]

    pages = read(f"{served}/search?q=letters") + read(f"{served}/search?q=letters&page=2")

    names = re.findall(r'<a class="name" href="[^"]+">([^<]*)<', pages)
    assert [unescape(name) for name in names] == [item["title"] for item in items]
    reasons = re.findall(r'<p class="why">([^<]*)<', pages)
    by_meaning = [reason == "Matches the meaning" for reason in reasons]
    assert by_meaning == [item["found_by"] == "meaning" for item in items]
    assert 'rel="next"' in pages
    assert 'rel="prev"' in pages
    assert 'value="letters"' in pages


def test_a_search_without_results_asks_for_a_title_that_is_nearly_the_same(db: DatabaseManager):
    """The text is shown as text, and the title leads to a search."""
    save(db, movie(1, title="Constantinople", title_english="Constantinople"))
    with open_server(db, ONE) as root:
        page = read(f"{root}/search?q=Constbntinpole<i>")
        nothing = read(f"{root}/search?q=zzzzqqq")
        empty = [requests.get(f"{root}/search{q}", timeout=20) for q in ("", "?q=%3F%3F")]

    assert "Constbntinpole&lt;i&gt;" in page
    assert "Constantinople" in page
    assert "<i>" not in page
    assert "Try fewer words" in nothing
    assert [each.status_code for each in empty] == [400, 400]
    assert all("Nothing to search for" in each.text for each in empty)


def test_hints_are_names_that_begin_alike_and_have_few_errors(db: DatabaseManager):
    """One error for four characters; other titles and people are no hints."""
    titles = ["The Matrix", "Matrix Reloaded", "Mattress", "Marathon Man", "Constantinople"]
    save(db, *(movie(number, title=title) for number, title in enumerate(titles, 1)))
    save(db, movie(9, title="Speed", cast=[person(77, name="Keanu Reeves")]))
    with db.get_session() as session:
        assert closest_names(session, "constbntinpole") == ["Constantinople"]
        assert closest_names(session, "mattrss") == ["Mattress"]
        assert closest_names(session, "matrx reloadde") == ["Matrix Reloaded"]
        assert closest_names(session, "matrx") == ["The Matrix"]
        assert closest_names(session, "keeanu reevs") == ["Keanu Reeves"]
        assert closest_names(session, "zebra") == []
        assert closest_names(session, "\0") == closest_names(session, "?") == []


def test_titles_and_names_are_suggested_while_one_types(db: DatabaseManager):
    """Titles that begin like it, then those with it inside; people by movies; a genre."""
    save(
        db,
        *(
            movie(number, title=title, like_count=number, cast=[person(number, name=name)])
            for number, (title, name) in enumerate(
                [("The Matrix", "Mat Dillon"), ("Matrix Reloaded", "Matt Damon"),
                 ("Red Mattress", "Anna"), ("Dune", "Matilda")], 1,
            )
        ),
        movie(5, title="Heat", genres=["Matinee"], cast=[person(2, name="Matt Damon")]),
    )  # fmt: skip
    with db.get_session() as session:
        suggested = suggest(session, "MAT", 8)
        assert suggest(session, "?", 8) == suggest(session, "'", 8) == []
        assert [each.text for each in suggest(session, "mat", 4)] == [
            "Matrix Reloaded", "Matt Damon", "Mat Dillon", "Matinee",
        ]  # fmt: skip
    with open_server(db, ONE) as root:
        response = requests.get(f"{root}/suggest?q=MAT", timeout=20)
        of_api = requests.get(f"{root}/api/v1/suggest?q=MAT", timeout=20).json()

    assert suggested == [
        Suggestion("Matrix Reloaded", "title"), Suggestion("The Matrix", "title"),
        Suggestion("Red Mattress", "title"), Suggestion("Matt Damon", "person"),
        Suggestion("Mat Dillon", "person"), Suggestion("Matilda", "person"),
        Suggestion("Matinee", "genre"),
    ]  # fmt: skip
    assert response.json() == [each.text for each in suggested]
    assert [(each["text"], each["kind"]) for each in of_api["items"]] == [
        (each.text, each.kind) for each in suggested
    ]
