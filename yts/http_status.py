"""What an HTTP status means to us, before anybody reads the body."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from yts.errors import YtsRefused, YtsUnavailable

#: The longest that a server's Retry-After is obeyed, in seconds: a server that wants more
#: is rather called unavailable than waited for.
MAX_RETRY_AFTER_SECONDS = 120.0


def raise_for_status(status: int, retry_after: str | None, url: str) -> None:
    """
    Let a 2xx pass, for its body to be judged, and raise for all others.

    Raises:
        YtsUnavailable: 403, 408, 429 and 5xx, with the server's Retry-After.
        YtsRefused: any other status, 404 above all: the API has no use for it.
    """
    if 200 <= status < 300:
        return
    wish = read_retry_after(retry_after)
    if status == 429:
        raise YtsUnavailable("YTS says that we ask too often (429)", wish, True)  # noqa: FBT003
    if status in {403, 408} or status >= 500:
        raise YtsUnavailable(f"YTS answered HTTP {status}", wish, wish is not None)
    raise YtsRefused(f"{url} answered HTTP {status}, none of YTS's answers; check --api-url")


def read_retry_after(header: str | None) -> float | None:
    """
    Return the seconds that a Retry-After header asks for, as a number or as a date.

    From 0 to MAX_RETRY_AFTER_SECONDS; None where it says nothing understandable.
    """
    try:
        seconds = _seconds_asked_for(header or "")
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, seconds), MAX_RETRY_AFTER_SECONDS)


def _seconds_asked_for(header: str) -> float:
    try:
        return float(header)
    except ValueError:
        moment = parsedate_to_datetime(header)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()
