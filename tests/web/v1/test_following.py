"""Programs that follow the mirror, and streams that are interrupted."""

import gzip
import json
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import text

from database.db import DatabaseManager
from database.errors import DatabaseNotReady
from tests.cli.test_docs import blocks
from tests.support.data.movies import movie
from tests.support.databases import run_sql
from tests.support.processes.commands import environment
from tests.support.processes.programs import run_program
from tests.support.servers.web_server import open_server
from tests.web.v1.test_lists import get, ids, pages
from web.reader import CatalogueReader
from web.v1 import streams
from web.v1.cursors import encode_cursor

SINCE = "/movies?sort=updated&with_gone=true&updated_since="


def test_a_program_that_follows_misses_no_movie(db: DatabaseManager):
    """Also not one whose transaction began before the last request and ended after it."""
    with open_server(db) as root, db.engine.connect() as slow:
        slow.execute(text("INSERT INTO movies (external_id, title) VALUES (1, 'Slow')"))
        db.save_movie(movie(2))
        first = get(root, f"{SINCE}2020-01-01").json()
        slow.commit()
        second = get(root, f"{SINCE}{first['next_since']}").json()
        run_sql(db.url, "UPDATE movies SET gone_since = now(), updated_at = now() WHERE id = 1")
        third = get(root, f"{SINCE}{second['next_since']}", Accept="application/x-ndjson")
        last = get(root, f"{SINCE}{third.headers['Next-Since']}").json()

    assert ids(first["items"]) == [2]
    assert 1 in ids(second["items"])
    assert json.loads(third.text.splitlines()[0])["gone_since"]
    assert last["next_since"] > second["next_since"]


def test_all_pages_have_the_time_of_the_first_one(db: DatabaseManager):
    """A movie that changes while pages are read may be on one that was read: it comes next time."""
    for number in (1, 2, 3):
        db.save_movie(movie(number))
    with open_server(db) as root:
        read = pages(root, "/movies?updated_since=2020-01-01&limit=1")
        first = next(read)
        run_sql(db.url, "UPDATE movies SET updated_at = now() WHERE external_id = 3")
        others = list(read)
        after = get(root, f"{SINCE}{others[-1]['next_since']}").json()["items"]
        forged = encode_cursor("id usual since", ["a\r\nb", 3])
        refused = requests.get(
            f"{root}/api/v1/movies?added_since=2020-01-01&format=csv&cursor={forged}", timeout=20
        )

    assert ids(first["items"]) == [3]
    assert {page["next_since"] for page in others} == {first["next_since"]}
    assert 3 in ids(after)
    assert refused.status_code == 400


def test_a_list_keeps_its_tag_when_other_rows_change(db: DatabaseManager):
    """A commit that does not change the list does not change the response: 304."""
    db.save_movie(movie(1))
    with open_server(db) as root:
        etag = get(root, "/movies").headers["ETag"]
        run_sql(db.url, "INSERT INTO genres (name) VALUES ('Rare')")
        response = requests.get(
            f"{root}/api/v1/movies", headers={"If-None-Match": etag}, timeout=20
        )

    assert response.status_code == 304


def test_a_stream_that_cannot_go_on_is_cut(db: DatabaseManager, monkeypatch: pytest.MonkeyPatch):
    """The client gets an error, not a shorter list."""
    monkeypatch.setattr(streams, "_PART", 1)
    for number in (1, 2, 3):
        db.save_movie(movie(number))
    with open_server(db) as root:
        url = f"{root}/api/v1/movies?format=ndjson"
        assert len(requests.get(url, timeout=20).text.splitlines()) == 3
        monkeypatch.setattr(CatalogueReader, "run", fail_after(2, CatalogueReader.run))
        with pytest.raises(requests.RequestException):
            requests.get(url, timeout=20)


def fail_after(calls: int, run: Callable[..., Any]) -> Callable[..., Any]:
    """Return *run*, which fails after a number of calls."""
    numbers = count(1)

    async def run_some(self: CatalogueReader, work: Callable[..., Any]) -> Any:
        if next(numbers) > calls:
            raise DatabaseNotReady("It is away")
        return await run(self, work)

    return run_some


def test_a_stream_is_compressed_where_the_client_accepts_it(served: str):
    """The content is the same, and much smaller on its way."""
    url = f"{served}/api/v1/movies?format=ndjson"
    plain = requests.get(url, headers={"Accept-Encoding": "gzip;q=0"}, timeout=20)
    with requests.get(url, headers={"Accept-Encoding": "gzip"}, stream=True, timeout=20) as packed:
        raw = packed.raw.read(decode_content=False)

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(raw) == plain.content
    assert 3 * len(raw) < len(plain.content)


def test_head_of_a_stream_has_no_body(served: str):
    """And the same headers; what is wrong is a problem."""
    url = f"{served}/api/v1/movies?format=csv"
    response = requests.head(url, timeout=20)

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert requests.head(f"{url}&genre=nothing", timeout=20).status_code == 400


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_examples_of_the_page_do_what_it_says(served: str, tmp_path: Path):
    """Each command of docs/api.md that uses curl prints or saves a result."""
    for block in blocks("docs/api.md", "sh"):
        commands = block.replace("http://127.0.0.1:8080", served)
        done = run_program(["bash", "-euc", commands], environment(), tmp_path)
        is_error = "dramma" in commands
        assert done.returncode == 0, done.stderr
        assert ('"status":4' in done.stdout) == is_error, done.stdout
    assert len((tmp_path / "movies.ndjson").read_text().splitlines()) == 300
    assert (tmp_path / "actors.csv").read_text().startswith("name,movies,average_rating\n")
