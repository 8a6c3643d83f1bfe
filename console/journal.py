"""Messages for programs and for later: lines of JSON on stdout, a log file."""

import json
import logging
import sys
from contextlib import suppress
from logging.handlers import WatchedFileHandler
from pathlib import Path
from time import gmtime

import click

from console.messages import Message, Reader, in_words


class MessageLines(Reader):
    """Writes each message to stdout as a line of JSON."""

    seconds_between = 1.0

    def __init__(self, *, is_quiet: bool) -> None:
        """Leave out progress if *is_quiet*."""
        self._is_quiet = is_quiet

    def take(self, message: Message) -> None:
        """Write *message*."""
        if not (self._is_quiet and message["message_type"] == "progress"):
            click.echo(json.dumps(message))


class LogFile(Reader):
    """
    Appends to a file; one that was moved away, as by logrotate, is begun anew.

    One that can be written no longer, as on a full disk, is left alone after a word on stderr.
    """

    seconds_between = 30.0

    def __init__(self, path: Path, *, as_json: bool) -> None:
        """
        Open *path*; write JSON, or lines that begin with the time in UTC.

        Raises:
            OSError: it cannot be written.
        """
        self._as_json = as_json
        handler = _Handler(path, encoding="utf-8")
        layout = "%(message)s" if as_json else "%(asctime)sZ %(message)s"
        formatter = logging.Formatter(layout, "%Y-%m-%dT%H:%M:%S")
        formatter.converter = gmtime
        handler.setFormatter(formatter)
        self._logger = logging.Logger("fetch")
        self._logger.addHandler(handler)

    def close(self) -> None:
        """Close the file; it is opened again if there is more to say."""
        for handler in self._logger.handlers:
            with suppress(OSError):  # What could not be written is told.
                handler.close()

    def take(self, message: Message) -> None:
        """Write *message*."""
        self._logger.info("%s", json.dumps(message) if self._as_json else in_words(message))


class _Handler(WatchedFileHandler):
    """Tells once that it cannot write, and then no longer tries."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- the library's name
        """Go on without a log, after the first error."""
        self.setLevel(sys.maxsize)
        click.echo(f"No log any more: {self.baseFilename}: {sys.exc_info()[1]}", err=True)
