"""`run` of database_shell.py: start a program with the mirror's database in its environment."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from sqlalchemy import URL

from cli.report_errors import report_errors
from cli.signals import leave_on_signals
from database.config import read_parameters
from database.connection.signal_handling import hear_signals
from database.db import DatabaseManager
from database.embedded.launcher import find_programs
from database.errors import DatabaseNotReady, InvalidDatabaseUrl

#: The exit code of a shell for a command that does not exist.
NOT_FOUND = 127
#: Parameters that are also set as variables, for programs without libpq; passwords stay out of
#: files.
_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "passfile": "PGPASSFILE",
}


def run(database_url: str | None, program: str, arguments: Sequence[str]) -> None:
    """Run *program* with *arguments*, and exit with its exit code."""
    with (
        report_errors("database_shell.py"),
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
    """Run *command* to its end and return its exit code; pass signals on to it."""
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


def _environment(url: URL, stack: ExitStack) -> dict[str, str]:
    """
    Return the environment in which libpq finds the database of *url*, as long as *stack* is open.

    A service file accepts every parameter of a URL. Some parameters have no variable, and libpq
    reports unknown parameters in a service file instead of ignoring them.
    """
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
    with suppress(DatabaseNotReady):  # Without the wheel, programs of the system are used.
        path = f"{find_programs()}{os.pathsep}{path}"
    return {**os.environ, **values, "PATH": path}
