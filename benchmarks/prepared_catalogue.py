"""`PreparedCatalogue`: prepared responses of the benchmark API, and the `Truth` about them."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from sandbox.api import response_bodies
from sandbox.api.endpoints import Endpoints
from sandbox.api.listing import read_list_request
from sandbox.catalogue import movie_json
from sandbox.catalogue.catalogue import Catalogue
from sandbox.catalogue.films import read_films

SEED = 1


@dataclass(frozen=True, slots=True)
class Truth:
    """The totals of a complete mirror."""

    movies: int
    torrents: int
    cast: int
    genres: int
    #: MD5 of lines `id:title`, in order of ids; movies without a title are left out.
    titles: str


class PreparedCatalogue:
    """
    Movies of the sandbox as encoded JSON.

    Lists show the oldest *shown* movies, so that new ones can appear during a benchmark.
    """

    def __init__(self, movies: int, *, with_details: bool) -> None:
        """Encode every list row, and every details response if *with_details*."""
        self._catalogue = Catalogue(read_films(), movies, SEED)
        self.shown = movies
        self._rows = {movie_id: self._encode_row(movie_id) for movie_id in self._catalogue.ids}
        self._endpoints = Endpoints(self._catalogue, steady_cast=True)
        self._ghost = self._encode_details(0)
        ids = self._catalogue.ids if with_details else ()
        self._details = {movie_id: self._encode_details(movie_id) for movie_id in ids}
        self._page = cache(self._join_page)
        self._truths: dict[tuple[int, bool], Truth] = {}

    @property
    def highest_id(self) -> int:
        """Return the id of the newest movie; some lower ids are missing."""
        return self._catalogue.ids[-1]

    @property
    def ids_with_details(self) -> range:
        """Return all ids whose details can be requested, missing ones included."""
        return range(1, self.highest_id + 1) if self._details else range(0)

    def list_movies(self, query: dict[str, str]) -> bytes:
        """Return `list_movies.json`: limit, page and order count, filters are ignored."""
        request = read_list_request(query)
        return self._page(self.shown, request.limit, request.page, request.is_ascending)

    def movie_details(self, query: dict[str, str]) -> bytes:
        """Return `movie_details.json`, with cast."""
        return self._details.get(int(query["movie_id"]), self._ghost)

    def truth(self, *, with_cast: bool) -> Truth:
        """Return the totals of the responses, with cast only if details were prepared."""
        key = (self.shown, with_cast)
        if key not in self._truths:
            self._truths[key] = self._count(with_cast=with_cast)
        return self._truths[key]

    def _count(self, *, with_cast: bool) -> Truth:
        movies = list(self._movies(with_cast=with_cast))
        torrents = {
            (movie["id"], row["hash"]) for movie in movies for row in movie.get("torrents") or ()
        }
        cast = {
            (movie["id"], person["imdb_code"])
            for movie in movies
            for person in movie.get("cast", ())
        }
        genres = {(movie["id"], genre) for movie in movies for genre in movie.get("genres", ())}
        titles = sorted((movie["id"], movie["title"]) for movie in movies if movie["title"])
        lines = "\n".join(f"{movie_id}:{title}" for movie_id, title in titles)
        checksum = hashlib.md5(lines.encode(), usedforsecurity=False).hexdigest()
        return Truth(len(movies), len(torrents), len(cast), len(genres), checksum)

    def untitled(self) -> list[int]:
        """Return the ids of movies without a title; contestants store different titles."""
        return [movie["id"] for movie in self._movies(with_cast=False) if not movie["title"]]

    def _movies(self, *, with_cast: bool) -> Iterator[dict[str, Any]]:
        for movie_id in self._catalogue.order[: self.shown]:
            if with_cast:
                yield json.loads(self._details[movie_id])["data"]["movie"]
            else:
                yield json.loads(self._rows[movie_id])

    def _join_page(self, shown: int, limit: int, page: int, is_ascending: bool) -> bytes:  # noqa: FBT001 -- keys of a cache
        order = self._catalogue.order[:shown]
        ids = (order if is_ascending else order[::-1])[(page - 1) * limit : page * limit]
        return response_bodies.list_body(
            shown, limit, page, [self._rows[movie_id] for movie_id in ids]
        )

    def _encode_row(self, movie_id: int) -> bytes:
        return response_bodies.encode(movie_json.list_movie(self._catalogue, movie_id))

    def _encode_details(self, movie_id: int) -> bytes:
        return self._endpoints.movie_details({"movie_id": str(movie_id), "with_cast": "true"})
