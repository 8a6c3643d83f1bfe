"""
The three kinds of trouble with YTS, named by what the caller should do.

YtsError
|-- YtsUnavailable    try again later: no answer, 403, 429, 5xx, HTML, status other than ok
|   |-- NotYts        somebody answers, but not YTS: try again, or another base URL
|   |-- SmallerPages  fewer rows a page than asked for: ask for pages of that size
|   `-- WrongPage     another page than the one asked for: paging does not work
|-- YtsRefused        asking again is no use: unknown endpoint, redirect to another host
`-- MalformedMovie    skip this movie, keep the others of its page
    `-- AnswerTooLarge  more than can be read: skip it, or ask for fewer movies at once

All take plain positional arguments, so they survive pickling between processes.
"""


class YtsError(Exception):
    """Root of everything this package raises on purpose."""


class YtsUnavailable(YtsError):
    """No usable answer this time; asking again later may help."""

    def __init__(
        self,
        reason: str,
        retry_after_seconds: float | None = None,
        is_throttled: bool = False,  # noqa: FBT001, FBT002 -- positional, so that it pickles
    ) -> None:
        """Keep the server's own wish in seconds, or None where it named none."""
        super().__init__(reason, retry_after_seconds, is_throttled)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds
        #: The server says we ask too often (429, or any answer with Retry-After).
        self.is_throttled = is_throttled

    def __str__(self) -> str:
        """Say the reason only; the numbers are for programs."""
        return self.reason


class NotYts(YtsUnavailable):
    """The answer has not the shape of a YTS answer: a look-alike, a proxy, a block page."""


class SmallerPages(YtsUnavailable):
    """The source gives fewer rows a page than it was asked for, and says so."""

    def __init__(self, reason: str, limit: int) -> None:
        """Keep the size that the source gives, in rows a page."""
        super().__init__(reason)
        self.args = (reason, limit)
        self.limit = limit


class WrongPage(YtsUnavailable):
    """The answer is another page than the one asked for."""


class YtsRefused(YtsError):
    """Asking again cannot help: the base URL is wrong, or this one item is refused."""


class MalformedMovie(YtsError):
    """One movie of an answer cannot be understood."""

    def __init__(self, movie_id: int | None, reason: str) -> None:
        """Name the movie by its YTS id, or None where even that is unreadable."""
        super().__init__(movie_id, reason)
        self.movie_id = movie_id
        self.reason = reason

    def __str__(self) -> str:
        """Say the reason only; the id is shown beside it."""
        return self.reason


class AnswerTooLarge(MalformedMovie):
    """An answer is too large, or nested too deeply; it will be so the next time."""
