"""Files that commands write: links, pipes, devices and stdout are treated as `cp` treats them."""

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
from tests.support.commands import run
from tests.support.fork_server import start_python
from tests.support.paths import REPO

#: Each command that writes a file, and what the file begins with.
WRITERS: dict[str, tuple[tuple[str, ...], bytes]] = {
    "query_movies.py": (("export", "--format", "csv", "--output"), b"id,imdb_code"),
    "monitor_progress.py": (("--html",), b"<!DOCTYPE html>"),
    "monitor_progress.py ": (("--prometheus",), b"# HELP yts_movies"),
}
every_writer = pytest.mark.parametrize("writer", WRITERS, ids=lambda it: WRITERS[it][0][-1])


def write(writer: str, output: object, url: URL, **options: Any) -> Any:
    """Let a command write to *output*."""
    return run(writer.strip(), *WRITERS[writer][0], str(output), url=url, **options)


@every_writer
def test_a_link_stays_and_its_target_is_replaced(writer: str, mirror_url: URL, tmp_path: Path):
    """Also a link into another folder, and one to a file that is not there yet."""
    target = tmp_path / "elsewhere" / "target"
    target.parent.mkdir()
    link = tmp_path / "link"
    link.symlink_to(target)

    for _ in range(2):
        done = write(writer, link, mirror_url)

        assert done.returncode == 0, done.stderr
        assert link.is_symlink()
        assert target.read_bytes().startswith(WRITERS[writer][1])
    assert sorted(it.name for it in tmp_path.rglob("*")) == ["elsewhere", "link", "target"]


@every_writer
def test_a_pipe_stays_a_pipe(writer: str, mirror_url: URL, tmp_path: Path):
    """Its reader gets everything."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()

    done = write(writer, pipe, mirror_url)

    reader.join(timeout=30)
    assert done.returncode == 0, done.stderr
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert read[0].startswith(WRITERS[writer][1])


@every_writer
@pytest.mark.parametrize("output", ["-", "/dev/stdout", "/dev/fd/1", "/dev/null"])
def test_stdout_and_devices_are_written_to(writer: str, output: str, mirror_url: URL):
    """Whatever stdout is; a device stays what it is."""
    done = write(writer, output, mirror_url)

    assert done.returncode == 0, done.stderr
    begin = WRITERS[writer][1].decode()
    assert done.stdout.startswith("" if output == "/dev/null" else begin)
    assert bool(done.stdout) == (output != "/dev/null")
    assert not Path("/dev/null").is_file()


def test_stdout_that_appends_to_a_file_appends(mirror_url: URL, tmp_path: Path):
    """`--output /dev/stdout >> file` keeps what was in it."""
    file = tmp_path / "file"
    file.write_text("before\n")
    environment = {**os.environ, "DATABASE_URL": mirror_url.render_as_string(hide_password=False)}
    with file.open("a") as stdout:
        command = [str(REPO / "query_movies.py"), "export", "--output", "/dev/stdout"]
        with start_python(command, env=environment, cwd=tmp_path, stdout=stdout.fileno()) as done:
            assert done.wait() == 0

    assert file.read_text().startswith("before\nid,imdb_code")


@pytest.mark.parametrize("output", ["/dev/full", "full", "-"])
def test_a_full_disk_is_reported_with_the_name(output: str, mirror_url: URL, tmp_path: Path):
    """Exit 1, and a sentence that says which file; also for stdout."""
    (tmp_path / "full").symlink_to("/dev/full")
    with (
        Path("/dev/full").open("wb") as full,
        start_python(
            [str(REPO / "query_movies.py"), "export", "--format", "csv", "--output", output],
            env={**os.environ, "DATABASE_URL": mirror_url.render_as_string(hide_password=False)},
            cwd=tmp_path,
            stdout=full.fileno() if output == "-" else subprocess.DEVNULL,
        ) as process,
    ):
        _, stderr = process.communicate()

    assert process.returncode == 1
    assert "No space left on device" in stderr
    assert ("stdout" if output == "-" else output) in stderr
    assert "bug" not in stderr


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_nothing_stays_when_a_writer_is_killed(tmp_path: Path, number: signal.Signals):
    """The old file is whole, and no hidden one is beside it, whatever signal it was."""
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
    """It is replaced when everything is written, and not before."""
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
    """Let files without a name get none, as outside Linux."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr("os.link", refuse)


@pytest.mark.parametrize("hinder", [lambda _: None, without_proc], ids=["linux", "elsewhere"])
def test_mode_and_umask_are_kept(
    hinder: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A new file has the usual mode, an old one keeps its own; longer names work, too."""
    hinder(monkeypatch)
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
    """A mount point refuses another file, and so does the folder of another user."""
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
def test_what_cannot_be_written_is_named(name: str, tmp_path: Path):
    """By the name that was given, not by one that nobody knows."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")

    with pytest.raises(OSError, match=name), open_output(tmp_path / name):
        pass
    assert sorted(it.name for it in tmp_path.iterdir()) == ["folder", "loop"]


def test_a_log_goes_where_it_is_sent(database_url: URL, tmp_path: Path):
    """Through a link, into a pipe, to stdout: as other outputs, but appended."""
    log, link, pipe = tmp_path / "log", tmp_path / "link", tmp_path / "pipe"
    log.write_text("before\n")
    link.symlink_to(log)
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
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
