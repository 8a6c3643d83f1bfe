"""
`start_python`: start a command as a real process, without importing everything again.

A command that starts from scratch spends most of a second of CPU on imports. Here, one process
imports all modules once and forks for each command: signals, exit codes, streams and kills are
real. Tests of what happens while Python itself starts use `from_scratch`.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from pkgutil import resolve_name
from typing import IO, Any, NoReturn

from sqlalchemy.orm import configure_mappers

from tests.support.paths import REPO
from tests.support.processes.forked_children import fork_children
from tests.support.waiting import wait_until

#: Modules that commands import after they have started.
MODULES = (
    "fetch_yts_data", "monitor_progress", "query_movies", "test_db_connection", "embed_movies",
    "serve_movies", "cli.commands.serve",
    "cli.fetch.command", "cli.monitor.command", "cli.query.command", "cli.fetch.by_hand",
    "sandbox.api.sandbox_server", "ingest.fetch", "database.db", "database.embedded.server",
    "alembic.config", "alembic.autogenerate",
)  # fmt: skip


class ForkedProcess:
    """A process that the fork server has started; it has the methods of `Popen` that tests use."""

    def __init__(self, arguments: Sequence[str], exit_codes: socket.socket) -> None:
        self.args = [*arguments]
        self.returncode: int | None = None
        self.stdout: IO[str] | None = None
        self.stderr: IO[str] | None = None
        self._exit_codes = exit_codes
        self.pid = int(exit_codes.recv(16))

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs."""
        return self._receive(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit code; raise `subprocess.TimeoutExpired` after *timeout* seconds."""
        exit_code = self._receive(timeout)
        if exit_code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return exit_code

    def _receive(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._exit_codes], [], [], timeout)[0]:
            self.returncode = int(self._exit_codes.recv(16))
            self._exit_codes.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process is known to have ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str | None, str | None]:
        """Read both streams to their ends and wait for the exit; at most *timeout* seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout

        def seconds_left() -> float | None:
            return None if deadline is None else max(0.0, deadline - time.monotonic())

        texts: dict[str, str] = {}

        def read(name: str, stream: IO[str]) -> None:
            with stream:
                texts[name] = stream.read()

        threads = [
            threading.Thread(target=read, args=(name, stream), daemon=True)
            for name, stream in (("stdout", self.stdout), ("stderr", self.stderr))
            if stream is not None and not stream.closed
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(seconds_left())
            if thread.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0, texts.get("stdout"))
        self.wait(seconds_left())
        return texts.get("stdout"), texts.get("stderr")

    def __del__(self) -> None:
        """Close what a test that failed has left open."""
        for stream in (self.stdout, self.stderr, self._exit_codes):
            if stream is not None:
                stream.close()

    def __enter__(self) -> "ForkedProcess":
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self.stdout, self.stderr):
            if stream is not None:
                stream.close()
        self.wait()


def start_python(
    arguments: Sequence[str],
    *,
    env: dict[str, str],
    cwd: Path,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    start_new_session: bool = False,
    from_scratch: bool = False,
    patches: Mapping[str, object] | None = None,
    imports: Sequence[str] = (),
) -> "ForkedProcess | subprocess.Popen[str]":
    """
    Start Python with *arguments*: a script, or `-c` and a program, or `-m` and a module.

    It starts *from_scratch* also if *env* has a variable that Python reads only then. *patches*
    are attributes of modules with their values in the forked process, such as
    `{"database.connection.retry.PATIENCE_SECONDS": 1.0}`. *imports* are modules that the server
    imports before it forks, in addition to `MODULES`.
    """
    settings = {name: env[name] for name in env if name.startswith("PYTHON")}
    if from_scratch or settings not in ({}, {"PYTHONPATH": str(REPO)}):
        assert not patches, f"a process that starts from scratch has no patches: {settings}"
        return subprocess.Popen(
            [sys.executable, *arguments],
            env=env, cwd=cwd, stdin=stdin, stdout=stdout, stderr=stderr,
            text=True, start_new_session=start_new_session,
        )  # fmt: skip
    request = {
        "arguments": [*arguments], "env": env, "cwd": str(cwd), "new_session": start_new_session,
        "patches": dict(patches or {}), "imports": [*imports],
    }  # fmt: skip
    # With packets, the process id and an exit code that follows at once are two messages.
    exit_codes, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    null = os.open(os.devnull, os.O_RDWR)
    passed, ours = [null if stdin == subprocess.DEVNULL else stdin], []
    for number in (stdout, stderr):
        if number == subprocess.PIPE:
            read_end, write_end = os.pipe()
            ours.append(os.fdopen(read_end, encoding="utf-8"))
            passed.append(write_end)
        else:
            ours.append(None)
            passed.append(null if number == subprocess.DEVNULL else number)
    socket.send_fds(_server(), [json.dumps(request).encode()], [*passed, theirs.fileno()])
    for number in {null, *passed} - {stdin, stdout, stderr}:
        os.close(number)
    theirs.close()
    process = ForkedProcess(arguments, exit_codes)
    process.stdout, process.stderr = ours
    return process


