"""
`YtsError` and its subclasses: the errors of this package, by what the caller should do.

YtsError
|-- YtsUnavailable    try again later: no response, 403, 429, 5xx, HTML, status other than ok
|   |-- NotYts        the response is not from YTS: try again, or another base URL
|   |-- SmallerPages  fewer rows per page than requested: request pages of that size
|   `-- WrongPage     another page than requested: paging does not work
|-- YtsRefused        trying again cannot help: unknown endpoint, redirect to another host
`-- MalformedMovie    skip this movie, keep the others of its page
    `-- ResponseTooLarge  a response that is too large: skip it, or request fewer movies at once

All take plain positional arguments, so that they can be pickled between processes. The class
names are stored in the ledger of failures: a rename needs a migration.
"""

from yts.printable import one_line


class YtsError(Exception):
    """Base of all errors that this package raises on purpose; the message is safe to show."""

    def __str__(self) -> str:
        """Return the message in one line, because it can contain text from a server."""
        return one_line(self._message())

    def _message(self) -> str:
        return super().__str__()


class YtsUnavailable(YtsError):
    """No usable response this time; a later attempt may help."""

    def __init__(
        self,
        reason: str,
        retry_after_seconds: float | None = None,
        is_throttled: bool = False,  # noqa: FBT001, FBT002 -- positional, so that it pickles
    ) -> None:
        """Keep the seconds of Retry-After, or None if the server sent none."""
        super().__init__(reason, retry_after_seconds, is_throttled)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds
        #: The server limits the rate (429, or a response with Retry-After).
        self.is_throttled = is_throttled

    def _message(self) -> str:
        return self.reason  # The numbers are for programs.


class NotYts(YtsUnavailable):
    """The response does not have the shape of YTS: another API, a proxy, a block page."""


class SmallerPages(YtsUnavailable):
    """The source sends fewer rows per page than requested, and says so."""

    def __init__(self, reason: str, limit: int) -> None:
        """Keep the page size of the source, in rows."""
        super().__init__(reason)
        self.args = (reason, limit)
        self.limit = limit


class WrongPage(YtsUnavailable):
    """The response is another page than the requested one."""


class YtsRefused(YtsError):
    """Another attempt cannot help: the base URL is wrong, or this item is refused."""


class MalformedMovie(YtsError):
    """One movie of a response cannot be parsed."""

    def __init__(self, movie_id: int | None, reason: str) -> None:
        """Name the movie by its YTS id, or None if the id is unreadable."""
        super().__init__(movie_id, reason)
        self.movie_id = movie_id
        self.reason = reason

    def _message(self) -> str:
        return self.reason  # The id is shown beside it.


class ResponseTooLarge(MalformedMovie):
    """A response is too large, or nested too deeply, which another attempt does not change."""
