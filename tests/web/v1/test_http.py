"""The API v1 over HTTP: an empty mirror, runs and failures, caching, methods, and a base path."""

from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
import requests

from database.bookkeeping.failures import Failure, record_failures
from database.db import DatabaseManager
from tests.support.data.movies import movie
from tests.support.databases import run_sql
from tests.support.servers.web_server import open_server
from tests.web.v1.test_lists import get, pages
from web.settings import ServerSettings
from web.v1.table import ROUTES

CHECKED = ServerSettings(connections=2, checks_responses=True)


def test_an_empty_mirror_has_empty_lists(db: DatabaseManager):
    """As pages and as streams; its figures are zero or null."""
    with open_server(db, CHECKED) as root:
        for route in ROUTES:
            needed = any(field.is_required() for field in route.query.model_fields.values())
            if route.read_items and not needed:
                page = get(root, route.path).json()
                assert (page["items"], page["next"]) == ([], None)
                assert get(root, route.path, Accept="application/jsonl").text == ""
                assert get(root, f"{route.path}?format=csv").text.count("\r\n") == 1
        assert get(root, "/search?q=lamp").json()["items"] == []
        assert get(root, "/stats").json()["total_movies"] == 0
        assert get(root, "/health").json()["completed_at"] is None
        assert get(root, "/stats/decade").json()["items"] == []


@pytest.fixture
def busy(db: DatabaseManager) -> Iterator[str]:
    """Serve a mirror with five runs, of which one has not ended, and five failures."""
    db.save_movie(movie(3))
    failures = [Failure("movie", str(number), "fetch", "Timeout", "too slow") for number in (1, 3)]
    failures += [
        Failure("page", str(number), "parse", "BadPage", "no JSON") for number in (4, 5, 6)
    ]
    with db.get_session() as session:
        record_failures(session, failures)
    run_sql(
        db.url,
        "INSERT INTO fetch_runs (command, phase, finished_at, exit_code, is_complete) "
        "SELECT 'fetch', 'ended', now(), 0, true FROM generate_series(1, 4)",
        "INSERT INTO fetch_runs (command, phase) VALUES ('fetch', 'details')",
    )
    with open_server(db, CHECKED) as root:
        yield root


def test_runs_are_listed_from_the_newest(busy: str):
    """Each run is on one page and has its own address; one without a process was killed."""
    runs = [run for page in pages(busy, "/runs?limit=2") for run in page["items"]]

    assert [run["id"] for run in runs] == sorted((run["id"] for run in runs), reverse=True)
    assert [run["state"] for run in runs] == ["killed", *["ended"] * 4]
    assert [get(busy, f"/runs/{run['id']}").json() for run in runs] == runs


def test_failures_are_listed_with_titles(busy: str):
    """Those that are tried again soonest come first; each is on one page."""
    failures = [item for page in pages(busy, "/failures?limit=2") for item in page["items"]]

    assert [(each["kind"], each["key"]) for each in failures] == [
        ("movie", "1"), ("movie", "3"), ("page", "4"), ("page", "5"), ("page", "6"),
    ]  # fmt: skip
    assert [each["title"] for each in failures[:3]] == [None, "Film 3", None]
    assert not any(each["is_due"] for each in failures)


def test_health_changes_with_time_and_is_never_kept(busy: str):
    """Neither the server nor a client keeps it, so that it is always current."""
    first, second = (get(busy, "/health").json() for _ in range(2))

    assert second["time"] > first["time"]
    assert second["age_seconds"] > first["age_seconds"]


@pytest.mark.parametrize("path", ["/movies", "/movies/5", "/openapi.json", "/"])
def test_responses_are_compressed_and_sent_once(served: str, path: str):
    """With gzip where the client accepts it, and 304 if it has the response already."""
    url = f"{served}/api/v1{path}"
    plain = requests.get(url, headers={"Accept-Encoding": "identity"}, timeout=20)
    packed = requests.get(url, headers={"Accept-Encoding": "gzip"}, timeout=20)
    same = requests.get(url, headers={"If-None-Match": plain.headers["ETag"]}, timeout=20)

    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content == plain.content
    assert (same.status_code, same.content) == (304, b"")


@pytest.mark.parametrize("path", [*(route.example for route in ROUTES), "/", "/openapi.json"])
def test_every_address_has_head_and_options(served: str, path: str):
    """HEAD has the status and type of GET without a body; OPTIONS names the methods."""
    url = f"{served}/api/v1{path}"
    got, head = requests.get(url, timeout=20), requests.head(url, timeout=20)
    options = requests.options(url, timeout=20)

    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["Content-Type"] == got.headers["Content-Type"]
    assert (options.status_code, options.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")


def test_behind_a_proxy_all_links_have_its_path(db: DatabaseManager):
    """Those of pages, of the description, and of the page for readers."""
    for number in (1, 2):
        db.save_movie(movie(number))
    settings = ServerSettings(connections=1, base_path="/mirror")
    with open_server(db, settings) as root:
        page = get(root, "/movies?limit=1")
        next_page = requests.get(urljoin(page.url, page.json()["next"]), timeout=20)
        description = get(root, "/openapi.json").json()
        html = requests.get(f"{root}/api/v1", timeout=20)
        missing = requests.get(f"{root}/api/v1/nothing", timeout=20)

    assert page.links["next"]["url"].startswith("/mirror/api/v1/movies?")
    assert [item["id"] for item in next_page.json()["items"]] == [1]
    assert description["servers"] == [{"url": "/mirror/api/v1"}]
    assert html.url.endswith("/mirror/api/v1/")
    assert 'href="/mirror/api/v1/openapi.json"' in html.text
    assert "/mirror/api/v1/" in missing.json()["detail"]
