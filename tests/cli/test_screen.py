"""Output for narrow terminals and closed streams, and arguments that are not text."""

import errno
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import URL

from cli.display.bars import Bars, bar_format
from cli.display.events import EventStream, Message, Sink
from cli.display.tables import write_table
from cli.display.terminal import fitted
from database.connection.report_waits import report_waits
from database.connection.waits import waiting_for
from database.db import DatabaseManager
from tests.support.data.examples import examples
from tests.support.paths import REPO
from tests.support.processes.commands import HERE, call, environment, run, start
from tests.support.processes.programs import run_program
from tests.support.waiting import wait_until

HELP = [
    ("fetch_yts_data.py",), ("monitor_progress.py",), ("test_db_connection.py",),
    ("query_movies.py",), ("query_movies.py", "search"), ("query_movies.py", "export"),
    ("embed_movies.py",), ("database_shell.py",), ("-m", "sandbox"),
]  # fmt: skip
OUTCOMES = {"saved": "new", "updated": "updated", "unchanged": "unchanged", "skipped": "skipped",
            "missing": "missing", "failed": "failed"}  # fmt: skip


def progress(done: int, total: int, **counts: int) -> dict[str, Any]:
    """Return a progress message."""
    return {
        "message_type": "progress",
        "phase": "details",
        "done": done,
        "total": total,
        "counts": counts,
        "eta_seconds": None,
    }


@examples(200)
@given(
    done=st.integers(0, 10_000_000),
    more=st.integers(0, 10_000_000),
    counts=st.dictionaries(st.sampled_from(list(OUTCOMES)), st.integers(0, 10_000_000)),
    columns=st.integers(1, 200),
)
def test_no_number_of_a_bar_is_cut(done: int, more: int, counts: dict[str, int], columns: int):
    """A bar shows each number completely or not at all, and is not wider than the terminal."""
    drawn = bar_format(progress(done, done + more, **counts), "11:54:03", columns)
    width = int(match[1]) if (match := re.search(r"\{bar:(\d+)\}", drawn)) else 0
    line = re.sub(r"\{bar:\d+\}", "#" * width, drawn)

    assert len(line) <= max(columns, len("100%"))
    for label, number in re.findall(
        r"(new|updated|unchanged|skipped|missing|failed) ([\d,]+)", line
    ):
        (outcome,) = (name for name, shown in OUTCOMES.items() if shown == label)
        assert number.rstrip(",") == f"{counts[outcome]:,}"
    if "/" in line:
        assert f"{done:,}/{done + more:,}" in line
    if columns >= 79 and counts.get("failed"):
        assert f"failed {counts['failed']:,}" in line


def test_a_bar_shows_all_usual_numbers_at_80_columns():
    """The remaining time is shown once it is known."""
    line = bar_format(progress(27_000, 77_500, saved=27_000, failed=4), "11:54:03", 79)

    assert line == "details  34% |{bar:13}| 27,000/77,500, 11:54:03 left, new 27,000, failed 4"
    assert "left" not in bar_format(progress(27_000, 77_500), "", 79)


class Terminal:
    """A terminal whose width can change, with everything that was written to it."""

    def __init__(self, columns: int) -> None:
        self._master, slave = pty.openpty()
        self.stream = os.fdopen(slave, "w")
        self.resize(columns)
        self._written = bytearray()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def resize(self, columns: int) -> None:
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(self.stream, termios.TIOCSWINSZ, size)

    def _read(self) -> None:
        try:
            while part := os.read(self._master, 10_000):
                self._written += part
        except OSError:
            pass  # On Linux: the other side is closed.

    def close(self) -> str:
        self.stream.close()
        self._reader.join(timeout=30)
        os.close(self._master)
        return self._written.decode()


def test_a_bar_stays_in_its_line_when_the_terminal_becomes_narrower(
    monkeypatch: pytest.MonkeyPatch,
):
    """Each drawing fits the current width of the terminal."""
    terminal = Terminal(80)
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    bars = Bars()
    for number in range(1, 60):
        if number == 30:
            terminal.resize(40)
            terminal.stream.write("[narrow]")
        bars.handle(progress(number * 1000, 77_500, saved=number * 1000, failed=4))
    bars.close()

    wide, narrow = terminal.close().split("[narrow]")
    drawn = [line for line in re.split(r"[\r\n]+", narrow.replace("\x1b[A", "")) if line.strip()]
    assert "failed 4" in wide
    assert len(drawn) > 5
    assert max(len(line.rstrip()) for line in drawn) < 40
    assert narrow.count("\n") <= 2


