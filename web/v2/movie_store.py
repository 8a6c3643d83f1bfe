"""`MovieStore`: movies in the encoding of the YTS API, kept until their rows change."""

from collections import OrderedDict
from collections.abc import Sequence

from database.serving.prepared import Reading
from database.serving.yts_reads import read_movies
from web.cache import tag_of
from web.v2.encoding import encoded

#: Bytes that a movie takes besides its content.
_OVERHEAD = 600
#: The revision of no movie.
_UNKNOWN = "-"


class KeptMovie:
    """A movie as it stands in a body, with the revision of its rows."""

    __slots__ = ("checked_at", "content", "revision", "tag")

    def __init__(self, revision: str, content: bytes) -> None:
        """Compute the tag."""
        self.revision = revision
        self.content = content
        self.tag = tag_of(content)
        #: The last revision of the database at which the rows were those of `content`.
        self.checked_at = ""


class MovieStore:
    """
    Keeps the movies that were used last; for one event loop.

    A movie costs PostgreSQL five times as much as its revision.
    """

    def __init__(self, max_bytes: int) -> None:
        """Keep movies of at most *max_bytes*."""
        self._max_bytes = max_bytes
        self._bytes = 0
        self._movies: OrderedDict[tuple[int, bool], KeptMovie] = OrderedDict()

    def find_current(self, ids: Sequence[int], revision: str) -> list[KeptMovie] | None:
        """Return these movies, if all are known to be current at a *revision* of the database."""
        found = []
        for movie_id in ids:
            movie = self._find(movie_id, is_suggestion=False)
            if movie is None or movie.checked_at != revision:
                return None
            found.append(movie)
        return found

    async def read(
        self, reading: Reading, ids: Sequence[int], *, is_suggestion: bool = False
    ) -> tuple[str, list[KeptMovie]]:
        """Return the revision of the database, and these movies; those not there are left out."""
        movies = [self._find(movie_id, is_suggestion=is_suggestion) for movie_id in ids]
        known = [_UNKNOWN if movie is None else movie.revision for movie in movies]
        revision, changed = await read_movies(reading, ids, known, is_suggestion=is_suggestion)
        for place, movie_revision, json in changed:
            movie = None if json is None else KeptMovie(movie_revision, encoded(json))
            movies[place] = movie
            self._keep((ids[place], is_suggestion), movie)
        for movie in movies:
            if movie is not None:
                movie.checked_at = revision
        return revision, [movie for movie in movies if movie is not None]

    def _find(self, movie_id: int, *, is_suggestion: bool) -> KeptMovie | None:
        key = movie_id, is_suggestion
        movie = self._movies.get(key)
        if movie is not None:
            self._movies.move_to_end(key)
        return movie

    def _keep(self, key: tuple[int, bool], movie: KeptMovie | None) -> None:
        if (old := self._movies.pop(key, None)) is not None:
            self._bytes -= _size(old)
        if movie is None:
            return
        self._movies[key] = movie
        self._bytes += _size(movie)
        while self._bytes > self._max_bytes:
            _, oldest = self._movies.popitem(last=False)
            self._bytes -= _size(oldest)

    def clear(self) -> None:
        """Forget all movies."""
        self._movies.clear()
        self._bytes = 0


def _size(movie: KeptMovie) -> int:
    return len(movie.content) + _OVERHEAD
