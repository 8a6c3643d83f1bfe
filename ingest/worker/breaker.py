"""`Breaker`: decides whether the source has failed, or only the movies that were requested."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from ingest.exit_codes import ExitCode
from ingest.stop import StopReason
from yts.client import YtsClient
from yts.errors import MalformedMovie, YtsRefused, YtsUnavailable

#: After this many failed pages or movies in a row, the source is probed: something is requested
#: that it has given before. Only if that fails too, the source is given up.
FAILURES_UNTIL_PROBE = 5
#: Maximum number of movies that one probe requests, each in one request.
MOVIES_PER_PROBE = 5
#: Attempts for an item after a successful probe, until another item succeeds: the source works, so
#: the item is the cause. It is in the ledger, and a later run tries it again.
ATTEMPTS_OF_SUSPECTS = 1


class Breaker:
    """
    Counts failures in a row for the threads of one fetcher.

    *read_ids* returns ids of movies that should exist at the source, those with details first.
    """

    def __init__(self, client: YtsClient, read_ids: Callable[[], Sequence[int]]) -> None:
        """Assume that the source works."""
        self._client = client
        self._read_ids = read_ids
        self._lock = threading.Lock()
        self._failures_in_a_row = 0
        self._is_probed = False
        self._good_page: int | None = None
        self._good_movie: int | None = None
        #: Why no more requests should be made to the source.
        self.stop_reason: StopReason | None = None

    @property
    def attempts(self) -> int | None:
        """Return the attempts for the next item; None means as in the client's settings."""
        return ATTEMPTS_OF_SUSPECTS if self._is_probed else None

    def count_page(self, page: int) -> None:
        """Note that the source has given list page *page*."""
        self._good_page = page
        self._reset()

    def count_movie(self, movie_id: int | None) -> None:
        """Note that the source has given the details of a movie, or has denied it if None."""
        self._good_movie = movie_id or self._good_movie
        self._reset()

    def _reset(self) -> None:
        self._failures_in_a_row = 0
        self._is_probed = False

    def count_failure(self, error: YtsUnavailable | YtsRefused, probe: Callable[[], bool]) -> None:
        """
        Note that an item failed; after several in a row, *probe* decides about the source.

        Other threads whose items failed wait for the probe, so that they make no useless requests.

        Raises:
            Stopped: a stop came while the probe was waiting.
        """
        with self._lock:
            self._failures_in_a_row += 1
            if self.stop_reason or self._failures_in_a_row < FAILURES_UNTIL_PROBE:
                return
            if probe():
                self._failures_in_a_row = 0
                self._is_probed = True
            else:
                reason = f"YTS gives no usable responses any more: {error}"
                self.stop_reason = StopReason(reason, ExitCode.UNAVAILABLE)

    def is_any_page_given(self, fetch_page: Callable[[int], object]) -> bool:
        """Return whether *fetch_page* succeeds for a page that was read before, or the first."""
        for page in dict.fromkeys((self._good_page or 1, 1)):
            with suppress(YtsUnavailable, YtsRefused):
                fetch_page(page)
                return True
        return False

    def is_any_movie_given(self) -> bool:
        """
        Return whether the source gives the details of a movie that should exist.

        A list page proves nothing: the list and the details can fail separately.
        """
        for movie_id in self._ids_to_probe():
            with suppress(YtsUnavailable, YtsRefused, MalformedMovie):
                if self._client.fetch_details(movie_id, attempts=1) is not None:
                    self._good_movie = movie_id
                    return True
        return False

    def _ids_to_probe(self) -> Iterator[int]:
        if self._good_movie is not None:
            yield self._good_movie
        ids = self._read_ids() or self._read_listed_ids()
        step = max(1, len(ids) // MOVIES_PER_PROBE)
        yield from [id_ for id_ in ids[::step] if id_ != self._good_movie][:MOVIES_PER_PROBE]

    def _read_listed_ids(self) -> Sequence[int]:
        """Return the ids on the first list page, for a database without movies."""
        with suppress(YtsUnavailable, YtsRefused):
            page = self._client.fetch_page(1, "asc", attempts=1)
            return [movie.id for movie in page.movies]
        return []
