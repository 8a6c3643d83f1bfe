"""The three endpoints as functions from a query to the bytes of an honest answer."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from sandbox.api.listing import ListIndex, read_list_request, read_number
from sandbox.catalogue import movie_json
from sandbox.catalogue import php_json as wire
from sandbox.catalogue.cast import sample
from sandbox.catalogue.catalogue import Catalogue
from sandbox.catalogue.corruptions import CORRUPTIONS, HONEST
from sandbox.catalogue.random_streams import Purpose, random_for

Query = Mapping[str, str]

#: About 50 MB of encoded rows each.
_ROWS_KEPT = 1 << 14
_SUGGESTIONS = 4
#: How many movies are looked at for a shared genre before others will do.
_SUGGESTION_CANDIDATES = 24
_ON = ("true", "1")
#: The smallest number of turns that is fair to casts of five and of six.
_TURNS = 30


class Answers:
    """Answers without faults. Encoded movies are kept, for sweeps come back."""

    def __init__(self, catalogue: Catalogue, *, steady_cast: bool) -> None:
        self.catalogue = catalogue
        self._steady_cast = steady_cast
        self._turn = 0
        #: Ids of bad movies, each with its way of `CORRUPTIONS`.
        self._spoilt: dict[int, str] = {}
        self._shelf = ListIndex(catalogue)
        self._row = lru_cache(_ROWS_KEPT)(self._encode_row)
        self._details = lru_cache(_ROWS_KEPT)(self._encode_details)
        self.endpoints: dict[str, Callable[[Query], bytes]] = {
            "list_movies.json": self.list_movies,
            "movie_details.json": self.movie_details,
            "movie_suggestions.json": self.movie_suggestions,
        }

    def spoil(self, movie_ids: Iterable[int], how: str) -> list[int]:
        """Let movies be bad in the way *how* from now on; gives those that exist."""
        spoilt = sorted({movie_id for movie_id in movie_ids if movie_id in self.catalogue})
        self._spoilt |= dict.fromkeys(spoilt, how)
        self._row.cache_clear()
        self._details.cache_clear()
        return spoilt

    def list_movies(self, query: Query) -> bytes:
        """Answer `list_movies.json`."""
        request = read_list_request(query)
        rows = self._shelf.rows(request)
        encoded = [self._row(movie_id, self.catalogue.revision(movie_id)) for movie_id in rows.ids]
        return wire.list_body(rows.movie_count, request.limit, request.page, encoded)

    def movie_details(self, query: Query) -> bytes:
        """Answer `movie_details.json`; a movie that does not exist is the ghost."""
        return self._details_of(self._find(query), query)

    def other_movie_details(self, query: Query) -> bytes:
        """Answer with the movie after the one that was asked for, the oldest after the newest."""
        asked = self._find(query)
        others = (movie_id for movie_id in self.catalogue.ids if movie_id > asked)
        oldest = next((i for i in self.catalogue.ids if i != asked), 0)
        return self._details_of(next(others, oldest), query)

    def movie_suggestions(self, query: Query) -> bytes:
        """Answer `movie_suggestions.json` with four movies, of a shared genre if there are such."""
        movie_id = self._find(query)
        suggested = self._suggest(movie_id) if movie_id else []
        movies = (movie_json.suggested_movie(self.catalogue, other) for other in suggested)
        return wire.suggestions_body([wire.encode(movie) for movie in movies])

    def _details_of(self, movie_id: int, query: Query) -> bytes:
        with_images = query.get("with_images", "").lower() in _ON
        with_cast = query.get("with_cast", "").lower() in _ON
        if not movie_id:
            ghost = movie_json.ghost_movie(has_screenshots=with_images)
            return wire.details_body(wire.encode(ghost))
        revision = self.catalogue.revision(movie_id)
        if not self._steady_cast:
            self._turn += 1
        turn = self._turn % _TURNS
        return self._details(movie_id, revision, turn, with_cast=with_cast, with_images=with_images)

    def _find(self, query: Query) -> int:
        """Give the id of the movie that is asked for, 0 if it does not exist."""
        if code := query.get("imdb_id"):
            return self.catalogue.find_imdb(code)
        movie_id = read_number(query.get("movie_id"), 0)
        return movie_id if movie_id in self.catalogue else 0

    def _suggest(self, movie_id: int) -> list[int]:
        ids = self.catalogue.ids
        rng = random_for(self.catalogue.seed, movie_id, Purpose.SUGGESTIONS)
        drawn = rng.sample(ids, min(_SUGGESTION_CANDIDATES, len(ids)))
        genres = set(self.catalogue.facts(movie_id).genres)
        alien = {other: genres.isdisjoint(self.catalogue.facts(other).genres) for other in drawn}
        alien.pop(movie_id, None)
        return sorted(alien, key=lambda other: alien[other])[:_SUGGESTIONS]

    def _encode_row(self, movie_id: int, _revision: int) -> bytes:
        return self._encode(movie_id, movie_json.list_movie(self.catalogue, movie_id))

    def _encode(self, movie_id: int, movie: movie_json.Json) -> bytes:
        return wire.encode(CORRUPTIONS[self._spoilt.get(movie_id, HONEST)](movie))

    def _encode_details(
        self, movie_id: int, _revision: int, turn: int, *, with_cast: bool, with_images: bool
    ) -> bytes:
        members = self.catalogue.cast(movie_id) if with_cast else None
        shown = None if members is None else sample(members, turn)
        movie = movie_json.detailed_movie(
            self.catalogue, movie_id, shown, has_screenshots=with_images
        )
        return wire.details_body(self._encode(movie_id, movie))
