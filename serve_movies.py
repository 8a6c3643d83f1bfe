#!/usr/bin/env python3
"""Serve the mirror over HTTP: `python serve_movies.py --help`."""

from cli.preflight import importing  # first: ends the program where something is missing

# isort: split

import re
from typing import Any

import click

from cli.options import Command, Parsed, exit_codes_epilog
from ingest.exit_codes import ExitCode
from sandbox.practice_api import open_practice_api
from yts import __version__


def read_base_path(text: str) -> str:
    """Return a path with a slash before it and none after it; the empty text for none."""
    path = f"/{text.strip('/')}" if text.strip("/") else ""
    is_path = re.fullmatch(r"[\w./~-]*", path, re.ASCII) is not None
    # Clients remove the segments . and .. before they send a request.
    if not is_path or {".", ".."} & {*path.split("/")}:
        raise ValueError(f"{text!r} is not a path; use for example /movies")
    return path


def read_address(text: str) -> str:
    """Return an address to listen on; the empty one would be all addresses of the machine."""
    if not text.strip():
        raise ValueError(f"{text!r} is not an address; use for example 127.0.0.1")
    return text.strip()


def read_host_name(text: str) -> str:
    """Return a host name as a Host header has it, in lower case and without a port."""
    name = text.lower().rstrip(".")
    if re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", name) is None:
        raise ValueError(
            f"{text!r} is not the name of a host; use for example movies.example.org, without "
            "scheme, port, comma and *"
        )
    return name


EPILOG = exit_codes_epilog(
    (
        ExitCode.DONE,
        ExitCode.FATAL,
        ExitCode.USAGE,
        ExitCode.NOT_READY,
        ExitCode.CLOSED_TERMINAL,
        ExitCode.INTERRUPTED,
        ExitCode.TERMINATED,
    ),
    {
        ExitCode.DONE: "ended by Ctrl-C",
        ExitCode.FATAL: "the port cannot be used, or a bug",
        ExitCode.INTERRUPTED: "Ctrl-C before it served",
    },
)


@click.command(
    cls=Command,
    context_settings={"auto_envvar_prefix": "YTS"},
    epilog=EPILOG,
)
@click.option(
    "--host",
    type=Parsed("text", read_address),
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port to listen on; 0 is any free one.",
)
@click.option(
    "--allow-host",
    type=Parsed("name", read_host_name),
    multiple=True,
    metavar="NAME",
    help="Name under which the server is reached besides localhost; can be repeated.",
)
@click.option(
    "--base-path",
    type=Parsed("path", read_base_path),
    default="",
    metavar="/PATH",
    help="Path under which a reverse proxy passes requests to this server.",
)
@click.option("--access-log", is_flag=True, help="Write a line for each request to stderr.")
@click.option("--cors", is_flag=True, help="Let browser programs of all sites read the YTS API.")
@click.option(
    "--urls",
    type=click.Choice(["yts", "own"]),
    default="yts",
    show_default=True,
    help="Where the pages of movies in the YTS API are: at YTS, or on this server.",
)
@click.option(
    "--no-posters",
    is_flag=True,
    help="Show drawn cards instead of posters, so that browsers contact no other host.",
)
@click.option(
    "--connections",
    type=click.IntRange(1, 64),
    default=8,
    show_default=True,
    help="Reads of the database at once; each API opens at most that many connections.",
)
@click.option(
    "--cache-mb",
    type=click.IntRange(0, 1_000_000),
    metavar="N",
    default=320,
    show_default=True,
    help="Memory for the movies of lists, in MB; those used last are kept.",
)
@click.option(
    "--database-url",
    metavar="URL",
    envvar="DATABASE_URL",
    help="PostgreSQL of the mirror; DATABASE_URL is the same.  [default: the embedded server]",
)
@click.option(
    "--sandbox",
    is_flag=True,
    help="Serve practice data: fill the database from a practice API if it is empty.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing unless something is wrong.")
@click.option("-v", "--verbose", is_flag=True, help="Show the traceback of a bug.")
@click.version_option(__version__, prog_name="yts-mirror")
def main(**options: Any) -> None:
    """
    Serve the mirror over HTTP: as pages for browsers, and for programs that speak the YTS API,
    which use it by changing one URL.

    \b
    Examples:
      python serve_movies.py --sandbox             practice data, offline
      python serve_movies.py
      python serve_movies.py --port 9000 --cors
      python serve_movies.py --host 0.0.0.0 --allow-host movies.example.org

    Nothing is written, except with --sandbox, and a fetch may be running. It serves until Ctrl-C.
    With the variable YTS_API_KEY set, requests need this key.
    """
    with importing():
        from cli.commands.serve import run  # noqa: PLC0415 -- for a fast --help

    run(options, open_practice_api)


if __name__ == "__main__":
    main()
