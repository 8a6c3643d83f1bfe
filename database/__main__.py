"""PostgreSQL's own programs on the mirror: `python -m database exec psql`."""

import cli.preflight  # noqa: F401 -- ends the program where something is missing

# isort: split

import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from cli.options import Command
from database.connection.signal_handling import hear_signals
from yts import __version__

if TYPE_CHECKING:
    from sqlalchemy import URL

#: As a shell has it for a command that is not there.
NOT_FOUND = 127
#: What programs without libpq read as well; passwords stay out of files.
_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "passfile": "PGPASSFILE",
}


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="yts-mirror")
def main() -> None:
    """Work on the mirror's database with PostgreSQL's own programs."""


@main.command(
    "exec", cls=Command, context_settings={"ignore_unknown_options": True, "show_default": True}
)
@click.option(
    "--database-url",
    metavar="URL",
    envvar="DATABASE_URL",
    help="PostgreSQL of the mirror; DATABASE_URL is the same.  [default: the embedded server]",
)
@click.argument("program")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def execute(database_url: str | None, program: str, arguments: tuple[str, ...]) -> None:
    """
    Run PROGRAM with the database up, and end with its exit code.

    It finds host, user, password and database in PGHOST and its kin, other parameters of the URL in
    a service file (PGSERVICE), and PostgreSQL's programs of the embedded server on its path: psql,
    pg_dump, pg_restore and others.

    \b
    Examples:
      python -m database exec psql
      python -m database exec psql -c 'SELECT count(*) FROM movies'
      python -m database exec pg_dump --format=custom --file=mirror.dump
    """
    from cli.errors import report_errors  # noqa: PLC0415 -- for a fast --help
    from cli.signals import leave_on_signals  # noqa: PLC0415
    from database.db import DatabaseManager  # noqa: PLC0415

    with (
        report_errors("database"),
        leave_on_signals(),
        DatabaseManager(database_url) as db,
        ExitStack() as stack,
    ):
        environment = _environment(db.url, stack)
        path = shutil.which(program, path=environment["PATH"])
        if path is None:
            click.echo(f"Error: there is no program {program!r}.", err=True)
            sys.exit(NOT_FOUND)
        exit_code = _run([path, *arguments], environment)
    sys.exit(exit_code)


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run *command* to its end and return its exit code; signals are passed on to it."""
    process: subprocess.Popen[bytes] | None = None
    received: list[int] = []

    def hear(number: int) -> None:
        if number == signal.SIGINT and sys.stdin.isatty():
            return  # The terminal sends it to the program as well; psql ends a query with it.
        received.append(number)
        if process is not None:
            process.send_signal(number if len(received) == 1 else signal.SIGKILL)

    with hear_signals(hear):
        process = subprocess.Popen(command, env=environment)
        if received:
            process.send_signal(received[0])
        exit_code = process.wait()
    ends = [number for number in received if number != signal.SIGINT]
    if ends:
        return 128 + ends[0]
    return exit_code if exit_code >= 0 else 128 - exit_code


def _environment(url: "URL", stack: ExitStack) -> dict[str, str]:
    """
    Return the environment in which libpq finds the database of *url*, as long as *stack* is open.

    Only a service file takes every parameter of a URL: for some there are no variables, and what
    libpq does not know is an error there instead of nothing.
    """
    from database.config import read_parameters  # noqa: PLC0415 -- for a fast --help
    from database.embedded.launcher import find_programs  # noqa: PLC0415
    from database.errors import DatabaseNotReady, InvalidDatabaseUrl  # noqa: PLC0415

    parameters = read_parameters(url)
    service = parameters.pop("service", os.environ.get("PGSERVICE"))
    if service and parameters:
        raise InvalidDatabaseUrl(
            f"The service {service} of libpq and other parameters in DATABASE_URL cannot be passed "
            "on together. Write all of them into the service file, or none."
        )
    values = {name: parameters.pop(key) for key, name in _VARIABLES.items() if key in parameters}
    if service:
        values["PGSERVICE"] = service
    elif parameters:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="yts-")))
        file = directory / "pg_service.conf"
        lines = [f"{name}={value}\n" for name, value in parameters.items()]
        file.write_text("".join(["[yts-mirror]\n", *lines]), encoding="utf-8")
        values |= {"PGSERVICE": "yts-mirror", "PGSERVICEFILE": str(file)}
    path = os.environ.get("PATH", os.defpath)
    with suppress(DatabaseNotReady):  # Without the wheel, those of the system are found.
        path = f"{find_programs()}{os.pathsep}{path}"
    return {**os.environ, **values, "PATH": path}


if __name__ == "__main__":
    main(prog_name="python -m database")
