"""Movies as rows of a table, as a page of facts, and for programs."""

from typing import Any

import click

from console.text import aligned, one_line, printable
from database.models import Movie

#: Columns that nobody reads on a terminal, and programs ask for.
POSTERS = (
    "small_cover_image",
    "medium_cover_image",
    "large_cover_image",
    "background_image",
    "background_image_original",
)


def row_of(movie: Movie, **more: Any) -> dict[str, Any]:
    """Return what a list shows of a movie."""
    return {
        "id": movie.external_id,
        "title": movie.title,
        "year": movie.year,
        "rating": movie.rating,
        "genres": ", ".join(genre.name for genre in movie.genres),
        **more,
    }


def write_movie(movie: Movie, *, with_posters: bool) -> None:
    """Write all that is known of one movie, for a person."""
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
        ("torrents", ", ".join(_torrent(it) for it in movie.torrents)),
        ("uploaded", movie.date_uploaded and f"{movie.date_uploaded:%Y-%m-%d}"),
        ("page", movie.url),
    ]
    if with_posters:
        facts += [(name.replace("_", " "), getattr(movie, name)) for name in POSTERS]
    year = f" ({movie.year})" if movie.year else ""
    click.echo(f"{one_line(movie.title)}{year}")
    click.echo(aligned((name, one_line(str(value))) for name, value in facts if value))
    if plot := movie.description_full or movie.summary:
        click.echo(f"\n{printable(plot)}")


def _role(link: Any) -> str:
    return f"{link.cast.name} as {link.character_name}" if link.character_name else link.cast.name


def _torrent(torrent: Any) -> str:
    return " ".join(it for it in (torrent.quality, torrent.type, torrent.size) if it)


def json_of(movie: Movie, *, with_posters: bool) -> dict[str, Any]:
    """Return a movie for programs; addresses of images only on demand."""
    hidden = () if with_posters else POSTERS
    return {name: value for name, value in movie.to_dict().items() if name not in hidden}
