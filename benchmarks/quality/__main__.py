"""
Measure the quality of recommendations and searches by ratings and facts, and their speed.

\b
Examples:
  python -m benchmarks.quality --data FOLDER
  python -m benchmarks.quality --data FOLDER --searches
  python -m benchmarks.quality --data FOLDER --tuning
  python -m benchmarks.quality --data FOLDER --scale 70000

Writes quality.md, searches.md or quality-70000.md; with --tuning, nothing. FOLDER holds
`movies.jsonl.gz` and other data, which is not part of this repository.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np

from benchmarks.databases import open_databases
from benchmarks.machine import describe
from benchmarks.markdown import origin, table
from benchmarks.quality.query_sets import Question, read_questions
from benchmarks.quality.real_films import Film, read_films, row_ids, store
from benchmarks.quality.scale import measure_latency, measure_recall, mix
from benchmarks.quality.searches import Answer, measure_searches, search_table
from benchmarks.quality.tastes import FRANCHISE, OVERLAP, Figures, measure_tastes
from database.db import DatabaseManager, get_db_manager
from embeddings.embedder import Embedder
from embeddings.index import EmbedReport, embed_all
from embeddings.load import open_embedder, open_model
from embeddings.recipe import MovieText

_HERE = Path(__file__).parent
_HELD_OUT = """## Held out

Queries that were not used while the ranking was chosen, with 95 % intervals by bootstrap.
"""


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True
)
@click.option(
    "--scale",
    type=click.IntRange(1000),
    help="Recall and latency with N movies.",
    metavar="N",
)
@click.option(
    "--searches", "is_searches", is_flag=True, help="Searches instead of recommendations."
)
@click.option(
    "--tuning",
    "is_tuning",
    is_flag=True,
    help="Searches of the half that is not held out, for choosing weights.",
)
def main(data: Path, scale: int | None, *, is_searches: bool, is_tuning: bool) -> None:
    """Store and embed the films, measure, print the page and write it."""
    films = read_films(data)
    with open_databases() as databases:
        machine = describe(databases.version())
        url = databases.fresh("quality")
        if is_tuning:
            click.echo(search_table(_search(url, films, read_questions(films, "tuning"))))
            return
        if scale:
            name, lines = f"quality-{scale}.md", _measure_scale(url, films, scale)
        elif is_searches:
            name, lines = "searches.md", _measure_searches(url, films)
        else:
            name, lines = "quality.md", _measure_recommendations(films, data)
        page = "\n".join([*lines, origin(datetime.now(UTC).date().isoformat(), machine)])
    (_HERE / name).write_text(page)
    click.echo(page)


@contextmanager
def _filled(url: str, films: Iterable[Film]) -> Iterator[tuple[DatabaseManager, EmbedReport]]:
    with get_db_manager(database_url=url) as db:
        store(db, films)
        with db.engine.connect() as connection:
            # Autovacuum does this within minutes.
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("VACUUM ANALYZE")
        click.echo("embedding", err=True)
        yield db, embed_all(db)


def _measure_recommendations(films: list[Film], data: Path) -> list[str]:
    texts = [
        MovieText(it.title, it.year, tuple(sorted(it.genres)), it.plot, tuple(sorted(it.cast)))
        for it in films
    ]
    embedder = Embedder(open_model())
    recommend, _ = embedder.embed_movies(texts)
    one_string = embedder.model.embed(
        [f"{it.title} {it.description} {' '.join(it.genres)} {' '.join(it.cast)}" for it in texts]
    )
    bonus = np.array([0.02 * ((it.rating or 6.5) - 6.5) for it in films], dtype=np.float32)
    tastes = measure_tastes(films, data, recommend, one_string, bonus)
    from benchmarks.quality.quality_plot import draw

    draw(
        {
            OVERLAP: {way: figures[OVERLAP] for way, figures in tastes.items()},
            FRANCHISE: {way: figures[FRANCHISE] for way, figures in tastes.items()},
        },
        _HERE / "plots" / "quality.png",
    )
    return [
        f"# Recommendations\n\nWritten by `python -m benchmarks.quality`, {len(films):,} films.\n",
        _taste_table(tastes, films),
        "![Shares of the best ten](plots/quality.png)\n",
    ]


def _measure_searches(url: str, films: list[Film]) -> list[str]:
    halves = {half: read_questions(films, half) for half in ("tuning", "held out")}
    answers = _search(url, films, [each for half in halves.values() for each in half])
    tuned, held_out = answers[: len(halves["tuning"])], answers[len(halves["tuning"]) :]
    return [
        "# Searches\n",
        f"Written by `python -m benchmarks.quality --searches`, {len(films):,} films.\n",
        _HELD_OUT,
        search_table(held_out),
        "## Tuning\n\nThe other half of the queries.\n",
        search_table(tuned),
    ]


def _search(url: str, films: list[Film], questions: list[Question]) -> list[Answer]:
    with _filled(url, films) as (db, _), db.get_session() as session:
        embedder = open_embedder(session)
        assert embedder is not None  # noqa: S101 -- it was filled before
        return measure_searches(session, embedder, questions, dict(row_ids(db)))


def _taste_table(tastes: dict[str, Figures], films: list[Film]) -> str:
    rows = [[way, *(f"{it:.1%}" for it in figures.values())] for way, figures in tastes.items()]
    without_cast = sum(not film.cast for film in films) / len(films)
    head = ["", *next(iter(tastes.values()))]
    return f"{table(head, rows)}\n{without_cast:.0%} of all films have no cast.\n"


def _measure_scale(url: str, films: list[Film], scale: int) -> list[str]:
    queries = [each.query for each in read_questions(films, "tuning") if each.is_typed]
    with _filled(url, mix(films, scale)) as (db, report), db.get_session() as session:
        embedder = open_embedder(session)
        assert embedder is not None  # noqa: S101 -- it was filled before
        recall = measure_recall(session, embedder, queries)
        timings = measure_latency(session, embedder, queries)
    return [
        f"# {scale:,} movies\n\nWritten by `python -m benchmarks.quality --scale {scale}`.\n",
        f"Vectors and indexes of all movies were made in {report.seconds:.0f} s.\n",
        table(
            ["recall of the first ten", "measured"],
            [[kind, f"{share:.3f}"] for kind, share in recall.items()],
        ),
        table(
            ["", "median ms", "95 % ms"],
            [[timing.name, f"{timing.median:.1f}", f"{timing.slow:.1f}"] for timing in timings],
        ),
    ]


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.quality")
