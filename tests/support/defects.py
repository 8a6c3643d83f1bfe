"""`break_function`, `plant_defect`: let a function of the product raise an error."""

import importlib
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.paths import REPO


def break_function(
    monkeypatch: pytest.MonkeyPatch, function: str, message: str = "a defect"
) -> None:
    """Let *function*, such as `ingest.fetch.read_list`, raise a KeyError in this process."""
    module, inner, name = _split(function)
    owner = importlib.import_module(module)

    def broken(*_: object, **__: object) -> NoReturn:
        raise KeyError(message)

    monkeypatch.setattr(getattr(owner, inner) if inner else owner, name, broken)


def plant_defect(folder: Path, function: str, message: str = "a defect") -> dict[str, str]:
    """
    Return the environment of a command in which *function* raises, in its workers as well.

    Python runs `sitecustomize` from *folder* before anything else, so that each process of the
    command starts from scratch. `break_function` costs less.
    """
    module, inner, name = _split(function)
    target = f"module.{inner}" if inner else "module"
    (folder / "sitecustomize.py").write_text(
        f"import importlib\nmodule = importlib.import_module({module!r})\n"
        f"def broken(*_, **__):\n    raise KeyError({message!r})\n"
        f"{target}.{name} = broken\n"
    )
    return {"PYTHONPATH": f"{folder}:{REPO}"}


def _split(function: str) -> tuple[str, str, str]:
    """Split `package.module:Class.name` or `package.module.name` into its three parts."""
    owner, _, name = function.rpartition(".")
    module, _, inner = owner.partition(":")
    return module, inner, name
