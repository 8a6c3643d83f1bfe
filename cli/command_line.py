"""`shown_command` and `suggest_command`: command lines to show and store, passwords masked."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from cli.masked_urls import masked_database_url, masked_ping_url, masked_url

_SCRIPTS_FOLDER = Path(__file__).parent.parent
#: Options that may contain a secret, each with the function that masks it.
MASKS = {
    "--database-url": masked_database_url,
    "--api-url": masked_url,
    "--ping": masked_ping_url,
}
#: Options that choose the mirror: a suggested command needs them too.
_OF_EVERY_COMMAND = ("--database-url",)
_OF_A_FETCH = ("--database-url", "--api-url", "--sandbox")


def shown_command(script: str, arguments: Sequence[str] = ()) -> str:
    """Return the command line that runs *script* with *arguments*, passwords masked."""
    path = _shortest(_SCRIPTS_FOLDER / script)
    return shlex.join([_interpreter(), path, *safe_arguments(arguments)])


def suggest_command(script: str, *arguments: str) -> str:
    """Return the command line that runs *script* on the mirror of the current command."""
    names = _OF_A_FETCH if script == "fetch_yts_data.py" else _OF_EVERY_COMMAND
    return shown_command(script, [*arguments, *_kept(sys.argv[1:], names)])


def safe_arguments(arguments: Sequence[str]) -> list[str]:
    """Return *arguments* with the secrets in URLs masked."""
    safe: list[str] = []
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in MASKS and equals:
            safe.append(f"{name}={MASKS[name](value)}")
        elif position and (mask := MASKS.get(arguments[position - 1])):
            safe.append(mask(argument))
        else:
            # The name of a file may have bytes that no terminal shows, and no database stores.
            safe.append(argument.encode(errors="replace").decode())
    return safe


def without_options(arguments: Sequence[str], names: Mapping[str, bool]) -> list[str]:
    """Return *arguments* without the options *names*, each with whether a value follows."""
    left: list[str] = []
    is_value = False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        if is_value:
            is_value = False
        elif name in names:
            is_value = names[name] and not equals
        else:
            left.append(argument)
    return left


def _kept(typed: Sequence[str], names: Sequence[str]) -> list[str]:
    kept: list[str] = []
    for argument, following in zip_longest(typed, typed[1:], fillvalue=""):
        name, equals, _ = argument.partition("=")
        if name in names:
            takes_next = not equals and name in MASKS
            kept += [argument, following] if takes_next else [argument]
    return kept


def _shortest(path: Path) -> str:
    return min(os.path.relpath(path), str(path), key=len)


def _interpreter() -> str:
    """Return the shortest name of this Python: in a fresh virtual environment not `python`."""
    if shutil.which("python") == sys.executable:
        return "python"
    relative = os.path.relpath(sys.executable)
    return sys.executable if relative.startswith("..") else relative
