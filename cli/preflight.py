"""
Imported first by every command: report missing libraries, replace closed streams, and show no
traceback for Ctrl-C. `importing`: import the modules of a command quickly.

It runs on any Python since 3.6, and imports nothing that has to be installed.
"""

import gc
import importlib.util
import os
import sys
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: New objects after which Python looks for garbage; by itself, after 700.
_OBJECTS_A_SEARCH = 50_000


def show_error(
    kind: "type[BaseException]", error: BaseException, traceback: "TracebackType | None"
) -> None:
    """Show an error that nothing handles, as Python does, but not Ctrl-C during the imports."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)


# The process ends by the signal, which is 130 in a shell.
sys.excepthook = show_error

if sys.version_info < (3, 11):  # noqa: UP036 -- users may have an older one
    sys.exit(
        f"Error: this needs Python 3.11 or newer, and runs on {sys.version.split()[0]} "
        f"({sys.executable}). Make the virtual environment with a newer one."
    )
if importlib.util.find_spec("click") is None:
    sys.exit(
        f"Error: click is not installed for {sys.executable}. Activate the virtual environment, or "
        f"install what is needed: {sys.executable} -m pip install -r requirements.txt"
    )


def missing_library(name: object) -> str:
    """Return the message for a library that is not installed."""
    install = f"{sys.executable} -m pip install -r requirements.txt"
    return f"Error: {name} is not installed. Install what is needed with: {install}"


@contextmanager
def importing() -> "Iterator[None]":
    """
    Import modules in this block without a search for garbage, and exempt them from later searches.

    Modules create hundreds of thousands of objects and hardly any garbage. Searching them again and
    again takes a fifth of the time. Later searches are rare: reference counts free nearly all.
    """
    modules, was_enabled = len(sys.modules), gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > modules:
            gc.freeze()
            gc.set_threshold(_OBJECTS_A_SEARCH)
        if was_enabled:
            gc.enable()


# Read by numpy when it is imported. Its threads wait for each other by spinning, which takes many
# times as long as the work for one query if other processes use the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A stream that was closed, for example by `>&-`, is None. The next file or connection that is
# opened would get its descriptor, and printed text would be written into it.
for _name, _mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
    if getattr(sys, _name) is None:
        setattr(sys, _name, open(os.devnull, _mode))  # noqa: PTH123, SIM115 -- stays open
