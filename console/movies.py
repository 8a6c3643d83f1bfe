"""Movies on a terminal, as plain text, and as JSON lines."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from console.terminal import is_live
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
#: Columns that hold numbers.
_RIGHT = {"id", "year", "rating", "likes", "movies", "similarity", "average rating"}
_PLAIN_WIDTH = 44

Row = Mapping[str, Any]


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


def write_table(rows: Sequence[Row]) -> None:
    """Write *rows*, all of the same columns, for a person; nothing where there are none."""
    if not rows:
        return
    if is_live(sys.stdout):
        _write_rich_table(rows)
        return
    names = list(rows[0])
    texts = [names, *([_text(row[name]) for name in names] for row in rows)]
    widths = [
        min(max(len(line[place]) for line in texts), _PLAIN_WIDTH) for place in range(len(names))
    ]
    for line in texts:
        cells = (
            f"{cell:>{width}}" if name in _RIGHT else f"{cell:<{width}}"
            for name, cell, width in zip(names, line, widths, strict=True)
        )
        click.echo("  ".join(cells).rstrip())


def _write_rich_table(rows: Sequence[Row]) -> None:
    from rich import box  # noqa: PLC0415 -- only on a terminal
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in rows[0]:
        is_number = name in _RIGHT
        table.add_column(
            name, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(_text(value)) for value in row.values()))
    Console(highlight=False).print(table)


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


def write_json(kind: str, rows: Iterable[Row]) -> None:
    """Write *rows* as JSON lines, each with `message_type` *kind*."""
    for row in rows:
        click.echo(json.dumps({"message_type": kind, **row}, ensure_ascii=False))


def json_of(movie: Movie, *, with_posters: bool) -> dict[str, Any]:
    """Return a movie for programs; addresses of images only on demand."""
    hidden = () if with_posters else POSTERS
    return {name: value for name, value in movie.to_dict().items() if name not in hidden}


def _text(value: Any) -> str:
    return "" if value is None else one_line(str(value))
