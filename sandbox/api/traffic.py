"""`Traffic`: counts of all requests and responses; `RateLimit`: requests admitted in a second."""

from collections import Counter, deque
from collections.abc import Mapping

#: Bounds of the memory, however long a sandbox runs.
_SECONDS_KEPT = 3_600
_KEYS_KEPT = 200_000
_KEY_LENGTH = 16
#: Status of a request without a response.
NO_RESPONSE = 0


class SlidingSecond:
    """The times of the last second, the latest last."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def count(self, now: float) -> int:
        """Return the number of times less than a second before *now*."""
        while self._times and self._times[0] <= now - 1:
            self._times.popleft()
        return len(self._times)

    def add(self, now: float) -> None:
        """Add a time; *now* never decreases."""
        self._times.append(now)


class RateLimit:
    """Admits N requests within any one second; refused requests do not count."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._admitted = SlidingSecond()

    def admits(self, now: float) -> bool:
        """Return whether a request is admitted, in order of arrival. A limit of 0 admits all."""
        if not self._per_second:
            return True
        if self._admitted.count(now) >= self._per_second:
            return False
        self._admitted.add(now)
        return True


class Traffic:
    """Counts of all requests to the API since the start."""

    def __init__(self) -> None:
        self.requests = 0
        self._responses: Counter[tuple[str, int]] = Counter()
        self._faults: Counter[str] = Counter()
        self._pages: Counter[str] = Counter()
        self._ids: Counter[str] = Counter()
        self._per_second: Counter[int] = Counter()
        self._last_second = SlidingSecond()
        self._max_in_one_second = 0

    def note_arrival(self, now: float) -> int:
        """Count a request; return its number, from 1."""
        self.requests += 1
        self._last_second.add(now)
        self._max_in_one_second = max(self._max_in_one_second, self._last_second.count(now))
        self._per_second[int(now)] += 1
        if len(self._per_second) > _SECONDS_KEPT:
            del self._per_second[next(iter(self._per_second))]
        return self.requests

    def note_query(self, endpoint: str, query: Mapping[str, str]) -> None:
        """Count the requested page or movie."""
        if endpoint == "list_movies.json":
            _count(self._pages, query.get("page", "1"))
        else:
            _count(self._ids, query.get("movie_id") or query.get("imdb_id", ""))

    def note_response(self, endpoint: str, status: int, fault: str | None) -> None:
        """Count a response; *status* is `NO_RESPONSE` if there was none."""
        self._responses[endpoint, status] += 1
        if fault:
            self._faults[fault] += 1

    def as_json(self) -> dict[str, object]:
        """Return all counts, for `GET /sandbox/stats`."""
        by_endpoint: dict[str, dict[str, int]] = {}
        for (endpoint, status), count in self._responses.items():
            by_endpoint.setdefault(endpoint, {})[str(status) if status else "none"] = count
        return {
            "requests": self.requests,
            "responses": by_endpoint,
            "faults": dict(self._faults),
            "max_in_one_second": self._max_in_one_second,
            # Seconds of a monotonic clock; seconds without requests are left out.
            "arrivals": {str(second): count for second, count in self._per_second.items()},
            "pages": dict(self._pages),
            "ids": dict(self._ids),
        }


def _count(counter: Counter[str], key: str) -> None:
    key = key[:_KEY_LENGTH]
    if key in counter or len(counter) < _KEYS_KEPT:
        counter[key] += 1
