"""`ServerProcess`: start, find and stop the PostgreSQL server of one home."""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 (it is a class)
from psycopg2.sql import SQL, Identifier

from database.embedded.file_locks import open_lock, try_lock
from database.embedded.guard import start_guard
from database.embedded.home import PORT, Home, SocketAddress
from database.embedded.launcher import SUPERUSER, Launcher
from database.errors import DatabaseNotReady

_START_SECONDS = 60  # Long, because a start includes the recovery after a crash.
_STOP_SECONDS = 30
_UNREACHABLE_SECONDS = 5
_POLL_SECONDS = 0.01


class ServerProcess:
    """
    The PostgreSQL server of one home, running or not.

    It is alive as long as its processes hold `server.lock`: they inherit the lock, and the kernel
    frees it after the last one. It belongs to this home if it answers on the socket of the home and
    names its data directory. A pid proves nothing. The caller of each method must hold
    `startup.lock`.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._launcher = Launcher(home)
        #: The postmaster, if this object has started it.
        self._child: subprocess.Popen[bytes] | None = None
        #: Processes that this object has started, and that no thread waits for yet.
        self._new: list[subprocess.Popen[bytes]] = []
        self._address: SocketAddress | None = None
        self._refusal = ""

    def launch(self) -> None:
        """
        Start a server, unless a process of an earlier one is left; it does not answer yet.

        This starts no thread.
        """
        with open_lock(self._home.server_lock) as server_lock:
            if not try_lock(server_lock):
                return
            self._child = self._launcher.launch(server_lock)
        guard = start_guard(self._home.startup_lock, self._home.users_lock, self._child.pid)
        self._new = [self._child, *([guard] if guard else [])]

    def start_unless_running(self, is_alone: Callable[[], bool]) -> None:
        """
        Return when the server answers; *is_alone* returns whether no other program uses the home.

        Raises:
            DatabaseNotReady: it ended early, or does not answer in time.
        """
        began = time.monotonic()
        while not self._answers():
            waited_seconds = time.monotonic() - began
            if waited_seconds > _START_SECONDS:
                # The server is not stopped, so that a long recovery can continue.
                raise DatabaseNotReady(
                    f"PostgreSQL in {self._home.directory} did not answer for {_START_SECONDS} s "
                    f"({self._refusal}). It may still be recovering from a crash: see "
                    f"{self._home.log}, and try again."
                )
            if self._child is None:
                self.launch()
                if not self._home.has_socket() and waited_seconds > _UNREACHABLE_SECONDS:
                    self._replace_unreachable(is_alone)
            elif self._child.returncode is not None:
                reason = self._launcher.explain_end(self._child.returncode)
                raise DatabaseNotReady(f"PostgreSQL did not start: {reason}.")
            self._wait_in_background()
            time.sleep(_POLL_SECONDS)
        self._wait_in_background()

    def start_again(self, is_alone: Callable[[], bool]) -> bool:
        """
        Start the server again at the same address; return whether it had ended.

        A server that only did not answer, for example because it was frozen, is waited for.
        """
        self._child = None
        self.start_unless_running(is_alone)
        return self._child is not None

    def explain_absence(self) -> str | None:
        """Return why the server has ended; None if it has not."""
        return None if self._answers() else self._launcher.explain_end(0)

    def create_database_unless_present(self, name: str) -> None:
        """Create the empty database *name*, if it does not exist."""
        with contextlib.closing(self._connect()) as connection, connection.cursor() as cursor:
            cursor.execute("select from pg_database where datname = %s", [name])
            if cursor.rowcount == 0:
                cursor.execute(SQL("create database {}").format(Identifier(name)))

    def find_address(self) -> str:
        """Return the directory for libpq to connect to; `OperationalError` without a socket."""
        if not self._home.has_socket():
            raise psycopg2.OperationalError(f"it has no socket {self._home.socket}")
        if self._address is None:
            self._address = SocketAddress(self._home.socket_directory)
        return self._address.path

    def forget_address(self) -> None:
        """Close the address for connections to the server."""
        if self._address is not None:
            self._address.close()
            self._address = None

    def stop(self) -> None:
        """
        Shut the server down and wait until its processes are gone, 30 s at most.

        Open transactions are rolled back. A process is stopped only if it is proven to be the
        server of this home.
        """
        pid = self._find_postmaster()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)  # To PostgreSQL this means a fast shutdown.
        with open_lock(self._home.server_lock) as server_lock:
            if try_lock(server_lock, timeout_seconds=_STOP_SECONDS if pid else 0):
                self._home.discard_socket_directory()

    def _wait_in_background(self) -> None:
        """Let threads wait for the started processes, which would stay zombies at their end."""
        while self._new:
            threading.Thread(target=self._new.pop().wait, daemon=True).start()

    def _replace_unreachable(self, is_alone: Callable[[], bool]) -> None:
        """Stop a server whose socket was deleted, so that another one can start."""
        if self._child is not None:
            return
        if not is_alone():
            raise DatabaseNotReady(
                f"Another program uses the PostgreSQL of {self._home.directory}, but there is no "
                f"socket {self._home.socket}: it was deleted, or that program is of an older "
                "version. Wait until it has ended, or end it, and run this again."
            )
        self.stop()

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg2.Error as error:
            self._refusal = str(error).strip()
            return False
        return True

    def _connect(self) -> Connection:
        """Connect to the server of this home; raise `OperationalError` for any other server."""
        connection = psycopg2.connect(
            host=self.find_address(),
            port=PORT,
            user=SUPERUSER,
            dbname="postgres",
            connect_timeout=5,
        )
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("show data_directory")
            if cursor.fetchone() == (str(self._home.data),):
                return connection
        connection.close()
        raise psycopg2.OperationalError("another server has its socket")

    def _find_postmaster(self) -> int | None:
        """Return the pid of the process that is proven to be the running server of this home."""
        try:
            with contextlib.closing(self._connect()) as connection:
                return _read_peer_pid(connection.fileno())
        except psycopg2.Error:
            pid = self._home.read_postmaster_pid()
        if pid is not None and _is_postgres_in(self._home.data, pid):
            return pid
        # Checked last, because another server may have replaced a child whose end is not noticed
        # yet.
        child = self._child or self._launcher.last
        return child.pid if child is not None and child.returncode is None else None


def _read_peer_pid(descriptor: int) -> int | None:
    """
    Ask the kernel which process listens at the other end of a Unix socket.

    None if that process is in another container.
    """
    if sys.platform == "darwin":
        level, option, size_bytes = 0, 2, 4  # SOL_LOCAL, LOCAL_PEERPID: a pid_t
    else:
        level, option, size_bytes = socket.SOL_SOCKET, socket.SO_PEERCRED, 12  # a struct ucred
    with socket.socket(fileno=os.dup(descriptor)) as channel:
        pid: int = struct.unpack_from("i", channel.getsockopt(level, option, size_bytes))[0]
    return pid or None


def _is_postgres_in(data: Path, pid: int) -> bool:
    """Return whether *pid* is a PostgreSQL that uses *data*; False if /proc does not show it."""
    process = Path(f"/proc/{pid}")
    try:
        is_postgres = (process / "comm").read_text() == "postgres\n"
        return is_postgres and (process / "cwd").samefile(data)
    except OSError:
        return False
