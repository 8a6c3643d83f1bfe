"""What an HTTP status means to us, before anybody reads the body."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from yts.errors import YtsRefused, YtsUnavailable


def judge_status(status: int, retry_after: str | None, url: str) -> None:
    """
    Let a 2xx pass, for its body to be judged, and raise for all others.

    Raises:
        YtsUnavailable: 403, 408, 429 and 5xx, with the server's Retry-After.
        YtsRefused: any other status, 404 above all: this is not the API.
    """
    if 200 <= status < 300:
        return
    wish = read_retry_after(retry_after)
    if status == 429:
        raise YtsUnavailable("YTS says that we ask too often (429)", wish, True)  # noqa: FBT003
    if status in {403, 408} or status >= 500:
        raise YtsUnavailable(f"YTS answered HTTP {status}", wish, wish is not None)
    raise YtsRefused(f"{url} answered HTTP {status}: this is not the YTS API; check --api-url")


def read_retry_after(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for, from a number or a date."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
