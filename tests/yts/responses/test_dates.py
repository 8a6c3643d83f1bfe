"""`uploaded_at`: upload times from the local time and the unix time of YTS."""

from datetime import UTC, datetime

import pytest

from tests.support.data.yts_responses import a_row, a_torrent, without
from yts.payload import parse_movie


def uploaded_at(text: str | None, unix: int | None) -> datetime | None:
    """Return the upload time of a movie with these two dates."""
    row = a_row(date_uploaded=text, date_uploaded_unix=unix)
    return parse_movie(row).uploaded_at


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-07-01 12:00:00", datetime(2024, 7, 1, 10, tzinfo=UTC)),
        ("2024-01-01 12:00:00", datetime(2024, 1, 1, 11, tzinfo=UTC)),
    ],
)
def test_local_times_are_those_of_central_europe(text: str, moment: datetime):
    """
    One hour ahead of UTC in winter, two in summer (docs/yts-api.md, section 6).
    """
    assert uploaded_at(text, int(moment.timestamp())) == moment


@pytest.mark.parametrize("unix", [1446351486, 1446333486, 0, None])
def test_the_local_time_takes_precedence_over_the_unix_time(unix: int | None):
    """
    When the server changed its zone, the unix time of a row moved by hours and the local time
    stayed (docs/yts-api.md, quirk 4).
    """
    assert uploaded_at("2015-11-01 00:18:06", unix) == datetime(2015, 10, 31, 23, 18, 6, tzinfo=UTC)


@pytest.mark.parametrize("text", [None, "", "0000-00-00 00:00:00", "yesterday", "2024-13-01"])
def test_an_invalid_local_time_is_replaced_by_the_unix_time(text: str | None):
    """
    A time that is wrong by hours is better than none.
    """
    assert uploaded_at(text, 1719828000) == datetime(2024, 7, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("unix", [0, None])
def test_without_either_the_time_is_unknown(unix: int | None):
    """
    1970 is not an upload time.
    """
    assert uploaded_at(None, unix) is None


@pytest.mark.parametrize("text", ["0001-01-01 00:00:00", "9999-12-31 23:59:59"])
def test_local_times_outside_the_range_of_utc_are_invalid(text: str):
    """
    Such a time is replaced by the unix time where UTC cannot represent it.
    """
    moment = uploaded_at(text, 1719828000)
    assert moment is not None
    assert moment.astimezone(UTC).year in {2024, 9999}


def test_both_dates_are_kept_as_sent():
    """
    Both are needed if the zone changes again (docs/yts-api.md, quirk 4).
    """
    movie = parse_movie(a_row())
    assert (movie.date_uploaded, movie.date_uploaded_unix) == ("2024-07-01 12:00:00", 1719828000)


def test_every_torrent_has_its_own_date():
    """
    A torrent may be years younger than its movie (docs/yts-api.md, section 5).
    """
    torrents = [a_torrent(date_uploaded="2021-11-12 01:00:00", date_uploaded_unix=1636675200)]
    movie = parse_movie(a_row(torrents=torrents, date_uploaded="2017-08-08 10:00:00"))

    assert movie.torrents is not None
    assert movie.torrents[0].uploaded_at == datetime(2021, 11, 12, tzinfo=UTC)


def test_a_movie_without_dates_is_valid():
    """
    The ghost has none, so the keys can be absent (docs/yts-api.md, quirk 1).
    """
    assert parse_movie(without(a_row(), "date_uploaded", "date_uploaded_unix")).uploaded_at is None
