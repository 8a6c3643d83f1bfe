"""Control characters in texts of YTS reach no terminal, log, page or table row of an error."""

import json
import os
import pty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from tests.support.data.yts_responses import (
    a_movie,
    a_person,
    a_row,
    a_torrent,
    details_response,
    page_response,
)
from tests.support.processes.commands import call
from tests.support.processes.watching import read_until
from tests.support.runs import impatient_client, read_sql
from tests.support.servers.canned_server import Canned, CannedServer, SeenRequest, open_canned

FETCH, MONITOR, QUERY = "fetch_yts_data.py", "monitor_progress.py", "query_movies.py"
#: C0, C1, a control sequence, right-to-left marks, line separators, half a surrogate pair.
NASTY = "q\x1b[2J\x9b31m\x07\x85\u202e\u2066\u2028\u2029\ud83d\x7f\nz"
MADE_UP = 2_000
_TEXTS = (
    "title title_english title_long language mpa_rating summary description_full "
    "description_intro synopsis yt_trailer_code url large_cover_image"
)


def nasty_movie(number: int) -> dict[str, Any]:
    """Return a movie with control characters in every text, and with unknown fields."""
    texts = dict.fromkeys(
        _TEXTS.split(),
        f"Film {number} {NASTY}",
    )
    lists = {
        "genres": [f"Drama {NASTY}", "Drama"],
        "torrents": [a_torrent(quality=NASTY, size=NASTY, url=NASTY, type=NASTY)],
        "cast": [a_person(name=f"Ida {NASTY}", character_name=NASTY, imdb_code=None)],
    }
    made_up = {f"{NASTY}{number}-{it}": 1 for it in range(MADE_UP)}
    return a_movie(number, **texts, **lists, **made_up)


def respond(request: SeenRequest) -> Canned:
    """Return responses with control characters: movies 1 to 3 exist, 4 to 7 fail differently."""
    if request.path.endswith("/list_movies.json"):
        if request.query["page"] != "1":
            return Canned(page_response(movie_count=7))
        rows = [nasty_movie(number) for number in (1, 2, 3)]
        rows.append(a_row(4, title=[NASTY]))
        rows += [a_row(number) for number in (5, 6, 7)]
        return Canned(page_response(*rows, movie_count=7))
    number = int(request.query["movie_id"])
    location = f"http://other.example/{NASTY}".replace("\n", "").encode("utf-8", "replace")
    failures = {
        4: Canned(details_response(a_movie(4, year=NASTY))),
        5: Canned(b"", 302, {"Location": location.decode("latin-1")}),
        6: Canned(details_response({}, status=NASTY, status_message=NASTY)),
        7: Canned(NASTY.encode("utf-8", "replace")),
    }
    return failures.get(number) or Canned(details_response(nasty_movie(number)))


@pytest.fixture(scope="module")
def nasty() -> Iterator[CannedServer]:
    """Open a server whose responses have control characters."""
    with open_canned() as server:
        server.script = respond
        yield server


def assert_safe(text: str) -> None:
    """Check that *text* has only printable characters, line feeds and tabs."""
    assert text.replace("\n", "").replace("\t", "").isprintable()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make one attempt for each request, because these responses do not change."""
    impatient_client(monkeypatch, attempts=1)


@pytest.fixture
def fetched(nasty: CannedServer, database_url: URL, tmp_path: Path) -> Any:
    """Return the output of a fetch from this server, with its log in *tmp_path*."""
    options = ["--api-url", nasty.url, "--rate", "0", "--log-file", str(tmp_path / "log")]
    return call(FETCH, *options, url=database_url)


def test_a_fetch_prints_and_records_no_control_characters(
    fetched: Any, db: DatabaseManager, tmp_path: Path
) -> None:
    """
    Neither the terminal nor the log nor the ledger has any; unknown fields are a short list.
    """
    log = (tmp_path / "log").read_text()
    messages = [message for (message,) in read_sql(db, "SELECT ARRAY[message] FROM fetch_failures")]

    assert len(messages) == 4
    for text in (fetched.stdout, fetched.stderr, log, *messages):
        assert_safe(text)
        assert len(text) < 20_000
    assert "\n" not in "".join(messages)
    assert all(len(line) < 2_100 for line in fetched.stdout.splitlines())
    assert " and more" in fetched.stdout


def test_the_json_of_a_fetch_has_no_control_characters(
    nasty: CannedServer, database_url: URL
) -> None:
    """
    The JSON is ASCII, with one message on each line.
    """
    options = ["--api-url", nasty.url, "--rate", "0", "--json"]
    done = call(FETCH, *options, url=database_url)

    assert done.stdout.isascii()
    assert_safe(done.stdout)
    assert len(done.stdout) < 30_000
    summary = [json.loads(line) for line in done.stdout.splitlines()][-1]
    assert len(summary["unknown_fields"]) == 21


def test_an_export_as_csv_has_control_characters_in_files_and_not_on_a_terminal(
    fetched: Any, database_url: URL
) -> None:
    """A file or a pipe gets the data as they are stored."""
    assert fetched.returncode == 3
    export = (QUERY, "export", "--columns", "id,title,genres,cast", "--output")
    master, slave = pty.openpty()
    on_terminal = call(*export, os.ttyname(slave), url=database_url)
    piped = call(*export, "-", url=database_url)
    os.close(slave)
    shown = read_until(master, None).decode().replace("\r\n", "\n")
    os.close(master)

    assert (on_terminal.returncode, piped.returncode) == (0, 0), on_terminal.stderr
    assert "Film 1 q [2J" in shown
    assert_safe(shown)
    assert "Film 1 q\x1b[2J" in piped.stdout


COMMANDS = [
    (MONITOR, "--once"),
    (MONITOR, "--once", "--json"),
    (MONITOR, "--failures"),
    (MONITOR, "--failures", "--json"),
    (MONITOR, "--history"),
    (QUERY, "top"),
    (QUERY, "top", "--json"),
    (QUERY, "show", "1"),
    (QUERY, "show", "1", "--posters", "--json"),
    (QUERY, "stats"),
    (QUERY, "search", "film"),
    (QUERY, "search", "film", "--json"),
    (QUERY, "export", "--format", "jsonl"),
]


def test_no_command_prints_control_characters_of_a_text(
    fetched: Any, database_url: URL, tmp_path: Path
) -> None:
    """
    This holds for text, for JSON and for the HTML page.
    """
    assert fetched.returncode == 3
    for command in COMMANDS:
        shown = call(*command, url=database_url)
        assert shown.returncode in {0, 3}, (command, shown.stderr)
        assert shown.stdout, command
        try:
            assert_safe(shown.stdout + shown.stderr)
        except AssertionError:
            raise AssertionError(f"{command}: {shown.stdout!r}") from None
    page = tmp_path / "page.html"
    call(MONITOR, "--html", str(page), url=database_url)
    assert_safe(page.read_text())