@examples(100)
@given(st.lists(st.text("abcdefgh", min_size=1, max_size=12), max_size=60), st.integers(20, 100))
def test_text_is_broken_between_words(words: list[str], columns: int):
    """No line is wider than the terminal and no word is broken; text for files is not changed."""
    terminal = Terminal(columns)
    try:
        text = "  name  " + " ".join(words)
        lines = fitted(text, terminal.stream).splitlines()
        commands = "Done.\nNext:\n" + " ".join(["x" * 30] * 9)
        assert fitted(commands, terminal.stream) == commands
    finally:
        terminal.close()

    assert max(map(len, lines), default=0) <= columns
    assert " ".join(lines).split() == text.split()
    with Path(os.devnull).open("w") as file:
        assert fitted(text, file) == text


ROWS = [
    {"id": 12, "title": "The Matrix Reloaded", "year": 2003, "genres": "Action, Adventure, Sci-Fi",
     "why": "Action, Sci-Fi; Carrie-Anne Moss; 4 years apart; matrix, machines~machine"},
    {"id": 77, "title": "Ĝis revido 七人の侍", "year": None, "genres": "", "why": "saved~save"},
]  # fmt: skip


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 100, 200])
def test_tables_break_no_word(columns: int, monkeypatch: pytest.MonkeyPatch):
    """Rows that are too wide for a table are written as a list."""
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal(columns)
    monkeypatch.setattr(sys, "stdout", terminal.stream)

    write_table(ROWS)

    lines = re.sub(r"\x1b\[[\d;]*m", "", terminal.close()).splitlines()
    assert max(map(len, lines)) <= columns
    words = {word for row in ROWS for cell in row.values() for word in str(cell or "").split()}
    assert words <= set(" ".join(lines).split())


def test_help_fits_80_columns():
    """A terminal would break longer lines within words."""
    for command in HELP:
        done = run_program([sys.executable, *command, "--help"], {"COLUMNS": "80"}, REPO)

        assert done.returncode == 0, command
        assert max(map(len, done.stdout.splitlines())) < 80, command
        assert "None, None" not in done.stdout, command


def test_a_long_start_is_reported_before_other_waits():
    """
    The first start takes about ten seconds, and prints nothing else at a terminal.
    """
    messages: list[str] = []
    with (
        report_waits(messages.append),
        waiting_for("the start", seconds=0.0),
        waiting_for("something else"),
    ):
        wait_until(lambda: messages, "a message")

    assert messages == ["Waiting for the start."]


LONG = pytest.mark.long


def in_shell(command: str, url: URL) -> Any:
    """Run a command line as a shell does."""
    values = environment(DATABASE_URL=url.render_as_string(hide_password=False))
    return subprocess.run(
        ["bash", "-c", f"{sys.executable} {REPO}/{command}"],
        env=values,
        cwd=HERE,
        capture_output=True,
        check=False,
        timeout=100,
    )


@pytest.mark.parametrize(
    "closed", [*(pytest.param(it, marks=LONG) for it in (">&-", "2>&-", "<&-")), ">&- 2>&- <&-"]
)
def test_a_fetch_with_closed_streams_stores_everything(
    closed: str, db: DatabaseManager, database_url: URL
):
    """It writes into no connection that has the number of a closed stream."""
    done = in_shell(
        f"fetch_yts_data.py --sandbox --no-details --max-pages 2 {closed}", database_url
    )

    assert b"bug" not in done.stderr
    assert done.returncode == 0, done.stderr
    assert db.get_stats()["total_movies"] == 100


class Broken(Sink):
    """Raises an OSError for each message."""

    def __init__(self, number: int) -> None:
        self.error = OSError(number, os.strerror(number))
        self.handled = 0

    def handle(self, message: Message) -> None:
        self.handled += 1
        raise self.error


