"""`open_output`: commands write to files, links, pipes, devices and stdout as `cp` does."""

import errno
import json
import os
import signal
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from cli.output import open_output
from database.db import DatabaseManager
from tests.support.data.movies import movie
from tests.support.paths import REPO
from tests.support.processes.commands import call, run
from tests.support.processes.fork_server import start_python

#: Commands that write a file: their options, and how the file begins.
WRITERS: dict[str, tuple[tuple[str, ...], bytes]] = {
    "query_movies.py": (("export", "--format", "csv", "--output"), b"id,imdb_code"),
    "monitor_progress.py": (("--html",), b"<!DOCTYPE html>"),
    "monitor_progress.py ": (("--prometheus",), b"# HELP yts_movies"),
}
every_writer = pytest.mark.parametrize("writer", WRITERS, ids=lambda it: WRITERS[it][0][-1])


@pytest.fixture(scope="module")
def few_movies(new_database: Callable[..., URL]) -> URL:
    """Return a database with three movies, to be read only; an export exceeds all buffers."""
    url = new_database()
    with DatabaseManager(url) as db:
        for number in range(1, 4):
            db.save_movie(movie(number, description_full="text " * 20_000))
    return url


def write(writer: str, output: object, url: URL) -> Any:
    """Let a command write to *output*, in this process."""
    return call(writer.strip(), *WRITERS[writer][0], str(output), url=url)


@every_writer
def test_a_link_stays_and_its_target_is_replaced(writer: str, few_movies: URL, tmp_path: Path):
    """A link may lead into another folder, and to a file that does not exist yet."""
    target = tmp_path / "elsewhere" / "target"
    target.parent.mkdir()
    link = tmp_path / "link"
    link.symlink_to(target)

    for _ in range(2):
        done = write(writer, link, few_movies)

        assert done.returncode == 0, done.stderr
        assert link.is_symlink()
        assert target.read_bytes().startswith(WRITERS[writer][1])
    assert sorted(it.name for it in tmp_path.rglob("*")) == ["elsewhere", "link", "target"]


