"""
Measure the quality of recommendations and searches by ratings and facts, and their speed.

\b
Examples:
  python -m benchmarks.quality --data FOLDER
  python -m benchmarks.quality --data FOLDER --searches
  python -m benchmarks.quality --data FOLDER --tuning
  python -m benchmarks.quality --data FOLDER --searches --tuning
  python -m benchmarks.quality --data FOLDER --scale 70000

Writes quality.md, searches.md or quality-70000.md; with --tuning, nothing. FOLDER holds
`movies.jsonl.gz` and other data, which is not part of this repository.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

import click

from benchmarks.databases import open_databases
from benchmarks.machine import describe
from benchmarks.markdown import origin, table
from benchmarks.quality.query_sets import Question, read_questions
from benchmarks.quality.real_films import Film, read_films, row_ids, store
from benchmarks.quality.scale import measure_latency, measure_recall, mix
from benchmarks.quality.searches import Answer, measure_searches, search_table
from benchmarks.quality.tastes import (
    FRANCHISE,
    OVERLAP,
    Figures,
    gain_table,
    measure_tastes,
    read_neighbours,
    taste_table,
)
from benchmarks.quality.ways import (
    RATED_VECTORS,
    SIMILAR,
    by_similar,
    make_pools,
    vector_ways,
)
from database.db import DatabaseManager, get_db_manager
from embeddings.index import EmbedReport, embed_all
from embeddings.load import open_embedder

_HERE = Path(__file__).parent
_HELD_OUT = """## Held out

Queries that were not used while the ranking was chosen, with 95 % intervals by bootstrap.
"""
_HELD_OUT_FILMS = """Others are recommended for the half of the films that was not used while
the ranking was chosen. In percent, with 95 % intervals by bootstrap.
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
    help="What is not held out, for choosing weights; nothing is written.",
)
def main(data: Path, scale: int | None, *, is_searches: bool, is_tuning: bool) -> None:
    """Store and embed the films, measure, print the page and write it."""
    films = read_films(data)
    with open_databases() as databases:
        machine = describe(databases.version())
        url = databases.fresh("quality")
        if is_tuning:
            click.echo(_tune(url, films, data, is_searches=is_searches))
            return
        if scale:
            name, lines = f"quality-{scale}.md", _measure_scale(url, films, scale)
        elif is_searches:
            name, lines = "searches.md", _measure_searches(url, films)
        else:
            name, lines = "quality.md", _measure_recommendations(url, films, data)
        page = "\n".join([*lines, origin(datetime.now(UTC).date().isoformat(), machine)])
    (_HERE / name).write_text(page)
    click.echo(page)


def _tune(url: str, films: list[Film], data: Path, *, is_searches: bool) -> str:
    if is_searches:
        return search_table(_search(url, films, read_questions(films, "tuning")))
    return taste_table(_measure_ways(url, films, data, is_tuning=True))


@contextmanager
def _filled(
    url: str, films: Iterable[Film], rated: Collection[int] = ()
) -> Iterator[tuple[DatabaseManager, EmbedReport]]:
    with get_db_manager(database_url=url) as db:
        store(db, films, rated)
        with db.engine.connect() as connection:
            # Autovacuum does this within minutes.
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("VACUUM ANALYZE")
        click.echo("embedding", err=True)
        yield db, embed_all(db)


def _measure_ways(
    url: str, films: list[Film], data: Path, *, is_tuning: bool = False
) -> dict[str, Figures]:
    neighbours = read_neighbours(films, data)
    pools = make_pools(films, {*neighbours}, is_tuning=is_tuning)
    rated = {films[place].id for place in neighbours}
    with _filled(url, films, rated) as (db, _), db.get_session() as session:
        similar = by_similar(session, dict(row_ids(db)), films)
        return measure_tastes(films, neighbours, pools, {**vector_ways(films), SIMILAR: similar})


def _measure_recommendations(url: str, films: list[Film], data: Path) -> list[str]:
    tastes = _measure_ways(url, films, data)
    from benchmarks.quality.quality_plot import draw

    draw(
        {
            name: {way: fmean(figures[name].values()) for way, figures in tastes.items()}
            for name in (OVERLAP, FRANCHISE)
        },
        _HERE / "plots" / "quality.png",
    )
    without_cast = sum(not film.cast for film in films) / len(films)
    return [
        f"# Recommendations\n\nWritten by `python -m benchmarks.quality`, {len(films):,} films.\n",
        _HELD_OUT_FILMS,
        taste_table(tastes),
        f"{without_cast:.0%} of all films have no cast.\n",
        f"By how many points {SIMILAR} is larger than {RATED_VECTORS}:\n",
        gain_table(tastes[RATED_VECTORS], tastes[SIMILAR]),
        "![Shares of the best ten](plots/quality.png)\n",
    ]


def _measure_searches(url: str, films: list[Film]) -> list[str]:
    tuning, held_out = (read_questions(films, part) for part in ("tuning", "held out"))
    answers = _search(url, films, [*tuning, *held_out])
    return [
        "# Searches\n",
        f"Written by `python -m benchmarks.quality --searches`, {len(films):,} films.\n",
        _HELD_OUT,
        search_table(answers[len(tuning) :]),
        "## Tuning\n\nThe other queries.\n",
        search_table(answers[: len(tuning)]),
    ]


def _search(url: str, films: list[Film], questions: list[Question]) -> list[Answer]:
    with _filled(url, films) as (db, _), db.get_session() as session:
        embedder = open_embedder(session)
        assert embedder is not None  # noqa: S101 -- it was filled before
        return measure_searches(session, embedder, questions, dict(row_ids(db)))


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
