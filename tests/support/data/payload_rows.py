"""`read_movies`, `expected`: the stored values of movies, and those that their JSON asks for."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.models import Movie
from tests.support.data.yts_responses import Json


def read_movies(session: Session) -> dict[int, dict[str, Any]]:
    """Return the stored values of all movies by YTS id, in the form of `expected`."""
    return {movie.external_id: row_values(movie) for movie in session.scalars(select(Movie))}


def row_values(movie: Movie) -> dict[str, Any]:
    """Return the values of a movie's row, and of its genres, cast and torrents."""
    row = {column.name: getattr(movie, column.name) for column in Movie.__table__.c}
    return row | {
        "genres": sorted(genre.name for genre in movie.genres),
        "cast": [
            (link.position, link.cast.name, link.cast.imdb_code, link.character_name)
            for link in movie.cast_links
        ],
        "faces": [link.cast.url_small_image for link in movie.cast_links],
        "torrents": sorted(
            (
                file.hash,
                (
                    file.quality,
                    file.type,
                    file.is_repack,
                    file.video_codec,
                    file.bit_depth,
                ),
                (file.size, file.size_bytes, file.date_uploaded),
            )
            for file in movie.torrents
        ),
    }


def expected(movie: Json) -> Json:
    """Return the values that should be stored of *movie*, computed from its JSON alone."""
    names = "imdb_code title_english title_long language mpa_rating yt_trailer_code summary "
    names += "description_full description_intro synopsis like_count url large_cover_image"
    zero_is_unknown = {name: movie.get(name) or None for name in ("year", "rating", "runtime")}
    plain = {name: _stripped(movie.get(name)) for name in names.split()}
    links = {name: _without_token(plain[name]) for name in ("url", "large_cover_image")}
    return (
        plain
        | links
        | zero_is_unknown
        | {
            "external_id": movie["id"],
            "title": _title(movie),
            "slug": movie.get("slug") or None,
            "date_uploaded": _moment(movie),
            "date_uploaded_unix": movie.get("date_uploaded_unix"),
            "genres": sorted(set(movie.get("genres") or [])),
            "cast": [
                (position, role["name"], role["imdb_code"], role["character_name"])
                for position, role in enumerate(movie.get("cast") or [])
            ],
            "faces": [role.get("url_small_image") for role in movie.get("cast") or []],
            "torrents": sorted(_torrents(movie).values()),
        }
    )


def _torrents(movie: Json) -> dict[str, tuple[Any, ...]]:
    is_repack = {"0": False, "1": True}
    return {
        torrent["hash"].upper(): (
            torrent["hash"].upper(),
            (
                torrent["quality"],
                torrent.get("type"),
                is_repack.get(torrent.get("is_repack", "")),
                torrent.get("video_codec"),
                int(torrent["bit_depth"]) if torrent.get("bit_depth") else None,
            ),
            (torrent["size"], torrent["size_bytes"], _moment(torrent)),
        )
        for torrent in movie.get("torrents") or []
        if torrent["hash"]
    }


def _stripped(value: Any) -> Any:
    return (value.strip() or None) if isinstance(value, str) else value


def _without_token(url: str | None) -> str | None:
    return url.split("?")[0] if url else None


def _title(movie: Json) -> str:
    long_title = movie.get("title_long") or ""
    candidates = [movie.get("title"), movie.get("title_english"), long_title, movie.get("slug")]
    return next(text.strip() for text in candidates if text and text.strip(" ()"))


def _moment(dated: Json) -> datetime | None:
    text = dated.get("date_uploaded")
    return text and datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Paris"))
