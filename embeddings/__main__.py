"""Make the vectors that searches and recommendations need: `python -m embeddings embed`."""

import cli.preflight  # noqa: F401 -- ends the program where something is missing

# isort: split

import os
import sys
from pathlib import Path

import click

from cli.options import Command
from yts import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="yts-mirror")
def main() -> None:
    """Vectors of movies, for searches by meaning and recommendations."""


@main.command(cls=Command)
@click.option("--rebuild", is_flag=True, help="Make all of them again, search documents included.")
@click.option(
    "--model",
    metavar="DIR",
    envvar="YTS_MODEL",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with model.safetensors and tokenizer.json of all-MiniLM-L6-v2 or its kin.  "
    "[default: the model in use, or the installed one]",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=os.cpu_count() or 1,
    show_default="one for each core",
    help="Processes.",
)
@click.option(
    "--database-url",
    metavar="URL",
    envvar="DATABASE_URL",
    help="PostgreSQL of the mirror; DATABASE_URL is the same.  [default: the embedded server]",
)
@click.option("-q", "--quiet", is_flag=True, help="Be silent unless something is wrong.")
@click.option("-v", "--verbose", is_flag=True, help="Show the traceback of a bug.")
def embed(
    *,
    rebuild: bool,
    model: Path | None,
    workers: int,
    database_url: str | None,
    quiet: bool,
    verbose: bool,
) -> None:
    """
    Make the vectors of movies that are new or have changed.

    fetch_yts_data.py does the same after each run. What is done is kept: run it again to go on.
    Another model fills a space of its own, which is used once it is full; until then searches
    use the previous one.

    \b
    Examples:
      python -m embeddings embed
      python -m embeddings embed --model ~/models/all-MiniLM-L6-v2

    Exit codes: 0 done; 1 fatal; 2 usage, or no model; 5 database not ready; 11 another process
    is at it; 130/143 interrupted, what is done is kept.
    """
    from cli.errors import report_errors  # noqa: PLC0415 -- for a fast --help
    from cli.signals import leave_on_signals, say_nothing, say_on_stderr  # noqa: PLC0415

    say = say_nothing if quiet else say_on_stderr
    with report_errors("embeddings", is_verbose=verbose), leave_on_signals(say=say):
        _embed(rebuild, model, workers, database_url, quiet)


def _embed(
    is_rebuild: bool,  # noqa: FBT001 -- as the option has it
    model: Path | None,
    workers: int,
    database_url: str | None,
    is_quiet: bool,  # noqa: FBT001
) -> None:
    from cli.events import EventStream  # noqa: PLC0415
    from cli.progress import open_terminal  # noqa: PLC0415
    from cli.text import duration  # noqa: PLC0415
    from database.db import get_db_manager  # noqa: PLC0415
    from embeddings.index import embed_all  # noqa: PLC0415

    with get_db_manager(database_url=database_url) as db:
        messages = EventStream([open_terminal(is_quiet=is_quiet)])
        try:
            report = embed_all(
                db,
                model,
                is_rebuild=is_rebuild,
                workers=workers,
                progress=lambda done, total: messages.stage("vectors", done, total),
                note=messages.note,
            )
        finally:
            messages.close()
    if not is_quiet:
        sys.stderr.write(f"{report.embedded:,} movies embedded in {duration(report.seconds)}.\n")


if __name__ == "__main__":
    main(prog_name="python -m embeddings")