@cache
def _server() -> socket.socket:
    """Join the server of all workers of this session, or start it; it ends with the last one."""
    # The zero byte makes it an abstract socket of Linux: no file is left, whoever is killed.
    address = "\0yts-tests-" + os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener, suppress(OSError):
        listener.bind(address)  # Fails if another worker has bound it.
        listener.listen()
        number = listener.fileno()
        command = [sys.executable, "-m", "tests.support.processes.fork_server", str(number)]
        process = subprocess.Popen(command, cwd=REPO, pass_fds=[number])
        atexit.register(process.wait)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    wait_until(lambda: client.connect_ex(address) == 0, "no fork server listens")
    atexit.register(client.close)  # Before the wait for the server.
    return client


def serve(listener: socket.socket) -> dict[str, Any] | None:
    """Fork for each request: return it in the child, and None in the server at the end."""
    children: dict[int, socket.socket] = {}
    clients = {listener.accept()[0]}
    wake, woken = socket.socketpair()
    woken.setblocking(False)
    wake.setblocking(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken.fileno())
    while clients or select.select([listener], [], [], 0)[0]:
        readable, _, _ = select.select([listener, wake, *clients], [], [])
        if wake in readable:
            wake.recv(4096)
            report_exit_codes(children)
        if listener in readable:
            clients.add(listener.accept()[0])
        for client in clients.intersection(readable):
            message, descriptors, _, _ = socket.recv_fds(client, 1 << 20, 4)
            if not message:
                clients.remove(client)
                client.close()
                continue
            request = {**json.loads(message), "descriptors": descriptors}
            for module in request["imports"]:
                importlib.import_module(module)
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                for other in (listener, wake, woken, *clients, *children.values()):
                    other.close()
                return request
            children[pid] = socket.socket(fileno=descriptors.pop())
            children[pid].send(str(pid).encode())
            for descriptor in descriptors:
                os.close(descriptor)
    return None


def report_exit_codes(children: dict[int, socket.socket]) -> None:
    """Send the exit codes of the children that have ended to the tests."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with children.pop(pid) as exit_codes:
            exit_codes.send(str(os.waitstatus_to_exitcode(status)).encode())


def become(request: dict[str, Any]) -> None:
    """Turn this process into Python with the arguments of *request*, and run it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # Ignored if the tests run under nohup.
    if request["new_session"]:
        os.setsid()
    for number, descriptor in enumerate(request["descriptors"][:3]):
        os.dup2(descriptor, number)
    for descriptor in request["descriptors"]:
        os.close(descriptor)
    sys.stdin = sys.__stdin__ = os.fdopen(0, closefd=False)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    if "distributed.config" in sys.modules:
        read_dask_settings()
    fork_children()
    for target, value in request["patches"].items():
        owner, _, name = target.rpartition(".")
        setattr(resolve_name(owner), name, value)
    kind, *others = request["arguments"]
    sys.argv = [kind, *others]
    if kind == "-c":
        sys.argv = ["-c", *others[1:]]
        exec(compile(others[0], "<string>", "exec"), {"__name__": "__main__"})
    elif kind == "-m":
        sys.argv = others
        runpy.run_module(others[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(kind, run_name="__main__")


def run_as(request: dict[str, Any]) -> int:
    """Become Python with the arguments of *request*; return the exit code of its program."""
    try:
        become(request)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        raise
    return 0


def leave(exit_code: int) -> NoReturn:
    """End as Python does, but without clearing all modules, which costs more than the fork."""
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()
    os._exit(exit_code & 0xFF)


def read_dask_settings() -> None:
    """Read the settings of dask again, which depend on the environment."""
    import dask.config

    dask.config.refresh(paths=dask.config._get_paths())
    sys.modules["distributed.config"].initialize_logging(dask.config.config)


if __name__ == "__main__":
    sys.path.insert(0, str(REPO))
    for module in MODULES:
        importlib.import_module(module)
    configure_mappers()  # Otherwise each process would do it with its first query.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)  # Most commands end before a first pass would be due.
    if request := serve(socket.socket(fileno=int(sys.argv[1]))):
        leave(run_as(request))
