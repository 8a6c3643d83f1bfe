"""Browse and the start page: filters as addresses, orders, pages both ways, empty states."""

import re
from datetime import date
from html import unescape
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests

from database.bookkeeping.sweep_state import set_source
from database.db import DatabaseManager
from database.search.filters import MovieFilter
from database.serving.movie_lists import (
    MovieList,
    read_movie_part,
    read_movie_total,
    read_movies_before,
)
from database.stats import GenreTotal
from tests.support.data.movies import movie, save
from tests.support.databases import run_sql
from tests.support.servers.web_server import open_server
from web.pages import browse
from web.pages.browse import ORDERS
from web.pages.start import genre_of_day, shown_in_turn
from web.settings import ServerSettings
from web.v1.cursors import decode_cursor, encode_cursor

EMPTY = "The mirror is empty"


def read(url: str) -> str:
    """Return a page."""
    response = requests.get(url, timeout=20)
    assert response.status_code == 200, response.text
    return response.text


def movies_of(page: str) -> list[str]:
    """Return the names of the movies in the addresses of a page, in order."""
    return re.findall(r'<a href="/movies/([^"]+)">', page)


def link(page: str, rel: str) -> str | None:
    """Return the address of the page before or after this one."""
    match = re.search(rf'<a class="button" rel="{rel}" href="([^"]+)"', page)
    return match and unescape(match[1])


@pytest.fixture
def many(db: DatabaseManager) -> DatabaseManager:
    """Hold 60 movies, of which some have no rating, likes or year, and many are equal in them."""
    ratings = [7.1, 6.3, 0, 6.3]
    likes = [5, None, 7, 5, 5]
    rows = [
        movie(
            number,
            rating=ratings[number % 4],
            like_count=likes[number % 5],
            year=[1999, 0, 2003][number % 3],
            genres=["Drama", "War"] if number % 10 == 0 else ["Drama"],
            date_uploaded=f"20{10 + number % 7}-03-01 10:00:00",
        )
        for number in range(1, 61)
    ]
    save(db, *rows)
    return db


@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize("order", [*ORDERS, "id"])
def test_a_list_has_the_same_movies_in_both_directions(
    many: DatabaseManager, order: str, is_reversed: bool
):
    """The part before a position is what the list has there, also where values are unknown."""
    movies = MovieList(order=order, is_reversed=is_reversed)

    def sent(position: tuple) -> list:
        return decode_cursor("", encode_cursor("", position))

    with many.get_session() as session:
        every = read_movie_part(session, movies, limit=100).ids
        after = None
        for begin in range(0, 60, 7):
            part = read_movie_part(session, movies, after=after, limit=7)
            assert part.ids == every[begin : begin + 7]
            for limit in (3, 7, 70):
                before = read_movies_before(session, movies, before=sent(part.begin), limit=limit)
                assert before.ids == every[max(0, begin - limit) : begin]
                assert (before.begin is None) is (begin <= limit)
            after = None if part.position is None else sent(part.position)


@pytest.mark.parametrize("query", ["", "sort=rating", "sort=likes&order=reversed", "genre=drama"])
def test_all_pages_can_be_reached_forward_and_back(
    many: DatabaseManager, monkeypatch: pytest.MonkeyPatch, query: str
):
    """Each movie is on one page; `rel=prev` leads back over the same pages to the first one."""
    monkeypatch.setattr(browse, "ON_PAGE", 25)
    with open_server(many, ServerSettings(connections=1)) as root:
        url = f"{root}/browse?{query}"
        pages = [read(url)]
        while address := link(pages[-1], "next"):
            url = urljoin(url, address)
            pages.append(read(url))
        shown = [movies_of(page) for page in pages]
        back = []
        while address := link(read(url), "prev"):
            url = urljoin(url, address)
            back.append(movies_of(read(url)))

    assert [len(names) for names in shown] == [25, 25, 10]
    assert len({name for names in shown for name in names}) == 60
    assert back == shown[-2::-1]
    assert link(pages[0], "prev") is None


FILTERS = [
    ("genre=Drama&genre=War", ["Drama", "War"]),
    ("year_from=1990&year_to=1999", ["1990 to 1999"]),
    ("year_from=1999&year_to=1999", ["1999"]),
    ("rating_from=6.5", ["rated 6.5 or more"]),
    ("runtime_to=120", ["120 minutes or less"]),
    ("language=en&language=fr", ["English", "French"]),
    ("quality=1080p", ["1080p"]),
    ("added_since=2020-01-01", ["in this mirror since 2020-01-01"]),
    ("updated_since=2020-01-01&with_gone=true", ["changed since", "with removed movies"]),
]


@pytest.mark.parametrize(("query", "texts"), FILTERS)
def test_each_filter_is_a_chip_whose_link_removes_it(served: str, query: str, texts: list[str]):
    """The address of the link has all other filters, and the order stays."""
    page = read(f"{served}/browse?{query}&sort=likes")

    chips = re.findall(r'<li class="chip">([^<]+) <a href="([^"]+)"', page)
    assert len(chips) == len(texts)
    for (text, address), expected in zip(chips, texts, strict=True):
        assert text.startswith(expected)
        rest = parse_qs(urlsplit(unescape(address)).query)
        every = parse_qs(query)
        assert rest.pop("sort") == ["likes"]
        assert sum(map(len, rest.values())) < sum(map(len, every.values()))
        assert all(set(values) <= set(every[name]) for name, values in rest.items())