@every_writer
def test_a_pipe_stays_a_pipe(writer: str, few_movies: URL, tmp_path: Path):
    """The reader of a named pipe gets everything."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()

    done = write(writer, pipe, few_movies)

    reader.join(timeout=30)
    assert done.returncode == 0, done.stderr
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert read[0].startswith(WRITERS[writer][1])


@every_writer
@pytest.mark.parametrize(
    "output", ["-", "/dev/stdout", pytest.param("/dev/fd/1", marks=pytest.mark.long), "/dev/null"]
)
def test_stdout_and_devices_are_written_to(writer: str, output: str, few_movies: URL):
    """Stdout is the descriptor of a real process; a device is not replaced by a file."""
    done = run(writer.strip(), *WRITERS[writer][0], output, url=few_movies)

    assert done.returncode == 0, done.stderr
    beginning = WRITERS[writer][1].decode()
    assert done.stdout.startswith("" if output == "/dev/null" else beginning)
    assert bool(done.stdout) == (output != "/dev/null")
    assert not Path("/dev/null").is_file()


def test_stdout_that_appends_to_a_file_appends(few_movies: URL, tmp_path: Path):
    """`--output /dev/stdout >> file` keeps the old content of the file."""
    file = tmp_path / "file"
    file.write_text("before\n")
    environment = {**os.environ, "DATABASE_URL": few_movies.render_as_string(hide_password=False)}
    with file.open("a") as stdout:
        command = [str(REPO / "query_movies.py"), "export", "--output", "/dev/stdout"]
        with start_python(command, env=environment, cwd=tmp_path, stdout=stdout.fileno()) as done:
            assert done.wait() == 0

    assert file.read_text().startswith("before\nid,imdb_code")


@pytest.mark.parametrize("output", ["/dev/full", "full", "-"])
def test_a_full_disk_is_reported_with_the_name(output: str, few_movies: URL, tmp_path: Path):
    """The exit code is 1, and the message names the file, or stdout."""
    (tmp_path / "full").symlink_to("/dev/full")
    with (
        Path("/dev/full").open("wb") as full,
        start_python(
            [str(REPO / "query_movies.py"), "export", "--format", "csv", "--output", output],
            env={**os.environ, "DATABASE_URL": few_movies.render_as_string(hide_password=False)},
            cwd=tmp_path,
            stdout=full.fileno() if output == "-" else subprocess.DEVNULL,
        ) as process,
    ):
        _, stderr = process.communicate()

    assert process.returncode == 1
    assert "No space left on device" in stderr
    assert ("stdout" if output == "-" else output) in stderr
    assert "bug" not in stderr


def test_a_list_that_cannot_be_printed_is_exit_1(few_movies: URL, tmp_path: Path):
    """A full disk behind stdout is reported once, and not again when the process ends."""
    with (
        Path("/dev/full").open("wb") as full,
        start_python(
            [str(REPO / "query_movies.py"), "top"],
            env={**os.environ, "DATABASE_URL": few_movies.render_as_string(hide_password=False)},
            cwd=tmp_path,
            stdout=full.fileno(),
        ) as process,
    ):
        _, stderr = process.communicate()

    assert process.returncode == 1
    assert stderr.count("No space left on device") == 1
    assert "Exception ignored" not in stderr


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_killed_writer_leaves_the_old_file_alone(tmp_path: Path, number: signal.Signals):
    """After any signal the old file is unchanged, and no hidden file is left beside it."""
    file = tmp_path / "movies.csv"
    file.write_text("old")
    code = (
        "import pathlib, sys, time; from cli.output import open_output\n"
        f"with open_output(pathlib.Path({str(file)!r})) as out:\n"
        "    out.write(b'x' * 100_000); out.flush(); print('half', flush=True); time.sleep(60)"
    )
    process = start_python(["-c", code], env={**os.environ}, cwd=REPO, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    with process.stdout:
        process.stdout.readline()
    process.send_signal(number)
    process.wait(timeout=30)

    assert [it.name for it in tmp_path.iterdir()] == ["movies.csv"]
    assert file.read_text() == "old"


def test_an_error_leaves_the_old_file(tmp_path: Path):
    """The old file is replaced after everything was written, not before."""
    file = tmp_path / "file"
    file.write_text("old")

    def write_half() -> None:
        with open_output(file) as out:
            out.write(b"new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert file.read_text() == "old"
    assert [it.name for it in tmp_path.iterdir()] == ["file"]


def without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `os.link` fail for files without a name, as outside Linux."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr("os.link", refuse)


@pytest.mark.parametrize("restrict", [lambda _: None, without_proc], ids=["linux", "others"])
def test_mode_and_umask_are_kept(
    restrict: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A new file has the mode of the umask, an old one keeps its own; names of 255 bytes work."""
    restrict(monkeypatch)
    file = tmp_path / ("x" * 255)
    before = os.umask(0o027)
    try:
        with open_output(file) as out:
            out.write(b"one")
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
        file.chmod(0o604)
        with open_output(file) as out:
            out.write(b"two")
    finally:
        os.umask(before)

    assert file.read_bytes() == b"two"
    assert stat.S_IMODE(file.stat().st_mode) == 0o604
    assert [it.name for it in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("code", ["EBUSY", "EPERM"])
def test_a_file_that_cannot_be_replaced_is_written_in_place(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A mount point cannot be replaced, nor can a file in the folder of another user."""
    file = tmp_path / "file"
    file.write_text("a longer old text")

    def refuse(*_: object) -> None:
        raise OSError(getattr(errno, code), "refused")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with open_output(file) as out:
        out.write(b"new")

    assert file.read_text() == "new"
    assert [it.name for it in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["no/file", "folder", "loop"])
def test_an_error_names_the_output_as_it_was_given(name: str, tmp_path: Path):
    """The name of the temporary file is not in the message."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")

    with pytest.raises(OSError, match=name), open_output(tmp_path / name):
        pass
    assert sorted(it.name for it in tmp_path.iterdir()) == ["folder", "loop"]


def test_a_log_may_be_a_link_a_pipe_or_stdout(database_url: URL, tmp_path: Path):
    """Logs are treated as other outputs, except that they are appended."""
    log, link, pipe = tmp_path / "log", tmp_path / "link", tmp_path / "pipe"
    log.write_text("before\n")
    link.symlink_to(log)
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()

    options = ("--dry-run", "--sandbox", "--log-format", "json", "--log-file")
    outputs = [
        run("fetch_yts_data.py", *options, str(path), url=database_url, cwd=tmp_path).stdout
        for path in (link, pipe, "-")
    ]
    reader.join(timeout=30)

    assert link.is_symlink()
    texts = [log.read_text().removeprefix("before\n"), read[0], outputs[-1].splitlines()[0]]
    assert [json.loads(text)["message_type"] for text in texts] == ["forecast"] * 3
    assert sorted(it.name for it in tmp_path.iterdir()) == ["link", "log", "pipe"]
