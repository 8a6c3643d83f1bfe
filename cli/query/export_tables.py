"""`ExportTable`: the tables that an export can write, with the types of their columns."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cli.query.movie_rows import POSTERS
from database.models import Movie
from database.repository import MovieRepository
from database.search.filters import MovieFilter
from database.search.lookup import SortName

TableName = Literal["movies", "people", "roles", "torrents"]
#: A type of Parquet, `list` of texts, or `time` in UTC.
Types = Mapping[str, str]
Row = dict[str, Any]

_LINKS = {"genres", "cast", "qualities"}


@dataclass(frozen=True, slots=True)
class ExportTable:
    """A table of an export, and its columns with their types."""

    name: TableName
    columns: Types

    def read(
        self,
        repository: MovieRepository,
        filters: MovieFilter,
        *,
        sort: SortName | None = None,
        is_descending: bool = False,
    ) -> Iterator[Row]:
        """Yield the rows of the movies that match *filters*, in constant memory; movies sorted."""
        if self.name != "movies":
            yield from repository.stream_linked(self.name, [*self.columns], filters)
            return
        are_linked = not _LINKS.isdisjoint(self.columns)
        movies = repository.stream(
            filters, are_linked=are_linked, sort=sort or "id", is_descending=is_descending
        )
        for movie in movies:
            yield movie_row(movie, self.columns)


def choose_table(
    name: TableName, columns: Sequence[str] | None, *, with_posters: bool, with_gone: bool
) -> ExportTable:
    """
    Return the table *name* with *columns*, or with its usual columns.

    With *with_gone*, the usual columns of movies end with `gone_since`.

    Raises:
        ValueError: a column does not exist or is named twice, or the options do not fit.
    """
    if with_posters and (columns is not None or name != "movies"):
        raise ValueError("--posters adds columns to the movies; with --columns, name them there.")
    if columns is None:
        posters = dict.fromkeys(POSTERS, "string") if with_posters else {}
        gone = {"gone_since": "time"} if with_gone and name == "movies" else {}
        return ExportTable(name, _USUAL[name] | posters | gone)
    known = _USUAL[name] | (_MORE_OF_MOVIES if name == "movies" else {})
    for column in columns:
        if column not in known:
            raise ValueError(_unknown(name, column, known))
        if columns.count(column) > 1:
            raise ValueError(f"The column {column} is named twice.")
    return ExportTable(name, {column: known[column] for column in columns})


def _unknown(table: TableName, column: str, known: Types) -> str:
    near = difflib.get_close_matches(column, known, n=1)
    hint = f" The nearest is {near[0]}." if near else ""
    return f"The table of {table} has no column {column!r}.{hint} It has: {', '.join(known)}."


def movie_row(movie: Movie, columns: Types) -> Row:
    """Return *columns* of a movie as plain values."""
    return {name: _value(movie, name) for name in columns}


def _value(movie: Movie, name: str) -> Any:
    match name:
        case "id":
            return movie.external_id
        case "genres":
            return [genre.name for genre in movie.genres]
        case "cast":
            return [link.cast.name for link in movie.cast_links]
        case "qualities":
            return sorted({torrent.quality for torrent in movie.torrents if torrent.quality})
        case "description":
            return movie.description_full or movie.summary
        case _:
            return getattr(movie, name)


_USUAL: dict[TableName, dict[str, str]] = {
    "movies": {
        "id": "int64",
        "imdb_code": "string",
        "title": "string",
        "year": "int16",
        "rating": "float64",
        "runtime": "int16",
        "language": "string",
        "mpa_rating": "string",
        "like_count": "int32",
        "genres": "list",
        "cast": "list",
        "qualities": "list",
        "description": "string",
        "date_uploaded": "time",
        "url": "string",
    },
    "people": {
        "imdb_code": "string",
        "name": "string",
        "url_small_image": "string",
        "movies": "int64",
    },
    "roles": {
        "movie_id": "int64",
        "position": "int16",
        "imdb_code": "string",
        "name": "string",
        "character_name": "string",
    },
    "torrents": {
        "movie_id": "int64",
        "hash": "string",
        "quality": "string",
        "type": "string",
        "is_repack": "bool",
        "video_codec": "string",
        "bit_depth": "int16",
        "audio_channels": "string",
        "seeds": "int32",
        "peers": "int32",
        "size": "string",
        "size_bytes": "int64",
        "date_uploaded": "time",
        "url": "string",
    },
}
#: Columns of movies that an export has only if they are named.
_MORE_OF_MOVIES = {
    **dict.fromkeys(
        ("title_english", "title_long", "slug", "yts_slug", "yt_trailer_code", *POSTERS), "string"
    ),
    **dict.fromkeys(
        ("created_at", "updated_at", "fetched_at", "details_fetched_at", "gone_since"), "time"
    ),
}
