"""`OtherServer`: a PostgreSQL server on TCP, with passwords, with or without pgvector."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg2
from sqlalchemy import URL

from database.embedded.account import Account, choose_account
from database.embedded.file_locks import hold_lock
from database.embedded.launcher import find_programs
from tests.support.databases import run_sql
from tests.support.servers.embedded_world import copy_data

#: Contains characters with a meaning in URLs, in SQL and in the shell.
PASSWORD = "p%40@ '/:$x"
#: A password is hashed once for each connection, instead of four thousand times.
_FAST_PASSWORDS = ("-c", "scram_iterations=1")
START_SECONDS = 30


class OtherServer:
    """A running server with its own installation, which tests may change."""

    def __init__(
        self, installation: Path, url: URL, launch: Callable[[], "subprocess.Popen[bytes]"]
    ) -> None:
        """Start the server; *url* is that of its superuser and of the database postgres."""
        self.url = url
        self._launch = launch
        self.start()
        self._extension = installation / "share/postgresql/extension"

    def start(self) -> None:
        """Start the server, and return when it accepts connections."""
        self._process = self._launch()
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self.url):
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.05)
            if self._process.poll() is not None:  # Processes of a killed server are left.
                self._process = self._launch()

    def stop(self, number: signal.Signals) -> None:
        """Stop the server: SIGINT in order, SIGQUIT without a checkpoint, SIGKILL as in a crash."""
        self._process.send_signal(number)
        self._process.wait()

    def make_database(self, name: str, *statements: str) -> URL:
        """Create an empty database and run *statements* in it as superuser."""
        run_sql(self.url, f"CREATE DATABASE {name}")
        url = self.url.set(database=name)
        run_sql(url, *statements)
        return url

    @contextmanager
    def offering_pgvector(self, version: str | None) -> Iterator[None]:
        """Offer *version* of pgvector, or none, until the block ends."""
        control = self._extension / "vector.control"
        original = control.read_text()
        # Hard links share their content with the real installation: replace, never rewrite.
        control.unlink()
        if version is not None:
            control.write_text(f"default_version = '{version}'\n")
        try:
            yield
        finally:
            control.unlink(missing_ok=True)
            control.write_text(original)


@contextmanager
def open_other_server(folder: Path, host: str = "127.0.0.1") -> Iterator[OtherServer]:
    """
    Serve from a copy of the embedded server's installation until the block ends.

    Its data is in *folder*, where servers that follow copy it. Machines in its networks may connect
    with the password.
    """
    with tempfile.TemporaryDirectory(prefix="yts-tests-") as name:
        # Started by root, PostgreSQL runs as another user, which needs access.
        Path(name).chmod(0o711)
        with _serve(Path(name), folder, host) as server:
            yield server


@contextmanager
def _serve(directory: Path, folder: Path, host: str) -> Iterator[OtherServer]:
    package = find_programs().parents[1]
    # The programs load their libraries from the folder of the package.
    for part in (f"{package.name}.libs", f"{package.name}/pginstall18"):
        if (source := package.parent / part).exists():
            shutil.copytree(source, directory / part, copy_function=_link, symlinks=True)
    installation, prepared = directory / package.name / "pginstall18", folder / "other"
    programs = installation / "bin"
    with hold_lock(folder / "other.lock"):
        if not prepared.exists():
            _make_data(programs, folder / "other.draft").rename(prepared)
    data = folder / f"other-{directory.name}"
    copy_data(prepared, data)
    account = choose_account(folder, data, programs / "postgres")
    port = _find_free_port(host)
    log = directory / "log"
    launch = partial(_start, account, log, [
        str(programs / "postgres"), "-D", str(data), "-p", str(port), "-c", "fsync=off",
        "-c", f"listen_addresses={host}", "-c", "unix_socket_directories=",
    ])  # fmt: skip
    url = URL.create("postgresql+psycopg2", "postgres", PASSWORD, host, port, "postgres")
    server = OtherServer(installation, url, launch)
    try:
        yield server
    finally:
        server.stop(signal.SIGINT)
        shutil.rmtree(data)


def _make_data(programs: Path, data: Path) -> Path:
    account = choose_account(data.parent, data, programs / "initdb")
    data.mkdir(mode=0o700)
    account.give(data)
    with tempfile.NamedTemporaryFile("w", prefix="yts-tests-") as password_file:
        password_file.write(PASSWORD)
        password_file.flush()
        account.give(Path(password_file.name))
        _start(account, programs.parent / "log", [
            str(programs / "initdb"), "-D", str(data), "-U", "postgres", "--no-sync",
            "--auth=scram-sha-256", f"--pwfile={password_file.name}", "--locale=C",
            "--encoding=UTF8", *_FAST_PASSWORDS,
        ]).wait()  # fmt: skip
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write("host all all samenet scram-sha-256\n")
    return data


def _start(account: Account, log: Path, command: list[str]) -> "subprocess.Popen[bytes]":
    is_other = account.is_switched_to
    with log.open("ab") as output:
        return subprocess.Popen(
            [*account.prefix, *command],
            cwd="/",
            stdout=output,
            stderr=output,
            user=account.uid if is_other else None,
            group=account.gid if is_other else None,
            extra_groups=[] if is_other else None,
        )


def _answers(url: URL) -> bool:
    try:
        psycopg2.connect(
            host=url.host, port=url.port, user=url.username, password=PASSWORD,
            dbname=url.database,
        ).close()  # fmt: skip
    except psycopg2.OperationalError:
        return False
    return True


def _find_free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _link(source: str, target: str) -> None:
    """Link a file, or copy it if it is on another file system."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