def test_a_closed_output_gets_no_more_messages():
    """A closed terminal or pipe is left out after its first error; a full disk is an error."""
    closed, full = [Broken(errno.EPIPE), Broken(errno.EIO)], Broken(errno.ENOSPC)
    messages = EventStream(closed)
    for _ in range(3):
        messages.note("x")

    assert [sink.handled for sink in closed] == [1, 1]
    with pytest.raises(OSError, match="No space left"):
        EventStream([full]).note("x")


@pytest.mark.parametrize(
    "options", [("--json",), pytest.param(("--json", "-v"), marks=LONG), ("-v",)], ids=" ".join
)
def test_a_fetch_continues_when_its_reader_closes_the_pipe(
    options: tuple[str, ...], db: DatabaseManager, database_url: URL
):
    """`| head` closes the pipe early, and all movies are stored."""
    source = ("--sandbox", "--no-details", "--max-pages", "2")
    process = start("fetch_yts_data.py", *source, *options, url=database_url)
    process.stdout.close()
    process.stderr.close()

    assert process.wait(timeout=100) == 0
    assert db.get_stats()["total_movies"] == 100


@pytest.mark.parametrize(
    ("command", "closed"),
    [
        ("query_movies.py top", ">&-"),
        pytest.param("monitor_progress.py --once", "<&-", marks=LONG),
        ("test_db_connection.py", ">&- 2>&- <&-"),
        pytest.param("query_movies.py top", "2>&-", marks=LONG),
        pytest.param("query_movies.py top", "<&-", marks=LONG),
        pytest.param("query_movies.py top", ">&- 2>&- <&-", marks=LONG),
        pytest.param("monitor_progress.py --once", ">&-", marks=LONG),
        pytest.param("monitor_progress.py --once", "2>&-", marks=LONG),
        pytest.param("monitor_progress.py --once", ">&- 2>&- <&-", marks=LONG),
        pytest.param("test_db_connection.py", ">&-", marks=LONG),
        pytest.param("test_db_connection.py", "2>&-", marks=LONG),
        pytest.param("test_db_connection.py", "<&-", marks=LONG),
    ],
)
def test_closed_streams_are_not_a_bug(command: str, closed: str, mirror_url: URL):
    """Output for a closed stream is dropped."""
    done = in_shell(f"{command} {closed}", mirror_url)

    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    "arguments",
    [
        (b"query_movies.py", b"search", b"caf\xe9"),
        (b"query_movies.py", b"show", b"\xff"),
        (b"query_movies.py", b"top", b"--genre", b"\xff"),
        (b"fetch_yts_data.py", b"--ids", b"\xff"),
        (b"fetch_yts_data.py", b"--sandbox", b"--api-url", b"http://\xff"),
        (b"monitor_progress.py", b"--database-url", b"postgresql://\xff"),
    ],
)
def test_bytes_that_are_not_text_are_a_usage_error(arguments: tuple[bytes, ...], mirror_url: URL):
    """They are refused with a message and exit code 2, before anything is opened."""
    # Python decodes the arguments of a command in the same way.
    done = run(*map(os.fsdecode, arguments), url=mirror_url)

    assert done.returncode == 2
    assert "bug" not in done.stderr
    assert "Error: " in done.stderr


def test_file_names_may_contain_any_bytes(database_url: URL, tmp_path: Path):
    """Bytes that are not text are replaced where the command line is stored and shown."""
    name = os.fsencode(tmp_path) + b"/caf\xe9"
    path = os.fsdecode(name)
    fetch = call("fetch_yts_data.py", "--sandbox", "--no-details", "--max-pages", "1",
                 "--log-file", f"{path}.log", url=database_url)  # fmt: skip
    export = call("query_movies.py", "export", "--output", f"{path}.csv", url=database_url)

    assert (fetch.returncode, export.returncode) == (0, 0)
    names = sorted(os.fsencode(file.name) for file in tmp_path.iterdir())
    assert names == [b"caf\xe9.csv", b"caf\xe9.log"]
    assert b"/caf?.log" in Path(f"{path}.log").read_bytes()
