"""The operator's side door."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from sandbox.api.server import Sandbox, open_sandbox
from sandbox.api.traffic import RateLimit, Traffic
from tests.sandbox.conftest import (
    TIMEOUT_SECONDS,
    all_ids,
    ask,
    details,
    order,
    page_ids,
    read,
    stats,
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox to change."""
    with open_sandbox() as sandbox:
        yield sandbox


def test_added_movies_are_the_newest(sandbox: Sandbox) -> None:
    """
    New movies stand on top of the first page, the rest moves down, nothing else changes.
    """
    before = all_ids(sandbox, "asc")
    added = order(sandbox, "add", params={"count": 30})["added"]

    assert len(added) == 30
    assert min(added) > max(before)
    assert all_ids(sandbox, "asc")[:400] == before
    assert set(page_ids(sandbox, limit=30)) == set(added)
    assert read(sandbox, "list_movies")["movie_count"] == stats(sandbox)["movies"] == 430


def test_removed_movies_become_ghosts(sandbox: Sandbox) -> None:
    """
    A removed movie leaves list and count, and its details are the ghost's.
    """
    assert order(sandbox, "remove", params={"ids": "3,4,999999"}) == {"removed": [3, 4]}

    assert not {3, 4} & set(all_ids(sandbox, "asc"))
    assert read(sandbox, "list_movies")["movie_count"] == 398
    assert details(sandbox, 3)["id"] == 0
    assert details(sandbox, 5)["id"] == 5


def test_changed_movies_have_another_rating_and_one_more_torrent(sandbox: Sandbox) -> None:
    """
    A change shows in list and details alike, and a second change is another one.
    """
    versions = [details(sandbox, 7)]
    for _ in range(2):
        assert order(sandbox, "change", params={"ids": "7"}) == {"changed": [7]}
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
    What was worked out for an earlier list does not outlive a change of the catalogue.
    """
    best = page_ids(sandbox, sort_by="rating", limit=1)
    order(sandbox, "remove", params={"ids": best[0]})

    assert page_ids(sandbox, sort_by="rating", limit=1) != best


def is_torrent_list_long(movie: dict[str, Any]) -> bool:
    return len({torrent["hash"] for torrent in movie["torrents"]}) == 5_000


@pytest.mark.parametrize(
    ("how", "is_spoilt"),
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
def test_spoilt_movies_are_bad_in_lists_and_details(
    sandbox: Sandbox, how: str, is_spoilt: Callable[[dict[str, Any]], bool]
) -> None:
    """
    Only they, in one way at a time, until they are honest again; and the answers are JSON.
    """
    before = read(sandbox, "list_movies", order_by="asc")
    assert order(sandbox, "spoil", params={"ids": "5,999999", "how": how}) == {"spoilt": [5]}
    rows = read(sandbox, "list_movies", order_by="asc")["movies"]

    assert is_spoilt(details(sandbox, 5))
    assert [is_spoilt(row) for row in rows] == [row["id"] == 5 for row in rows]
    order(sandbox, "spoil", params={"ids": "5", "how": "honest"})
    assert read(sandbox, "list_movies", order_by="asc") == before


def test_stats_tell_what_was_asked(sandbox: Sandbox) -> None:
    """
    Requests by endpoint and status, pages and ids; the side door itself is not counted.
    """
    for page in (1, 2, 2):
        ask(sandbox, "list_movies", page=page)
    ask(sandbox, "movie_details", movie_id=9)
    ask(sandbox, "movie_details", imdb_id="tt123")
    ask(sandbox, "nonsense")
    seen = stats(sandbox)

    assert seen["requests"] == 6
    assert seen["answers"] == {
        "list_movies.json": {"200": 3},
        "movie_details.json": {"200": 2},
        "unknown": {"404": 1},
    }
    assert seen["pages"] == {"1": 1, "2": 2}
    assert seen["ids"] == {"9": 1, "tt123": 1}
    assert sum(seen["arrivals"].values()) == 6
    assert seen["faults"] == {}


def test_faults_can_be_switched_while_it_runs(sandbox: Sandbox) -> None:
    """
    The body replaces all faults; an empty object ends them.
    """
    order(sandbox, "faults", json={"500": 1})
    assert ask(sandbox, "list_movies").status_code == 500

    order(sandbox, "faults", json={})
    assert ask(sandbox, "list_movies").ok


@pytest.mark.parametrize(
    ("command", "request_parts"),
    [
        ("add", {"params": {"count": "many"}}),
        ("remove", {}),
        ("change", {"params": {"ids": "1;2"}}),
        ("spoil", {"params": {"ids": "1", "how": "gently"}}),
        ("spoil", {"params": {"how": "huge"}}),
        ("faults", {"json": {"flood": 1}}),
        ("faults", {"json": [1]}),
        ("faults", {"json": {"503": None}}),
        ("faults", {"data": "{"}),
    ],
)
def test_nonsense_orders_are_refused(
    honest: Sandbox, command: str, request_parts: dict[str, Any]
) -> None:
    """
    400 with a sentence, and nothing is changed.
    """
    answer = requests.post(
        f"{honest.root}/sandbox/{command}", timeout=TIMEOUT_SECONDS, **request_parts
    )

    assert answer.status_code == 400
    assert answer.text
    assert stats(honest)["movies"] == 400


def test_the_busiest_second_is_found_wherever_it_begins() -> None:
    """
    The window slides: a burst across the turn of a clock's second counts whole.
    """
    traffic = Traffic()
    for moment in (0.0, 10.5, 10.9, 11.2, 11.4, 11.5, 20.0):
        traffic.note_arrival(moment)
    seen = traffic.as_json()

    assert seen["max_in_one_second"] == 4
    assert seen["arrivals"] == {"0": 1, "10": 2, "11": 3, "20": 1}


def test_a_steady_client_at_the_limit_is_never_refused() -> None:
    """
    Requests exactly 1/N seconds apart pass a limit of N.
    """
    limit = RateLimit(4)

    assert all(limit.admits(number / 4) for number in range(100))


def test_arrivals_keep_a_bounded_memory() -> None:
    """
    However long it runs, only the last hour of seconds is kept.
    """
    traffic = Traffic()
    for second in range(10_000):
        traffic.note_arrival(second)
    seen = traffic.as_json()

    assert seen["requests"] == 10_000
    assert isinstance(seen["arrivals"], dict)
    assert len(seen["arrivals"]) == 3_600
    assert "9999" in seen["arrivals"]
