"""Planting a defect into a real command, to see what it says of itself."""

from pathlib import Path

from tests.support.paths import REPO


def plant_defect(folder: Path, function: str, message: str = "a defect") -> dict[str, str]:
    """
    Return the environment in which *function* of ours raises, in workers too.

    Python runs `sitecustomize` before anything else.
    """
    owner, _, name = function.rpartition(".")
    module, _, inner = owner.partition(":")
    target = f"module.{inner}" if inner else "module"
    (folder / "sitecustomize.py").write_text(
        f"import importlib\nmodule = importlib.import_module({module!r})\n"
        f"def broken(*_, **__):\n    raise KeyError({message!r})\n"
        f"{target}.{name} = broken\n"
    )
    return {"PYTHONPATH": f"{folder}:{REPO}"}
