"""`Duration`, `Parsed`, paths: option types; `Command`: the class of all commands."""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import click

from cli.dotenv_file import blame_variable, read_settings_file, warn_of_unknown_settings
from cli.masked_text import masked
from cli.preflight import missing_library
from ingest.exit_codes import ExitCode

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_CENTURY = 100 * 365 * _UNITS["d"]

Value = TypeVar("Value")


class Duration(click.ParamType[timedelta]):
    """A duration such as 45s, 90m, 26h, 30d or 2w, or a number of seconds; a timedelta."""

    name = "duration"

    def __init__(self, shortest: float = 1, longest: float = _CENTURY) -> None:
        """Refuse durations outside these limits, in seconds."""
        self._shortest, self._longest = shortest, longest

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read the text, or refuse it with an example."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"([0-9]+(?:\.[0-9]{1,3})?)\s?([smhdw]?)", str(value).strip().lower())
        if match is None:
            example = "use for example 45s, 90m, 26h or 30d"
            self.fail(f"{value!r} is not a duration; {example}", param, ctx)
        seconds = float(match[1]) * _UNITS[match[2] or "s"]
        if not self._shortest <= seconds <= self._longest:
            limits = f"{_in_a_unit(self._shortest)} to {_in_a_unit(self._longest)}"
            self.fail(f"{value!r} is not within {limits}", param, ctx)
        return timedelta(seconds=seconds)


def _in_a_unit(seconds: float) -> str:
    """Return *seconds* as a user reads limits: 0.1 s, 600 s, 36,500 days."""
    days = seconds / _UNITS["d"]
    return f"{days:,g} days" if days > 1 else f"{seconds:,g} s"


class Parsed(click.ParamType[Value]):
    """A text that a function turns into a value; the message of its ValueError is shown."""

    def __init__(self, name: str, parse: Callable[[str], Value]) -> None:
        """Call the type *name* in messages, and read texts with *parse*."""
        self.name = name
        self._parse = parse

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Value:
        """Read the text, or refuse it."""
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _WrittenFile(click.Path):
    """A file that a command writes; an empty name would mean the working directory."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, or refuse an empty text."""
        if value == "":
            self.fail("the name of the file is empty", param, ctx)
        return super().convert(value, param, ctx)


#: A file that a command reads; its absolute path, as a string.
READ_FILE = click.Path(exists=True, dir_okay=False, readable=True, resolve_path=True)
#: A file that a command writes; `-` is stdout.
WRITTEN_FILE = _WrittenFile(dir_okay=False, readable=False, allow_dash=True, path_type=Path)


def exit_codes_epilog(
    codes: Iterable[ExitCode],
    changes: Mapping[ExitCode, str] = MappingProxyType({}),
    *,
    ending: str = "",
) -> str:
    """
    Return the exit codes of a command for the end of its help.

    *changes* replaces descriptions where a code means something more special in this command.
    """
    listed = "; ".join(f"{code} {changes.get(code, code.description)}" for code in codes)
    return f"\nExit codes: {listed}{ending}.\n"


_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Command(click.Command):
    """A command that reads `.env`, and whose usage errors show no password."""

    def __init__(
        self, name: str | None, context_settings: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        """Add what all commands have in common to *context_settings*."""
        super().__init__(name, {**_SETTINGS, **(context_settings or {})}, **options)

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Read the command line, and `.env` before it."""
        read_settings_file()
        try:
            context = super().make_context(*arguments, **options)
            for param in self.get_params(context):
                _check_text(param, context)
            return context
        except click.UsageError as error:
            raise _without_secrets(error, error.ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, after a warning about variables that no command knows."""
        warn_of_unknown_settings()
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise _without_secrets(error, ctx) from None
        # Errors and signals during imports; later, `report_errors` and `leave_on_signals` handle
        # them.
        except ModuleNotFoundError as error:
            sys.stderr.write(f"{missing_library(error.name)}\n")
            raise SystemExit(ExitCode.FATAL) from None
        except KeyboardInterrupt:
            raise SystemExit(ExitCode.INTERRUPTED) from None


def _check_text(param: click.Parameter, context: click.Context) -> None:
    """Refuse bytes that are not UTF-8, except in names of files, which may have any."""
    value = context.params.get(param.name or "")
    if isinstance(param.type, click.Path):
        return
    for text in value if isinstance(value, tuple) else (value,):
        if isinstance(text, str) and text.encode(errors="replace").decode() != text:
            raise click.BadParameter("the text is not valid UTF-8", context, param)


def _without_secrets(error: click.UsageError, context: click.Context | None) -> click.UsageError:
    """Return *error* without passwords, and with the name of the variable that is wrong."""
    if isinstance(error, click.BadParameter) and context is not None:
        return click.UsageError(masked(blame_variable(error, context)), context)
    return click.UsageError(masked(error.format_message()), context)
