"""`MovieStore`: movies in the encoding of the YTS API, kept until their rows change."""

from collections.abc import Sequence

from database.serving.prepared import Reading
from database.serving.yts_reads import read_movies
from web.cache import RecentlyUsed, tag_of
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

    @property
    def size(self) -> int:
        """Return about the bytes that it takes."""
        return len(self.content) + _OVERHEAD


class MovieStore:
    """
    Keeps the movies that were used last; for one event loop.

    A movie costs PostgreSQL five times as much as its revision.
    """

    def __init__(self, max_bytes: int) -> None:
        """Keep movies of at most *max_bytes*."""
        # By the YTS id, and whether it is a suggestion.
        self._movies = RecentlyUsed[tuple[int, bool], KeptMovie](max_bytes)

    def find_current(self, ids: Sequence[int], revision: str) -> list[KeptMovie] | None:
        """Return these movies, if all are known to be current at a *revision* of the database."""
        found = []
        for movie_id in ids:
            movie = self._movies.get((movie_id, False))
            if movie is None or movie.checked_at != revision:
                return None
            found.append(movie)
        return found

    async def read(
        self, reading: Reading, ids: Sequence[int], *, is_suggestion: bool = False
    ) -> tuple[str, list[KeptMovie]]:
        """Return the revision of the database, and these movies; those not there are left out."""
        movies = [self._movies.get((movie_id, is_suggestion)) for movie_id in ids]
        known = [_UNKNOWN if movie is None else movie.revision for movie in movies]
        revision, changed = await read_movies(reading, ids, known, is_suggestion=is_suggestion)
        for place, movie_revision, json in changed:
            key = ids[place], is_suggestion
            if json is None:
                movies[place] = None
                self._movies.forget(key)
            else:
                read = KeptMovie(movie_revision, encoded(json))
                movies[place] = read
                self._movies.put(key, read)
        for movie in movies:
            if movie is not None:
                movie.checked_at = revision
        return revision, [movie for movie in movies if movie is not None]

    def clear(self) -> None:
        """Forget all movies."""
        self._movies.clear()
