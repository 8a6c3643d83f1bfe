"""When a movie was uploaded, as YTS tells it: a local time without its zone, and a unix time."""

from datetime import UTC, datetime
from functools import lru_cache
from math import exp
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sandbox.catalogue.random_streams import Purpose, random_for

#: The sandbox took in its first movie then; later than every film was made.
OPENED_UNIX = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
#: All uploads lie within 21 months, however many there are: none is in the future.
_SPAN_SECONDS = 21 * 30 * 86_400
#: At first a movie every half an hour, as with YTS, then ever faster.
_IDS_UNTIL_CROWDED = 30_000
#: Order of ids and of dates differ by up to this within a page, as with YTS.
_JITTER_SECONDS = 9 * 3_600
_SERVER_ZONE = ZoneInfo("Europe/Paris")


class Moment(NamedTuple):
    """One moment in both notations."""

    text: str
    unix: int


def uploaded_unix(seed: int, movie_id: int) -> int:
    """Give the upload time of a movie, roughly in the order of ids."""
    share = 1 - exp(-movie_id / _IDS_UNTIL_CROWDED)
    jitter = random_for(seed, movie_id, Purpose.UPLOAD).randrange(_JITTER_SECONDS)
    return OPENED_UNIX + int(_SPAN_SECONDS * share) + jitter


def at(unix: int) -> Moment:
    """Write a unix time as a clock in the server's zone shows it."""
    hours, seconds = divmod(unix, 3_600)
    # Offsets change on the hour, so one conversion serves the whole of it.
    return Moment(f"{_hour_text(hours)}:{seconds // 60:02d}:{seconds % 60:02d}", unix)


@lru_cache(maxsize=4_096)
def _hour_text(unix_hours: int) -> str:
    return f"{datetime.fromtimestamp(unix_hours * 3_600, _SERVER_ZONE):%Y-%m-%d %H}"
