"""`MessageLines` and `LogFile`: write messages as JSON Lines to stdout, and to a log file."""

import logging
import sys
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from pathlib import Path
from time import gmtime

import click

from cli.display.events import Message, Sink, in_words
from cli.output import open_stream
from yts.printable import json_line


class MessageLines(Sink):
    """Writes each message to stdout as a line of JSON."""

    seconds_between = 1.0

    def __init__(self, *, is_quiet: bool) -> None:
        """Leave out progress if *is_quiet*."""
        self._is_quiet = is_quiet

    def handle(self, message: Message) -> None:
        """Write *message*."""
        if not (self._is_quiet and message["message_type"] == "progress"):
            click.echo(json_line(message))


class LogFile(Sink):
    """
    Appends to a file, and creates a new one if it was moved away, for example by logrotate.

    `-`, pipes and devices are written to directly. After an error, such as a full disk, nothing
    more is written, and stderr says so once.
    """

    seconds_between = 30.0

    def __init__(self, path: Path, *, as_json: bool) -> None:
        """
        Open *path*; write JSON, or lines that begin with the time in UTC.

        Raises:
            OSError: it cannot be written.
        """
        self._as_json = as_json
        handler = _open_handler(path)
        layout = "%(message)s" if as_json else "%(asctime)sZ %(message)s"
        formatter = logging.Formatter(layout, "%Y-%m-%dT%H:%M:%S")
        formatter.converter = gmtime
        handler.setFormatter(formatter)
        self._logger = logging.Logger("fetch")
        self._logger.addHandler(handler)

    def close(self) -> None:
        """Close the file; it is opened again for later messages."""
        for handler in self._logger.handlers:
            with suppress(OSError):  # The error was reported when it occurred.
                handler.close()

    def handle(self, message: Message) -> None:
        """Write *message*."""
        self._logger.info("%s", json_line(message) if self._as_json else in_words(message))


class _SaysOnce(logging.Handler):
    """Reports the first error on stderr, and writes nothing after it."""

    path: Path

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- the library's name
        """Report the error, and continue without a log."""
        self.setLevel(sys.maxsize)
        click.echo(f"No log any more: {self.path}: {sys.exc_info()[1]}", err=True)


class _FileHandler(_SaysOnce, WatchedFileHandler):
    """Appends to a regular file."""


class _StreamHandler(_SaysOnce, logging.StreamHandler[TextIOWrapper]):
    """Writes to a pipe, a device or stdout."""


def _open_handler(path: Path) -> _SaysOnce:
    stream = open_stream(path)
    handler = (
        _FileHandler(path, encoding="utf-8", errors="replace")
        if stream is None
        else _StreamHandler(TextIOWrapper(stream, encoding="utf-8", errors="replace"))
    )
    handler.path = path
    return handler
