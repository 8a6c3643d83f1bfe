"""No page reads a whole table of movies, people, roles, torrents, runs or failures."""

import re
from collections.abc import Iterator
from typing import Any, get_origin
from urllib.parse import parse_qsl, urlencode

import pytest
from sqlalchemy import URL, Connection, event
from sqlalchemy.orm import Session

import web.pages.browse
import web.pages.movie
import web.pages.person
from database.db import DatabaseManager
from database.search.similar.ranking import NoVector
from database.serving.name_hints import closest_names, suggest
from database.serving.people import find_people
from web.meaning import Meaning
from web.pages.browse import ORDERS
from web.pages.frame.page import Page
from web.pages.table import make_pages
from web.v1.parameters import Query
from web.v1.route import Source

LARGE = re.compile(
    r"Seq Scan on (?:movies|casts|movie_casts|movie_genres|torrents|movie_embeddings|search_words|"
    r"listed_movies|missing_movies|fetch_runs|fetch_failures)\b"
)
ADDRESSES = [
    "/",
    "/browse",
    *(f"/browse?sort={order}" for order in ORDERS),
    "/browse?sort=rating&order=reversed",
    "/browse?genre=Drama&genre=Crime&year_from=1990&rating_from=6&sort=likes",
    "/browse?language=fr&quality=1080p&runtime_from=90",
    "/browse?quality=3D",
    "/browse?runtime_from=90&runtime_to=95",
    "/browse?added_since=2020-01-01&updated_since=2020-01-01",
    "/browse?added_before=2020-01-01&with_gone=true",
    "/search?q=letters",
    "/search?q=a+ship+lost+at+sea",
    "/search?q=zzzzqqq",
    "/search?q=tt0133093",
    "/search?q=al+pacino+80s+crime",
    "/movies/5",
    "/movies/the-matrix-1999",
    "/people/Al%20Pacino",
    "/charts",
    "/health",
    "/feed.atom",
    "/feed.atom?genre=Drama&rating_from=6",
    "/feed.atom?q=letters&year_from=1990",
]  # fmt: skip
#: Lists of several pages.
LISTS = [f"/browse?sort={order}" for order in ORDERS] + [
    "/browse?genre=Drama",
    "/people/Al%20Pacino",
]


def find_page(address: str) -> tuple[Page, Query]:
    """Return the page of an address, and its parameters."""
    path, _, text = address.partition("?")
    for page in make_pages():
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", page.path)
        if match := re.fullmatch(pattern, path.replace("%20", " ")):
            values: dict = {**match.groupdict()}
            for name, value in parse_qsl(text):
                is_list = get_origin(page.query.model_fields[name].annotation) is tuple
                values[name] = [*values.get(name, []), value] if is_list else value
            return page, page.query.model_validate(values)
    raise LookupError(address)


def plans_of(session: Session, read) -> list[str]:
    """Return the plans of the statements of *read*, where tables are read whole only if need be."""
    connection = session.connection()
    statements: list[tuple[str, object]] = []

    def note(_connection: Connection, _cursor, statement, parameters, *_rest) -> None:
        statements.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    read()
    event.remove(connection, "before_cursor_execute", note)
    connection.exec_driver_sql("SET enable_seqscan = off")
    return [
        "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())
        for statement, parameters in statements
        if statement.lstrip().startswith(("SELECT", "WITH"))
    ]


@pytest.fixture
def reading(mirror_url: URL) -> Iterator[Session]:
    """Open a session on the mirror with practice movies."""
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        yield session


def read_page(session: Session, address: str) -> Any:
    """Return the view of a page."""
    page, query = find_page(address)
    return page.read(Source(session, Meaning()), query)


@pytest.mark.parametrize("address", ADDRESSES)
def test_each_statement_of_a_page_has_an_index(reading: Session, address: str):
    """Also where the small tables of this test would be read faster without it."""
    plans = plans_of(reading, lambda: read_page(reading, address))

    assert plans
    assert [plan for plan in plans if LARGE.search(plan)] == []


@pytest.mark.parametrize("address", LISTS)
def test_pages_in_the_middle_of_a_list_have_an_index(
    reading: Session, monkeypatch: pytest.MonkeyPatch, address: str
):
    """The one after the first, and the one before that."""
    for module in (web.pages.browse, web.pages.person):
        for name in {"ON_PAGE", "_ON_PAGE"} & {*vars(module)}:
            monkeypatch.setattr(module, name, 2)
    begin = f"{address}&" if "?" in address else f"{address}?"
    after = urlencode(read_page(reading, address).following)
    before = urlencode(read_page(reading, f"{begin}{after}").previous)

    plans = plans_of(
        reading, lambda: [read_page(reading, f"{begin}{place}") for place in (after, before)]
    )

    assert [plan for plan in plans if LARGE.search(plan)] == []


def test_a_movie_without_a_vector_has_an_index(reading: Session, monkeypatch: pytest.MonkeyPatch):
    """Then similar movies are those of its genres."""

    def fail(*_args: object, **_options: object) -> None:
        raise NoVector("none")

    monkeypatch.setattr(web.pages.movie, "similar_movies", fail)
    plans = plans_of(reading, lambda: read_page(reading, "/movies/5"))

    assert [plan for plan in plans if LARGE.search(plan)] == []


def test_suggestions_and_codes_of_people_have_an_index(reading: Session):
    """Suggestions are read with each letter."""
    plans = plans_of(
        reading,
        lambda: [
            suggest(reading, "the", 8),
            closest_names(reading, "lettres"),
            find_people(reading, "nm0000206"),
        ],
    )

    assert len(plans) == 3
    assert [plan for plan in plans if LARGE.search(plan)] == []
