"""`Control`, `Traffic` and `RateLimit`: commands below /sandbox/, counts, and the limit."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.api.traffic import RateLimit, Traffic
from tests.support.sandbox_requests import (
    TIMEOUT_SECONDS,
    all_ids,
    ask,
    command,
    details,
    page_ids,
    read,
    stats,
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Yield a sandbox that the test may change."""
    with open_sandbox() as sandbox:
        yield sandbox


def test_added_movies_are_the_newest(sandbox: Sandbox) -> None:
    """
    New movies are first on the first page, the others move down, nothing else changes.
    """
    before = all_ids(sandbox, "asc")
    added = command(sandbox, "add", params={"count": 30})["added"]

    assert len(added) == 30
    assert min(added) > max(before)
    assert all_ids(sandbox, "asc")[:400] == before
    assert set(page_ids(sandbox, limit=30)) == set(added)
    assert read(sandbox, "list_movies")["movie_count"] == stats(sandbox)["movies"] == 430


def test_removed_movies_become_ghosts(sandbox: Sandbox) -> None:
    """
    A removed movie is not in the list or the count, and its details are the ghost.
    """
    assert command(sandbox, "remove", params={"ids": "3,4,999999"}) == {"removed": [3, 4]}

    assert not {3, 4} & set(all_ids(sandbox, "asc"))
    assert read(sandbox, "list_movies")["movie_count"] == 398
    assert details(sandbox, 3)["id"] == 0
    assert details(sandbox, 5)["id"] == 5


def test_changed_movies_have_another_rating_and_one_more_torrent(sandbox: Sandbox) -> None:
    """
    A change shows in list and details, and a second change differs from the first.
    """
    versions = [details(sandbox, 7)]
    for _ in range(2):
        assert command(sandbox, "change", params={"ids": "7"}) == {"changed": [7]}
        versions.append(details(sandbox, 7))
    ratings = {version["rating"] for version in versions}
    hashes = [[torrent["hash"] for torrent in version["torrents"]] for version in versions]
    row = next(m for m in read(sandbox, "list_movies", order_by="asc")["movies"] if m["id"] == 7)

    assert len(ratings) == 3
    assert hashes[0] == hashes[1][:-1] == hashes[2][:-2]
    assert len(set(hashes[2])) == len(hashes[2])
    assert (row["rating"], row["torrents"]) == (versions[2]["rating"], versions[2]["torrents"])


def test_changes_show_in_sorted_and_filtered_lists(sandbox: Sandbox) -> None:
    """
    A cached list is not used after a change of the catalogue.
    """
    best = page_ids(sandbox, sort_by="rating", limit=1)
    command(sandbox, "remove", params={"ids": best[0]})

    assert page_ids(sandbox, sort_by="rating", limit=1) != best


def is_torrent_list_long(movie: dict[str, Any]) -> bool:
    return len({torrent["hash"] for torrent in movie["torrents"]}) == 5_000


@pytest.mark.parametrize(
    ("how", "is_corrupted"),
    [
        ("huge", lambda movie: len(movie["description_full"]) > 10_000_000),
        ("nul", lambda movie: "\0" in movie["title"]),
        ("surrogates", lambda movie: "\ud83d " in movie["title"]),
        ("wrong-types", lambda movie: isinstance(movie["title"], list)),
        ("out-of-range", lambda movie: movie["year"] > 2**64 and movie["runtime"] < 0),
        ("null-title", lambda movie: movie["title"] is None),
        ("many-torrents", is_torrent_list_long),
    ],
)
def test_corrupted_movies_are_bad_in_lists_and_details(
    sandbox: Sandbox, how: str, is_corrupted: Callable[[dict[str, Any]], bool]
) -> None:
    """
    Only these movies change, in one way at a time, until they are intact again; all is valid JSON.
    """
    before = read(sandbox, "list_movies", order_by="asc")
    assert command(sandbox, "corrupt", params={"ids": "5,999999", "how": how}) == {"corrupted": [5]}
    rows = read(sandbox, "list_movies", order_by="asc")["movies"]

    assert is_corrupted(details(sandbox, 5))
    assert [is_corrupted(row) for row in rows] == [row["id"] == 5 for row in rows]
    command(sandbox, "corrupt", params={"ids": "5", "how": "intact"})
    assert read(sandbox, "list_movies", order_by="asc") == before


def test_stats_count_requests(sandbox: Sandbox) -> None:
    """
    Requests are counted by endpoint and status, page and id; requests to /sandbox/ are not.
    """
    for page in (1, 2, 2):
        ask(sandbox, "list_movies", page=page)
    ask(sandbox, "movie_details", movie_id=9)
    ask(sandbox, "movie_details", imdb_id="tt123")
    ask(sandbox, "nonsense")
    counts = stats(sandbox)

    assert counts["requests"] == 6
    assert counts["responses"] == {
        "list_movies.json": {"200": 3},
        "movie_details.json": {"200": 2},
        "unknown": {"404": 1},
    }
    assert counts["pages"] == {"1": 1, "2": 2}
    assert counts["ids"] == {"9": 1, "tt123": 1}
    assert sum(counts["arrivals"].values()) == 6
    assert counts["faults"] == {}


def test_faults_can_be_switched_while_it_runs(sandbox: Sandbox) -> None:
    """
    The body replaces all faults; an empty object ends them.
    """
    command(sandbox, "faults", json={"500": 1})
    assert ask(sandbox, "list_movies").status_code == 500

    command(sandbox, "faults", json={})
    assert ask(sandbox, "list_movies").ok


@pytest.mark.parametrize(
    ("command_name", "request_parts"),
    [
        ("add", {"params": {"count": "many"}}),
        ("remove", {}),
        ("change", {"params": {"ids": "1;2"}}),
        ("corrupt", {"params": {"ids": "1", "how": "gently"}}),
        ("corrupt", {"params": {"how": "huge"}}),
        ("faults", {"json": {"flood": 1}}),
        ("faults", {"json": [1]}),
        ("faults", {"json": {"503": None}}),
        ("faults", {"data": "{"}),
    ],
)
def test_invalid_commands_are_refused(
    intact: Sandbox, command_name: str, request_parts: dict[str, Any]
) -> None:
    """
    400 with a message, and nothing is changed.
    """
    response = requests.post(
        f"{intact.root}/sandbox/{command_name}", timeout=TIMEOUT_SECONDS, **request_parts
    )

    assert response.status_code == 400
    assert response.text
    assert stats(intact)["movies"] == 400


def test_the_busiest_second_is_found_wherever_it_begins() -> None:
    """
    The window slides: a burst across the boundary of two seconds counts completely.
    """
    traffic = Traffic()
    for moment in (0.0, 10.5, 10.9, 11.2, 11.4, 11.5, 20.0):
        traffic.note_arrival(moment)
    counts = traffic.as_json()

    assert counts["max_in_one_second"] == 4
    assert counts["arrivals"] == {"0": 1, "10": 2, "11": 3, "20": 1}


def test_a_steady_client_at_the_limit_is_never_refused() -> None:
    """
    Requests exactly 1/N seconds apart pass a limit of N.
    """
    limit = RateLimit(4)

    assert all(limit.admits(number / 4) for number in range(100))


def test_arrivals_keep_a_bounded_memory() -> None:
    """
    Only the last hour of seconds is kept.
    """
    traffic = Traffic()
    for second in range(10_000):
        traffic.note_arrival(second)
    counts = traffic.as_json()

    assert counts["requests"] == 10_000
    assert isinstance(counts["arrivals"], dict)
    assert len(counts["arrivals"]) == 3_600
    assert "9999" in counts["arrivals"]
