"""`hide_libpq_environment`: keep libpq's variables (PG*) away from the embedded server."""

import os

_hidden: dict[str, str] = {}
_users = 0


def hide_libpq_environment() -> None:
    """
    Remove all variables of libpq from the environment, until as many calls of `restore_...`.

    They are meant for other servers. libpq has no way to ignore them for one connection, and
    the programs that a process starts inherit what it has.
    """
    global _users  # noqa: PLW0603 -- the environment is the process's as well
    _users += 1
    for name in [name for name in os.environ if name.startswith("PG")]:
        _hidden[name] = os.environ.pop(name)


def restore_libpq_environment() -> None:
    """Undo one `hide_libpq_environment`; the last one brings the variables back."""
    global _users  # noqa: PLW0603
    _users -= 1
    if _users == 0:
        os.environ.update(_hidden)
        _hidden.clear()
