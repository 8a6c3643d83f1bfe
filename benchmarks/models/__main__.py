"""
Compare the models that packages have: searches in several languages, and their CPU time.

\b
Example:
  python -m benchmarks.models --data FOLDER

Writes models.md. FOLDER is that of `python -m benchmarks.quality`.
"""

import cli.preflight  # noqa: F401 -- numpy gets one thread

# isort: split

import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

import click

from benchmarks.databases import open_databases
from benchmarks.machine import describe
from benchmarks.markdown import origin, table
from benchmarks.quality.query_sets import Question, read_questions
from benchmarks.quality.real_films import Film, read_films, row_ids, store
from benchmarks.quality.searches import Answer, measure_searches
from database.db import get_db_manager
from embeddings.embedder import Embedder
from embeddings.index import embed_all
from embeddings.load import open_embedder, open_model
from embeddings.packages import INSTALLED_MODELS
from embeddings.recipe import MovieText

_PAGE = Path(__file__).with_name("models.md")
_QUERIES = Path(__file__).with_name("languages.json")
_EVERYDAY = "everyday words"
_HEAD = """\
# Models

Written by `python -m benchmarks.models`, {films:,} films. Twenty films are described in each
language; the descriptions in everyday words are those of `python -m benchmarks.quality`. How many
searches have the right film first, and among the first ten:
"""
_CPU_HEAD = "CPU time in one thread, a movie with its four texts, or a query:\n"
#: Movies and queries whose CPU time is measured.
_TIMED_MOVIES, _TIMED_QUERIES = 500, 100


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True
)
def main(data: Path) -> None:
    """Store the films, embed them with each model, measure, print the page and write it."""
    films = read_films(data)
    questions = [*_read_languages(films), *_read_everyday(films)]
    answers: dict[str, list[Answer]] = {}
    with (
        open_databases() as databases,
        get_db_manager(database_url=databases.fresh("models")) as db,
    ):
        machine = describe(databases.version())
        store(db, films)
        numbers = dict(row_ids(db))
        for name in INSTALLED_MODELS:
            click.echo(f"embedding with {name}", err=True)
            embed_all(db, name)
            with db.get_session() as session:
                embedder = open_embedder(session)
                assert embedder is not None  # noqa: S101 -- it was filled before
                answers[name] = measure_searches(session, embedder, questions, numbers)
    page = "\n".join(
        [
            _HEAD.format(films=len(films)),
            _search_table(answers),
            _CPU_HEAD,
            _cpu_table(films),
            origin(datetime.now(UTC).date().isoformat(), machine),
        ]
    )
    _PAGE.write_text(page)
    click.echo(page)


def _read_languages(films: Sequence[Film]) -> Iterator[Question]:
    ids = {(film.title, film.year): film.id for film in films}
    for language, rows in json.loads(_QUERIES.read_text(encoding="utf-8")).items():
        for query, title, year in rows:
            yield Question("languages", language, query, frozenset({ids[title, year]}))


def _read_everyday(films: Sequence[Film]) -> Iterator[Question]:
    for part in ("tuning", "held out"):
        yield from (each for each in read_questions(films, part) if each.kind == _EVERYDAY)


def _search_table(answers: dict[str, list[Answer]]) -> str:
    kinds = dict.fromkeys(answer.question.kind for each in answers.values() for answer in each)
    rows = []
    for kind in kinds:
        ours = [[it for it in each if it.question.kind == kind] for each in answers.values()]
        shares = [
            f"{fmean(it.first for it in each):.0%}, {fmean(it.among_ten for it in each):.0%}"
            for each in ours
        ]
        rows.append([kind, str(len(ours[0])), *shares])
    return table(["", "queries", *answers], rows)


def _cpu_table(films: Sequence[Film]) -> str:
    texts = [
        MovieText(film.title, film.year, film.genres, film.plot, film.cast)
        for film in films[:_TIMED_MOVIES]
    ]
    queries = [film.plot[:60] for film in films[:_TIMED_QUERIES]]
    rows = [_cpu_row(name, texts, queries) for name in INSTALLED_MODELS]
    return table(["", "movie", "query", "opening the model"], rows)


def _cpu_row(name: str, texts: Sequence[MovieText], queries: Sequence[str]) -> list[str]:
    embedder = Embedder(open_model(name))
    movies = _cpu_seconds(lambda: embedder.embed_movies(texts))
    searches = _cpu_seconds(lambda: [embedder.embed_query(query) for query in queries])
    return [
        name,
        f"{movies / len(texts) * 1e3:.2f} ms",
        f"{searches / len(queries) * 1e3:.2f} ms",
        f"{_cpu_seconds(lambda: open_model(name)):.1f} s",
    ]


def _cpu_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.models")
