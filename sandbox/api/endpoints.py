"""`Endpoints`: the four endpoints of the API, each from a query to the bytes of a response."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from sandbox.api import response_bodies
from sandbox.api.listing import ListIndex, read_list_request, read_number
from sandbox.catalogue import movie_json
from sandbox.catalogue.catalogue import Catalogue
from sandbox.catalogue.corruptions import CORRUPTIONS, INTACT
from sandbox.catalogue.film_cast import sample
from sandbox.catalogue.random_streams import Purpose, random_for

Query = Mapping[str, str]

#: Encoded movies in each cache, about 50 MB.
_CACHED_MOVIES = 1 << 14
_SUGGESTIONS = 4
#: Movies that are searched for a shared genre before other movies are suggested.
_SUGGESTION_CANDIDATES = 24
_TRUE = ("true", "1")
#: Least common multiple of 5 and 6: each member of a cast of five or six is shown equally often.
_TURNS = 30


class Endpoints:
    """Makes response bodies without faults; caches encoded movies, because sweeps come back."""

    def __init__(self, catalogue: Catalogue, *, steady_cast: bool) -> None:
        self.catalogue = catalogue
        self._steady_cast = steady_cast
        self._turn = 0
        #: Movie id to its key of `CORRUPTIONS`.
        self._corruptions: dict[int, str] = {}
        self._index = ListIndex(catalogue)
        self._row = lru_cache(_CACHED_MOVIES)(self._encode_row)
        self._details = lru_cache(_CACHED_MOVIES)(self._encode_details)
        self.by_name: dict[str, Callable[[Query], bytes]] = {
            "list_movies.json": self.list_movies,
            "movie_details.json": self.movie_details,
            "movie_suggestions.json": self.movie_suggestions,
            "movie_parental_guides.json": self.movie_parental_guides,
        }

    def corrupt(self, movie_ids: Iterable[int], how: str) -> list[int]:
        """Corrupt movies in the way *how* from now on; return the ids that exist."""
        corrupted = sorted({movie_id for movie_id in movie_ids if movie_id in self.catalogue})
        self._corruptions |= dict.fromkeys(corrupted, how)
        self._row.cache_clear()
        self._details.cache_clear()
        return corrupted

    def list_movies(self, query: Query) -> bytes:
        """Return the body of `list_movies.json`."""
        request = read_list_request(query)
        rows = self._index.rows(request)
        encoded = [self._row(movie_id, self.catalogue.revision(movie_id)) for movie_id in rows.ids]
        return response_bodies.list_body(rows.movie_count, request.limit, request.page, encoded)

    def movie_details(self, query: Query) -> bytes:
        """Return the body of `movie_details.json`: the ghost for a movie that does not exist."""
        return self._details_of(self._find(query), query)

    def other_movie_details(self, query: Query) -> bytes:
        """Return the details of the movie after the requested one (the oldest after the newest)."""
        requested = self._find(query)
        others = (movie_id for movie_id in self.catalogue.ids if movie_id > requested)
        oldest = next((i for i in self.catalogue.ids if i != requested), 0)
        return self._details_of(next(others, oldest), query)

    def movie_suggestions(self, query: Query) -> bytes:
        """Return the body of `movie_suggestions.json`: four movies of a shared genre, if any."""
        movie_id = self._find(query)
        suggested = self._suggest(movie_id) if movie_id else []
        movies = (movie_json.suggested_movie(self.catalogue, other) for other in suggested)
        return response_bodies.suggestions_body([response_bodies.encode(movie) for movie in movies])

    def movie_parental_guides(self, _query: Query) -> bytes:
        """Return the body of `movie_parental_guides.json`: one notice, the same for all movies."""
        return response_bodies.parental_guides_body()

    def _details_of(self, movie_id: int, query: Query) -> bytes:
        with_images = query.get("with_images", "").lower() in _TRUE
        with_cast = query.get("with_cast", "").lower() in _TRUE
        if not movie_id:
            ghost = movie_json.ghost_movie(has_screenshots=with_images)
            return response_bodies.details_body(response_bodies.encode(ghost))
        revision = self.catalogue.revision(movie_id)
        if not self._steady_cast:
            self._turn += 1
        turn = self._turn % _TURNS
        return self._details(movie_id, revision, turn, with_cast=with_cast, with_images=with_images)

    def _find(self, query: Query) -> int:
        """Return the id of the requested movie, 0 if it does not exist."""
        if code := query.get("imdb_id"):
            return self.catalogue.find_imdb(code)
        movie_id = read_number(query.get("movie_id"), 0)
        return movie_id if movie_id in self.catalogue else 0

    def _suggest(self, movie_id: int) -> list[int]:
        ids = self.catalogue.ids
        rng = random_for(self.catalogue.seed, movie_id, Purpose.SUGGESTIONS)
        drawn = rng.sample(ids, min(_SUGGESTION_CANDIDATES, len(ids)))
        genres = set(self.catalogue.facts(movie_id).genres)
        has_other_genres = {
            other: genres.isdisjoint(self.catalogue.facts(other).genres) for other in drawn
        }
        has_other_genres.pop(movie_id, None)
        return sorted(has_other_genres, key=lambda other: has_other_genres[other])[:_SUGGESTIONS]

    def _encode_row(self, movie_id: int, _revision: int) -> bytes:
        return self._encode(movie_id, movie_json.list_movie(self.catalogue, movie_id))

    def _encode(self, movie_id: int, movie: movie_json.Json) -> bytes:
        return response_bodies.encode(CORRUPTIONS[self._corruptions.get(movie_id, INTACT)](movie))

    def _encode_details(
        self, movie_id: int, _revision: int, turn: int, *, with_cast: bool, with_images: bool
    ) -> bytes:
        members = self.catalogue.cast(movie_id) if with_cast else None
        shown = None if members is None else sample(members, turn)
        movie = movie_json.detailed_movie(
            self.catalogue, movie_id, shown, has_screenshots=with_images
        )
        return response_bodies.details_body(self._encode(movie_id, movie))
