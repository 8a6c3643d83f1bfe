"""No page reads a whole table of movies, people, roles, torrents, runs or failures."""

import re
from typing import get_origin
from urllib.parse import parse_qsl

import pytest
from sqlalchemy import URL, Connection, event
from sqlalchemy.orm import Session

from database.db import DatabaseManager
from database.serving.name_hints import closest_names, suggest
from web.meaning import Meaning
from web.pages.browse import ORDERS
from web.pages.frame.page import Page
from web.pages.table import make_pages
from web.v1.parameters import Query
from web.v1.route import Source

LARGE = re.compile(
    r"Seq Scan on (?:movies|casts|movie_casts|movie_genres|torrents|fetch_runs|fetch_failures|"
    r"missing_movies)\b"
)
ADDRESSES = [
    "/",
    "/browse",
    *(f"/browse?sort={order}" for order in ORDERS),
    "/browse?sort=rating&order=reversed",
    "/browse?genre=Drama&genre=Crime&year_from=1990&rating_from=6&sort=likes",
    "/browse?language=fr&quality=1080p&runtime_from=90",
    "/browse?added_since=2020-01-01&updated_since=2020-01-01",
    "/search?q=letters",
    "/search?q=a+ship+lost+at+sea",
    "/search?q=zzzzqqq",
    "/movies/5",
    "/people/Al%20Pacino",
    "/charts",
    "/health",
    "/feed.atom",
    "/feed.atom?genre=Drama&rating_from=6",
    "/feed.atom?q=letters&year_from=1990",
]  # fmt: skip


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


@pytest.mark.parametrize("address", ADDRESSES)
def test_each_statement_of_a_page_has_an_index(mirror_url: URL, address: str):
    """Also where the small tables of this test would be read faster without it."""
    page, query = find_page(address)
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        plans = plans_of(session, lambda: page.read(Source(session, Meaning()), query))

    assert plans
    assert [plan for plan in plans if LARGE.search(plan)] == []


def test_suggestions_have_an_index(mirror_url: URL):
    """They are read with each letter."""
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        plans = plans_of(
            session, lambda: [suggest(session, "the", 8), closest_names(session, "lettres")]
        )

    assert len(plans) == 2
    assert [plan for plan in plans if LARGE.search(plan)] == []