@pytest.mark.parametrize(("query", "_texts"), FILTERS)
def test_a_page_has_the_movies_of_the_api(served: str, query: str, _texts: list[str]):
    """The same filters and the same order, except that an unknown value matches no movie."""
    response = requests.get(f"{served}/api/v1/movies?{query}&sort=rating&limit=48", timeout=20)

    page = read(f"{served}/browse?{query}&sort=rating")

    if response.status_code == 400:
        assert "No movie matches" in page
    else:
        expected = [row["title"] for row in response.json()["items"]]
        names = re.findall(r'<span class="name">([^<]*)</span>', page)
        assert [unescape(name) for name in names] == expected


def test_values_that_make_no_sense_are_explained(served: str):
    """400 as a page that names the parameter and what to do."""
    for query, words in [
        ("genre=Dramma", "The nearest is Drama"),
        ("year_from=abc", "whole number"),
        ("rating_from=8&rating_to=5", "Exchange them"),
        ("sort=size", "sort"),
        ("after=abc", "Begin with the first one"),
    ]:
        response = requests.get(f"{served}/browse?{query}", timeout=20)
        assert response.status_code == 400
        assert words in unescape(response.text)


def test_the_number_of_movies_comes_from_counters(many: DatabaseManager):
    """It is shown for the whole list; where it would have to be counted it is left out."""
    with many.get_session() as session:
        assert read_movie_total(session, MovieList()) == 60
        assert read_movie_total(session, MovieList(MovieFilter(years=(1990, None)))) is None
        assert read_movie_total(session, MovieList(MovieFilter(genres=("War",)))) == 6
    run_sql(many.url, "UPDATE movies SET gone_since = now() WHERE external_id = 60")
    with many.get_session() as session:
        assert read_movie_total(session, MovieList(MovieFilter(genres=("War",)))) == 5
    with open_server(many, ServerSettings(connections=1)) as root:
        assert "<h1>59 movies</h1>" in read(f"{root}/browse")
        assert "<h1>Movies</h1>" in read(f"{root}/browse?year_from=1990")


@pytest.mark.parametrize("path", ["/", "/browse", "/search?q=lamp"])
def test_an_empty_mirror_says_how_to_fill_it(db: DatabaseManager, path: str):
    """With the command, on each page that would show movies."""
    with open_server(db, ServerSettings(connections=1)) as root:
        page = read(f"{root}{path}")

    assert EMPTY in page
    assert "python fetch_yts_data.py" in page


def test_the_genre_of_the_day_changes_daily_and_is_the_same_for_all():
    """Each genre with enough movies has its turn."""
    genres = [GenreTotal(name, 50) for name in ("War", "Drama", "Crime")] + [GenreTotal("News", 2)]

    week = [genre_of_day(date(2026, 11, day), genres) for day in range(1, 8)]
    names = [chosen[0] for chosen in week]

    assert {*names[:3]} == {"War", "Drama", "Crime"}
    assert names[3:6] == names[:3]
    assert genre_of_day(date(2026, 11, 1), genres[::-1]) == week[0]
    assert genre_of_day(date(2026, 11, 1), []) is None


def test_each_day_of_a_genre_shows_other_movies_of_it():
    """One row after the other, from the first again after the last whole one."""
    genres = [GenreTotal("War", 30)]
    turns = [genre_of_day(date(2026, 11, day), genres)[1] for day in range(1, 6)]
    shown = [shown_in_turn([*range(23)], turn) for turn in turns]

    assert {len(row) for row in shown} == {7}
    assert {*shown[0], *shown[1], *shown[2]} == {*range(21)}
    assert shown[3:] == shown[:2]
    assert shown_in_turn([1, 2], 5) == [1, 2]
    assert shown_in_turn([], 5) == []


def test_the_start_page_leads_everywhere(served: str):
    """To the search, to lists of its rows, to each genre and decade, and to the health."""
    page = read(f"{served}/")

    assert page.count("<form") == 1
    assert 'action="/search"' in page
    assert '<a href="/health">' in page
    addresses = {unescape(each) for each in re.findall(r'href="(/browse[^"]*)"', page)}
    assert {"/browse?genre=Drama", "/browse?year_from=2010&year_to=2019"} <= addresses
    for address in addresses:
        assert movies_of(read(f"{served}{address}"))


def test_practice_data_is_marked_on_every_page(many: DatabaseManager):
    """Its posters, which do not exist, are not loaded; no link leads to other films at IMDb."""
    paths = ("/", "/browse", "/movies/5", "/search?q=film", "/people/Person%201")
    found = {}
    leads_to_imdb = []
    for source in ("yts", "sandbox"):
        with many.get_session() as session:
            set_source(session, source)
        with open_server(many, ServerSettings(connections=1)) as root:
            pages = [read(f"{root}{path}") for path in paths]
        found[source] = {("Practice data" in page, "<img" in page) for page in pages}
        leads_to_imdb.append("imdb.com" in "".join(pages))

    assert found == {"yts": {(False, True)}, "sandbox": {(True, False)}}
    assert leads_to_imdb == [True, False]


def test_the_search_of_the_start_page_completes_without_a_script(served: str):
    """Genres and titles that the page shows; a search completes the titles that it found."""
    start, found = read(f"{served}/"), read(f"{served}/search?q=letters")

    def offered(page: str) -> list[str]:
        (choices,) = re.findall(r'<datalist id="suggestions">(.*?)</datalist>', page)
        return [unescape(text) for text in re.findall(r'<option value="([^"]*)">', choices)]

    names = [unescape(name) for name in re.findall(r'<span class="name">(.*?)</span>', start)]
    assert "Drama" in offered(start)
    assert {*names} <= {*offered(start)}
    rows = [unescape(name) for name in re.findall(r'<a class="name"[^>]*>(.*?)</a>', found)]
    assert offered(found) == [*dict.fromkeys(rows)] != []
