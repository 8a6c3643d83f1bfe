"""Whatever YTS puts into a text, no command shows, logs or records it so that it could steer."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from tests.support.canned_server import Asked, Canned, CannedServer, open_canned
from tests.support.commands import call
from tests.support.runs import impatient_client, read_sql
from tests.support.yts_responses import (
    a_movie,
    a_person,
    a_row,
    a_torrent,
    details_answer,
    page_answer,
)

FETCH, MONITOR, QUERY = "fetch_yts_data.py", "monitor_progress.py", "query_movies.py"
#: Of every kind: C0, C1, a sequence, turned writing, separators of lines, half a pair.
NASTY = "q\x1b[2J\x9b31m\x07\x85\u202e\u2066\u2028\u2029\ud83d\x7f\nz"
MADE_UP = 2_000
_TEXTS = (
    "title title_english title_long language mpa_rating summary description_full "
    "description_intro synopsis yt_trailer_code url large_cover_image"
)


def nasty_movie(number: int) -> dict[str, Any]:
    """Return a movie whose every text is nasty, with fields that nobody knows."""
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


def answer(asked: Asked) -> Canned:
    """Be as nasty as can be: movies 1 to 3 are there, 4 to 7 fail in different ways."""
    if asked.path.endswith("/list_movies.json"):
        if asked.query["page"] != "1":
            return Canned(page_answer(movie_count=7))
        rows = [nasty_movie(number) for number in (1, 2, 3)]
        rows.append(a_row(4, title=[NASTY]))
        rows += [a_row(number) for number in (5, 6, 7)]
        return Canned(page_answer(*rows, movie_count=7))
    number = int(asked.query["movie_id"])
    location = f"http://other.example/{NASTY}".replace("\n", "").encode("utf-8", "replace")
    failures = {
        4: Canned(details_answer(a_movie(4, year=NASTY))),
        5: Canned(b"", 302, {"Location": location.decode("latin-1")}),
        6: Canned(details_answer({}, status=NASTY, status_message=NASTY)),
        7: Canned(NASTY.encode("utf-8", "replace")),
    }
    return failures.get(number) or Canned(details_answer(nasty_movie(number)))


@pytest.fixture(scope="module")
def nasty() -> Iterator[CannedServer]:
    """Open a server that is nasty."""
    with open_canned() as server:
        server.script = answer
        yield server


def assert_safe(text: str) -> None:
    """Check that *text* is lines of what can be printed."""
    assert text.replace("\n", "").replace("\t", "").isprintable()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try nothing again: what fails here fails for ever."""
    impatient_client(monkeypatch, attempts=1)


@pytest.fixture
def fetched(nasty: CannedServer, database_url: URL, tmp_path: Path) -> Any:
    """Return what a fetch of all that said, with its log in *tmp_path*."""
    options = ["--api-url", nasty.url, "--rate", "0", "--log-file", str(tmp_path / "log")]
    return call(FETCH, *options, url=database_url)


def test_a_fetch_says_and_records_nothing_that_could_steer(
    fetched: Any, db: DatabaseManager, tmp_path: Path
) -> None:
    """
    On the terminal, in the log, in the ledger; and made-up fields are a short list.
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


def test_a_fetch_tells_programs_nothing_that_could_steer(
    nasty: CannedServer, database_url: URL
) -> None:
    """
    JSON of ASCII, each message a line.
    """
    options = ["--api-url", nasty.url, "--rate", "0", "--json"]
    told = call(FETCH, *options, url=database_url)

    assert told.stdout.isascii()
    assert_safe(told.stdout)
    assert len(told.stdout) < 30_000
    summary = [json.loads(line) for line in told.stdout.splitlines()][-1]
    assert len(summary["unknown_fields"]) == 21


LOOKS = [
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


def test_nothing_that_shows_the_mirror_could_steer(
    fetched: Any, database_url: URL, tmp_path: Path
) -> None:
    """
    Every command, for people and for programs, and the page.
    """
    assert fetched.returncode == 3
    for command in LOOKS:
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
