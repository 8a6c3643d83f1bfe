"""`stream_rows`: people, roles and torrents of movies, as rows of plain values, for exports."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from database.models import Cast, Movie, MovieCast, Torrent
from database.search.filters import MovieFilter

LinkedTable = Literal["people", "roles", "torrents"]
#: Rows that are fetched at once; memory does not grow with the number of rows.
_ROWS_AT_ONCE = 1000

_PERSON: dict[str, ColumnElement[Any]] = {
    "imdb_code": Cast.imdb_code.expression,
    "name": Cast.name.expression,
}
_MOVIE = {"movie_id": Movie.external_id.expression}
_TORRENT_NAMES = (
    "hash", "quality", "type", "is_repack", "video_codec", "bit_depth", "audio_channels", "seeds",
    "peers", "size", "size_bytes", "date_uploaded", "url",
)  # fmt: skip
#: The columns of each table with their SQL expressions. `movie_id` is the id at YTS.
_COLUMNS: dict[LinkedTable, dict[str, ColumnElement[Any]]] = {
    "people": {
        **_PERSON,
        "url_small_image": Cast.url_small_image.expression,
        "movies": func.count(),
    },
    "roles": {
        **_MOVIE,
        "position": MovieCast.position.expression,
        **_PERSON,
        "character_name": MovieCast.character_name.expression,
    },
    "torrents": {
        **_MOVIE,
        **{name: getattr(Torrent, name).expression for name in _TORRENT_NAMES},
    },
}


def stream_rows(
    session: Session, table: LinkedTable, columns: Sequence[str], filters: MovieFilter
) -> Iterator[dict[str, Any]]:
    """
    Yield *columns* of *table* for the movies that match *filters*, in a fixed order.

    For people, `movies` is the number of these movies.
    """
    chosen = [_COLUMNS[table][name].label(name) for name in columns]
    query = _linked(table, select(*chosen)).where(*filters.conditions())
    result = session.execute(query.execution_options(yield_per=_ROWS_AT_ONCE))
    for row in result:
        yield dict(zip(columns, row, strict=True))


def _linked(table: LinkedTable, query: Select[Any]) -> Select[Any]:
    """Return *query* with its tables and its order."""
    if table == "torrents":
        joined = query.select_from(Movie).join(Torrent, Torrent.movie_id == Movie.id)
        return joined.order_by(Movie.external_id, Torrent.id)
    joined = query.select_from(Movie).join(MovieCast, MovieCast.movie_id == Movie.id)
    joined = joined.join(Cast, Cast.id == MovieCast.cast_id)
    if table == "people":
        return joined.group_by(Cast.id).order_by(Cast.id)
    return joined.order_by(Movie.external_id, MovieCast.position, Cast.id)
