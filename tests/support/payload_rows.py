"""What the tables say of a movie, and what they should say by its JSON alone."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.models import Movie
from tests.support.yts_responses import Json


def read_movies(session: Session) -> dict[int, dict[str, Any]]:
    """Return what the tables say, in the words of `expected`, by YTS id."""
    return {movie.external_id: in_words(movie) for movie in session.scalars(select(Movie))}


def in_words(movie: Movie) -> dict[str, Any]:
    """Return one movie's row and all that hangs on it."""
    row = {column.name: getattr(movie, column.name) for column in Movie.__table__.c}
    return row | {
        "genres": sorted(genre.name for genre in movie.genres),
        "cast": [
            (it.position, it.cast.name, it.cast.imdb_code, it.character_name)
            for it in movie.cast_links
        ],
        "faces": [it.cast.url_small_image for it in movie.cast_links],
        "torrents": sorted(
            (
                it.hash,
                (it.quality, it.type, it.is_repack, it.video_codec, it.bit_depth),
                (it.size, it.size_bytes, it.date_uploaded),
            )
            for it in movie.torrents
        ),
    }


def expected(movie: Json) -> Json:
    """Return what the tables should say of *movie*, worked out from the JSON alone."""
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
                (position, it["name"], it["imdb_code"], it["character_name"])
                for position, it in enumerate(movie.get("cast") or [])
            ],
            "faces": [it.get("url_small_image") for it in movie.get("cast") or []],
            "torrents": sorted(_torrents(movie).values()),
        }
    )


def _torrents(movie: Json) -> dict[str, tuple[Any, ...]]:
    is_repack = {"0": False, "1": True}
    return {
        it["hash"].upper(): (
            it["hash"].upper(),
            (
                it["quality"],
                it.get("type"),
                is_repack.get(it.get("is_repack", "")),
                it.get("video_codec"),
                int(it["bit_depth"]) if it.get("bit_depth") else None,
            ),
            (it["size"], it["size_bytes"], _moment(it)),
        )
        for it in movie.get("torrents") or []
        if it["hash"]
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
