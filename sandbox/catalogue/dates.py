"""`uploaded_unix`, `at`: upload times as unix time and as local time without a zone, as at YTS."""

from datetime import UTC, datetime
from functools import lru_cache
from math import exp
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sandbox.catalogue.random_streams import Purpose, random_for

#: Upload time of the first movie, later than the year of every film.
OPENED_UNIX = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
#: All uploads lie within 21 months, so that none is in the future.
_SPAN_SECONDS = 21 * 30 * 86_400
#: At first one movie every half hour, as at YTS, then faster.
_IDS_UNTIL_CROWDED = 30_000
#: Within a page, dates differ from the order of ids by up to this, as at YTS.
_JITTER_SECONDS = 9 * 3_600
_SERVER_ZONE = ZoneInfo("Europe/Paris")


class Moment(NamedTuple):
    """One time in both notations."""

    text: str
    unix: int


def uploaded_unix(seed: int, movie_id: int) -> int:
    """Return the upload time of a movie, roughly in the order of ids."""
    share = 1 - exp(-movie_id / _IDS_UNTIL_CROWDED)
    jitter = random_for(seed, movie_id, Purpose.UPLOAD).randrange(_JITTER_SECONDS)
    return OPENED_UNIX + int(_SPAN_SECONDS * share) + jitter


def at(unix: int) -> Moment:
    """Return a unix time with its local time in the zone of the server."""
    hours, seconds = divmod(unix, 3_600)
    # UTC offsets change on the hour, so one conversion per hour is enough.
    return Moment(f"{_hour_text(hours)}:{seconds // 60:02d}:{seconds % 60:02d}", unix)


@lru_cache(maxsize=4_096)
def _hour_text(unix_hours: int) -> str:
    return f"{datetime.fromtimestamp(unix_hours * 3_600, _SERVER_ZONE):%Y-%m-%d %H}"
