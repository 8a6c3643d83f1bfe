"""Functions from the JSON of a movie to rows, for contestants that write sets of rows (pure)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

MOVIE_COLUMNS = (
    "external_id", "imdb_code", "title", "title_english", "title_long", "slug", "year", "rating",
    "runtime", "language", "mpa_rating", "description_full", "description_intro",
    "yt_trailer_code", "like_count", "url", "background_image", "background_image_original",
    "small_cover_image", "medium_cover_image", "large_cover_image", "date_uploaded",
    "date_uploaded_unix",
)  # fmt: skip
TORRENT_COLUMNS = (
    "movie_id", "hash", "url", "quality", "type", "is_repack", "video_codec", "bit_depth",
    "audio_channels", "seeds", "peers", "size", "size_bytes", "date_uploaded",
    "date_uploaded_unix",
)  # fmt: skip
PERSON_COLUMNS = ("imdb_code", "name", "url_small_image")
ROLE_COLUMNS = ("movie_id", "imdb_code", "character_name", "position")

Row = tuple[Any, ...]


@dataclass(slots=True)
class Rows:
    """The rows of some movies, without duplicates."""

    movies: dict[int, Row] = field(default_factory=dict)
    torrents: dict[tuple[int, str], Row] = field(default_factory=dict)
    people: dict[str, Row] = field(default_factory=dict)
    roles: dict[tuple[int, str], Row] = field(default_factory=dict)
    genres: set[tuple[int, str]] = field(default_factory=set)

    def add(self, movie: dict[str, Any]) -> None:
        """Add a movie as the API gives it."""
        movie_id = movie["id"]
        self.movies[movie_id] = movie_row(movie)
        for torrent in movie.get("torrents") or ():
            self.torrents[movie_id, torrent["hash"]] = torrent_row(movie_id, torrent)
        for position, person in enumerate(movie.get("cast") or ()):
            code = person["imdb_code"]
            self.people[code] = (code, person["name"], person.get("url_small_image"))
            role = (movie_id, code, person["character_name"], position)
            self.roles.setdefault((movie_id, code), role)
        self.genres.update((movie_id, genre) for genre in movie.get("genres") or ())


def gather(movies: Iterable[dict[str, Any]]) -> Rows:
    """Return the rows of *movies*."""
    rows = Rows()
    for movie in movies:
        rows.add(movie)
    return rows


def movie_row(movie: dict[str, Any]) -> Row:
    """Return the movie in the order of `MOVIE_COLUMNS`, with a replacement for a missing title."""
    title = movie["title"] or movie["slug"]
    known = {**movie, "external_id": movie["id"], "title": title}
    return tuple(known.get(column) for column in MOVIE_COLUMNS)


def torrent_row(movie_id: int, torrent: dict[str, Any]) -> Row:
    """Return the torrent in the order of `TORRENT_COLUMNS`; YTS writes numbers as texts."""
    known = {
        **torrent,
        "movie_id": movie_id,
        "is_repack": torrent["is_repack"] == "1",
        "bit_depth": int(torrent["bit_depth"]),
    }
    return tuple(known.get(column) for column in TORRENT_COLUMNS)
