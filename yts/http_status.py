"""`raise_for_status`, `read_retry_after`: errors from the status and headers of a response."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from yts.errors import YtsRefused, YtsUnavailable

#: Longest Retry-After that is obeyed, in seconds: a server that asks for more counts as
#: unavailable.
MAX_RETRY_AFTER_SECONDS = 120.0


def raise_for_status(status: int, retry_after: str | None, url: str) -> None:
    """
    Return for a 2xx, whose body is checked later; raise for all others.

    Raises:
        YtsUnavailable: 403, 408, 429 and 5xx, with the server's Retry-After.
        YtsRefused: any other status, mostly 404: the API does not use it.
    """
    if 200 <= status < 300:
        return
    seconds = read_retry_after(retry_after)
    if status == 429:
        raise YtsUnavailable("YTS says that we ask too often (429)", seconds, True)  # noqa: FBT003
    if status in {403, 408} or status >= 500:
        raise YtsUnavailable(f"YTS answered HTTP {status}", seconds, seconds is not None)
    raise YtsRefused(
        f"{url} answered HTTP {status}, a status that YTS does not use; check --api-url"
    )


def read_retry_after(header: str | None) -> float | None:
    """
    Return the seconds of a Retry-After header, which may be a number or a date.

    From 0 to MAX_RETRY_AFTER_SECONDS; None if it cannot be parsed.
    """
    try:
        seconds = _parse_seconds(header or "")
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, seconds), MAX_RETRY_AFTER_SECONDS)


def _parse_seconds(header: str) -> float:
    try:
        return float(header)
    except ValueError:
        moment = parsedate_to_datetime(header)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()
