"""`hide_libpq_environment`: keep libpq's variables (PG*) away from the embedded server."""

import os

_hidden: dict[str, str] = {}
_users = 0


def hide_libpq_environment() -> None:
    """
    Remove all variables of libpq from the environment, until each call is undone.

    They are meant for other servers. libpq cannot ignore them for a single connection, and programs
    that this process starts would inherit them.
    """
    global _users  # noqa: PLW0603 -- the environment is the process's as well
    _users += 1
    for name in [name for name in os.environ if name.startswith("PG")]:
        _hidden[name] = os.environ.pop(name)


def restore_libpq_environment() -> None:
    """Undo one call of `hide_libpq_environment`; the last one restores the variables."""
    global _users  # noqa: PLW0603
    _users -= 1
    if _users == 0:
        os.environ.update(_hidden)
        _hidden.clear()
