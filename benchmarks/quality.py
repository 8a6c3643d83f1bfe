"""
Judge searches and recommendations by films of which more is known, and write quality.md.

DIR holds movies.jsonl.gz and neighbours_explicit.parquet; nothing of it is kept.

\b
Examples:
  python -m benchmarks.quality --data DIR                   five minutes
  python -m benchmarks.quality --data DIR --scale 70000     recall and times instead: ten minutes
"""

import json
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click

from benchmarks.databases import Databases, open_databases
from benchmarks.machine import describe
from benchmarks.quality_films import Film, read_films
from benchmarks.quality_mixing import mix
from benchmarks.quality_plot import draw_recommend, draw_search
from benchmarks.quality_recommend import measure_all, store_and_embed
from benchmarks.quality_report import page
from benchmarks.quality_scale import Scale
from benchmarks.quality_search import KNOWN_ITEMS, SearchQuality, read_items
from benchmarks.quality_truth import read_truth
from database.db import get_db_manager
from discovery.embedder import Embedder
from discovery.models import TextModel, open_model

_HERE = Path(__file__).parent
_LISTS = tuple(KNOWN_ITEMS)
_TITLES = 300


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data", "data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--scale", type=click.IntRange(1000), help="Movies, most of them mixed from others.")
@click.option(
    "--model",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of another model; what it reaches is only shown.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="[default: here, for the installed model]",
)
def main(data: Path, scale: int | None, model: Path | None, output: Path | None) -> None:
    """Measure, show and keep."""
    films, text_model = read_films(data), open_model(model)
    with open_databases() as databases:
        origin = {
            "date": datetime.now(UTC).date().isoformat(),
            "machine": {**describe(databases.version()), "model": text_model.name},
        }
        if scale is None:
            measured = _measure_quality(databases, data, films, text_model)
        else:
            measured = _measure_scale(databases, films, text_model, scale)
    folder = output or (_HERE if model is None else None)
    parts = _read(folder)
    if scale is None:
        parts["quality"] = {**measured, **origin}
    else:
        parts.setdefault("scale", {})[str(scale)] = {**measured, **origin}
    click.echo(page(parts, _LISTS))
    if folder is not None:
        _write(folder, parts)


def _measure_quality(
    databases: Databases, data: Path, films: list[Film], model: TextModel
) -> dict[str, Any]:
    with get_db_manager(database_url=databases.fresh("films")) as db:
        store_and_embed(db, films, model)
        click.echo("searching", err=True)
        search = SearchQuality(db, films, Embedder(model)).measure()
        click.echo("recommending", err=True)
        recommend = measure_all(db, databases, films, read_truth(data, films), model)
    return {"recommend": recommend, "search": search}


def _measure_scale(
    databases: Databases, films: list[Film], model: TextModel, movies: int
) -> dict[str, Any]:
    with get_db_manager(database_url=databases.fresh("scale")) as db:
        click.echo(f"storing {movies:,} movies", err=True)
        begun = time.monotonic()
        costs = store_and_embed(db, mix(films, movies), model)
        click.echo(f"measuring, after {time.monotonic() - begun:.0f} s", err=True)
        queries = [query for name in _LISTS for query, _, _ in read_items(name)]
        titles = [film.title for film in islice(films, None, None, len(films) // _TITLES)]
        figures = Scale(db, Embedder(model), queries, titles).measure()
    return {"figures": figures, "costs": costs}


def _read(folder: Path | None) -> dict[str, Any]:
    path = (folder or _HERE) / "quality.json"
    kept: dict[str, Any] = json.loads(path.read_text()) if folder and path.exists() else {}
    return kept


def _write(folder: Path, parts: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "quality.json").write_text(json.dumps(parts, indent=1) + "\n")
    (folder / "quality.md").write_text(page(parts, _LISTS))
    if quality := parts.get("quality"):
        draw_recommend(quality["recommend"], folder / "plots" / "quality-recommend.png")
        draw_search(quality["search"], _LISTS, folder / "plots" / "quality-search.png")


if __name__ == "__main__":
    main()
