"""Retries of `YtsClient`: pauses, Retry-After, slots before requests, and `slow_down`."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from tests.support.data.yts_responses import a_row, page_response
from tests.support.servers.canned_server import Canned, CannedServer
from tests.support.servers.client_fixtures import MakeClient
from yts.client import YtsClient
from yts.errors import YtsUnavailable
from yts.http_status import MAX_RETRY_AFTER_SECONDS


class Stopped(Exception):
    """Raised by a caller's `sleep` or `take_slot` to stop."""


def test_pauses_double_with_jitter(client: YtsClient, server: CannedServer, pauses: list[float]):
    """
    Five attempts have four pauses, from 1 s on, each with up to a second of jitter.
    """
    server.give(Canned(b"", 503))
    with pytest.raises(YtsUnavailable):
        client.fetch_page(1, "asc")

    assert len(server.requests) == 5
    assert [int(pause) for pause in pauses] == [1, 2, 4, 8]
    assert all(pause % 1 for pause in pauses)


def test_jitter_differs_between_clients(
    make_client: MakeClient, server: CannedServer, pauses: list[float]
):
    """
    Threads that failed together do not retry together.
    """
    server.give(Canned(b"", 503))
    for _ in range(3):
        with pytest.raises(YtsUnavailable):
            make_client(attempts=2).fetch_page(1, "asc")
    assert len(set(pauses)) == 3


def test_pauses_have_a_maximum(make_client: MakeClient, server: CannedServer, pauses: list[float]):
    """
    Up to `max_backoff_seconds` and a second of jitter; attempts are a setting.
    """
    server.give(Canned(b"", 503))
    with pytest.raises(YtsUnavailable):
        make_client(attempts=8, max_backoff_seconds=3.0).fetch_page(1, "asc")

    assert len(pauses) == 7
    assert all(3.0 <= pause <= 4.0 for pause in pauses[2:])


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed(
    client: YtsClient, server: CannedServer, pauses: list[float], status: int
):
    """
    Retry-After is obeyed if it is longer than the pause (docs/yts-api.md, section 8).
    """
    server.give(Canned(b"", status, {"Retry-After": "17"}), page_response(a_row()))
    client.fetch_page(1, "asc")
    assert pauses == [17.0]


def test_a_short_retry_after_does_not_shorten_the_pause(
    client: YtsClient, server: CannedServer, pauses: list[float]
):
    """
    Retry-After is a minimum.
    """
    server.give(Canned(b"", 429, {"Retry-After": "0.1"}), page_response(a_row()))
    client.fetch_page(1, "asc")
    assert 1 <= pauses[0] <= 2


@pytest.mark.parametrize("header", ["86400", "9" * 99, "Fri, 31 Dec 9999 23:59:59 GMT", "inf"])
def test_a_huge_retry_after_is_cut(
    make_client: MakeClient, server: CannedServer, pauses: list[float], header: str
):
    """
    The shared budget is not delayed for longer either.
    """
    reported: list[float | None] = []
    server.give(Canned(b"", 429, {"Retry-After": header}), page_response(a_row()))
    make_client(slow_down=reported.append).fetch_page(1, "asc")
    assert pauses == reported == [MAX_RETRY_AFTER_SECONDS]


@pytest.mark.parametrize("header", ["soon", "", f"Wed, 21 Oct {'9' * 30} 07:28:00 GMT"])
def test_an_invalid_retry_after_is_ignored(
    make_client: MakeClient, server: CannedServer, pauses: list[float], header: str
):
    """
    Then the usual pauses apply.
    """
    reported: list[float | None] = []
    server.give(Canned(b"", 429, {"Retry-After": header}), page_response(a_row()))
    make_client(slow_down=reported.append).fetch_page(1, "asc")
    assert reported == [None]
    assert 1 <= pauses[0] <= 2


def test_slow_down_is_called_for_each_throttling_response(
    make_client: MakeClient, server: CannedServer
):
    """
    `slow_down` is called for each 429, and for other errors with Retry-After; for nothing else.
    """
    reported: list[float | None] = []
    server.give(
        Canned(b"", 429),
        Canned(b"", 500),
        Canned(b"", 503, {"Retry-After": "4"}),
        Canned(b"<html>"),
        page_response(a_row()),
    )
    make_client(slow_down=reported.append).fetch_page(1, "asc")
    assert reported == [None, 4.0]


def test_a_429_counts_even_when_its_body_does_not_arrive(
    make_client: MakeClient, server: CannedServer
):
    """
    The body of an error response is not read.
    """
    reported: list[float | None] = []
    broken = {"Content-Encoding": "gzip", "Retry-After": "3"}
    server.give(
        Canned(b"no gzip", 429, broken),
        Canned(b"0123456789", 429, cut_after=3),
        Canned(b"0123456789", 429, seconds_per_byte=0.2),
        page_response(a_row()),
    )
    make_client(slow_down=reported.append).fetch_page(1, "asc")
    assert reported == [3.0, None, None]


def test_every_request_takes_a_slot_first(make_client: MakeClient, server: CannedServer):
    """
    Retries and redirects take a slot, too, before the request.
    """
    seen_by_slots: list[int] = []
    client = make_client(take_slot=lambda: seen_by_slots.append(len(server.requests)))
    server.give(
        Canned(b"", 503),
        Canned(b"", 301, {"Location": "/api/v2/elsewhere"}),
        page_response(a_row()),
        page_response(a_row()),
    )
    client.fetch_page(1, "asc")
    client.fetch_page(2, "asc")

    assert seen_by_slots == [0, 1, 2, 3]
    assert client.requests_made == len(server.requests) == 4


@pytest.mark.parametrize("argument", ["take_slot", "sleep"])
def test_a_stop_passes_through(make_client: MakeClient, server: CannedServer, argument: str):
    """
    The exception that a caller raises to stop is neither caught nor retried.
    """

    def stop(*_: float) -> None:
        raise Stopped

    server.give(Canned(b"", 503))
    with pytest.raises(Stopped):
        make_client(**{argument: stop}).fetch_page(1, "asc")
    assert len(server.requests) == (0 if argument == "take_slot" else 1)


def test_attempts_are_counted_for_each_response(
    client: YtsClient, server: CannedServer, pauses: list[float]
):
    """
    Failures of one page do not reduce the attempts of the next.
    """
    good = page_response(a_row())
    server.give(*[Canned(b"", 503)] * 3, good, *[Canned(b"", 503)] * 3, good)
    client.fetch_page(1, "asc")
    client.fetch_page(2, "asc")

    assert len(pauses) == 6
    assert all(first < second for first, second in pairwise(pauses[:3]))
    assert 1 <= pauses[3] <= 2


def test_each_request_is_watched_until_its_response_is_read(
    make_client: MakeClient, server: CannedServer
):
    """A watch does not include waits for slots and pauses, so its duration is that of a request."""
    events: list[str] = []

    @contextmanager
    def watch() -> Iterator[None]:
        events.append("begin")
        try:
            yield
        finally:
            events.append("end")

    client = make_client(
        take_slot=lambda: events.append("slot"), sleep=lambda _: events.append("pause"), watch=watch
    )
    server.give(Canned(b"", 503), page_response(a_row()))

    client.fetch_page(1, "asc")

    assert events == ["slot", "begin", "end", "pause", "slot", "begin", "end"]
