"""`raise_for_status` and `read_retry_after`: statuses and Retry-After headers."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yts.errors import YtsRefused, YtsUnavailable
from yts.http_status import MAX_RETRY_AFTER_SECONDS, raise_for_status, read_retry_after

URL = "https://yts.gg/api/v2/list_movies.json"


@pytest.mark.parametrize("status", [200, 203, 206, 299])
def test_a_status_of_success_raises_nothing(status: int):
    """
    The body decides, because block pages come with 200 (docs/yts-api.md, section 8).
    """
    raise_for_status(status, None, URL)


@pytest.mark.parametrize("status", [403, 408, 500, 502, 503, 504, 520, 523, 526, 599])
def test_outages_and_challenges_are_retried(status: int):
    """
    5xx, Cloudflare's 520 to 526 and its 403 are temporary (docs/yts-api.md, section 8).
    """
    with pytest.raises(YtsUnavailable, match=f"HTTP {status}") as caught:
        raise_for_status(status, None, URL)
    assert (caught.value.retry_after_seconds, caught.value.is_throttled) == (None, False)


@pytest.mark.parametrize(("header", "seconds"), [(None, None), ("7", 7.0)])
def test_429_is_throttling_with_or_without_retry_after(header: str | None, seconds: float | None):
    """
    YTS sends no Retry-After, but it is obeyed if it comes (docs/yts-api.md, section 8).
    """
    with pytest.raises(YtsUnavailable) as caught:
        raise_for_status(429, header, URL)
    assert (caught.value.retry_after_seconds, caught.value.is_throttled) == (seconds, True)


def test_an_outage_with_retry_after_is_throttling():
    """
    A 503 with Retry-After slows down all workers.
    """
    with pytest.raises(YtsUnavailable) as caught:
        raise_for_status(503, "5", URL)
    assert (caught.value.retry_after_seconds, caught.value.is_throttled) == (5.0, True)


@pytest.mark.parametrize("status", [301, 400, 401, 404, 405, 410, 451])
def test_other_statuses_mean_a_wrong_base_url(status: int):
    """
    404 on an endpoint is a configuration error (docs/yts-api.md, section 8); the message
    names the option.
    """
    with pytest.raises(YtsRefused, match=f"HTTP {status}.*--api-url"):
        raise_for_status(status, "5", URL)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("0", 0), ("17", 17), ("2.5", 2.5), (" 17 ", 17), ("-4", 0), ("119", 119)],
)
def test_a_retry_after_in_seconds_is_used(header: str, seconds: float):
    """
    A negative value means 0.
    """
    assert read_retry_after(header) == seconds


@pytest.mark.parametrize("header", ["121", "86400", "1e300", "9" * 400, "inf"])
def test_a_retry_after_of_more_than_two_minutes_is_cut(header: str):
    """
    A worker does not wait for a day.
    """
    assert read_retry_after(header) == MAX_RETRY_AFTER_SECONDS == 120


@pytest.mark.parametrize(("ahead", "seconds"), [(30, 30), (-60, 0), (7200, 120)])
def test_a_retry_after_as_a_date_is_seconds_from_now(ahead: int, seconds: float):
    """
    The date may have "GMT", an offset, or no zone, which means UTC.
    """
    moment = datetime.now(UTC) + timedelta(seconds=ahead)
    elsewhere = moment.astimezone(tz=None)
    for header in (
        format_datetime(moment, usegmt=True),
        format_datetime(elsewhere),
        format_datetime(moment.replace(tzinfo=None)),
    ):
        assert read_retry_after(header) == pytest.approx(seconds, abs=2)


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "soon", "Wed", ",", "\x00"),
        "Wed, 99 Oct 2015 07:28:00 GMT",
        "Wed, 21 Oct 2015 07:28:00 +99999999",
        f"Wed, 21 Oct {'9' * 30} 07:28:00 GMT",
    ],
)
def test_an_invalid_retry_after_is_ignored(header: str | None):
    """
    Dates that are out of range are invalid, too.
    """
    assert read_retry_after(header) is None


@settings(derandomize=True, database=None, deadline=None, max_examples=100)
@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ (Jan|Oct) \d+ \d+:\d+(:\d+)? ([+-]\d+|GMT)"))
def test_any_header_gives_a_bounded_number_or_none(header: str):
    """
    Any header gives None or a number within the range, without an exception.
    """
    seconds = read_retry_after(header)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER_SECONDS
