"""`row_of`, `write_movie`, `json_of`: movies as table rows, page, JSON; `id` is that of YTS."""

import sys
from typing import Any

import click

from cli.display.terminal import fitted
from cli.display.text import aligned, one_line, printable
from database.models import Movie

#: Columns that are shown only with an option.
POSTERS = (
    "small_cover_image",
    "medium_cover_image",
    "large_cover_image",
    "background_image",
    "background_image_original",
)


def row_of(movie: Movie, **more: Any) -> dict[str, Any]:
    """Return the columns of a movie for lists."""
    return {
        "id": movie.external_id,
        "title": movie.title,
        "year": movie.year,
        "rating": movie.rating,
        "genres": ", ".join(genre.name for genre in movie.genres),
        **more,
    }


def write_movie(movie: Movie, *, with_posters: bool) -> None:
    """Write everything that is stored about one movie, as text."""
    facts = [
        ("id", movie.external_id),
        ("IMDb", movie.imdb_code),
        ("rating", movie.rating),
        ("runtime", movie.runtime and f"{movie.runtime} min"),
        ("language", movie.language),
        ("rated", movie.mpa_rating),
        ("likes", movie.like_count),
        ("genres", ", ".join(genre.name for genre in movie.genres)),
        ("cast", "; ".join(_role(link) for link in movie.cast_links)),
        ("torrents", ", ".join(_torrent(torrent) for torrent in movie.torrents)),
        ("uploaded", movie.date_uploaded and f"{movie.date_uploaded:%Y-%m-%d}"),
        ("page", movie.url),
    ]
    if with_posters:
        facts += [(name.replace("_", " "), getattr(movie, name)) for name in POSTERS]
    year = f" ({movie.year})" if movie.year else ""
    lines = [
        f"{one_line(movie.title)}{year}",
        aligned((name, one_line(str(value))) for name, value in facts if value),
    ]
    if plot := movie.description_full or movie.summary:
        lines.append(f"\n{printable(plot)}")
    click.echo(fitted("\n".join(lines), sys.stdout))


def _role(link: Any) -> str:
    return f"{link.cast.name} as {link.character_name}" if link.character_name else link.cast.name


def _torrent(torrent: Any) -> str:
    return " ".join(part for part in (torrent.quality, torrent.type, torrent.size) if part)


#: Row ids, which have no meaning outside the database.
_ROW_IDS = {"id", "movie_id", "cast_id"}


def json_of(movie: Movie, *, with_posters: bool) -> dict[str, Any]:
    """Return a movie as JSON fields; URLs of images only on request."""
    hidden = {"external_id", *_ROW_IDS, *(() if with_posters else POSTERS)}
    facts = {name: value for name, value in movie.to_dict().items() if name not in hidden}
    for links in ("casts", "torrents"):
        facts[links] = [_without_row_ids(link) for link in facts.get(links, ())]
    return {"id": movie.external_id, **facts}


def _without_row_ids(link: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in link.items() if name not in _ROW_IDS}
