"""`start_database_early`: start the embedded server while a command imports its modules."""

import os

#: Variables that name another server; `database.config.read_database_url` reads them.
_VARIABLES = ("DATABASE_URL", "YTS_DATABASE_URL", "DATABASE_URL_FILE")


def start_database_early(database_url: str | None) -> None:
    """Start the embedded server, unless *database_url* or the environment names another one."""
    if database_url or any(map(os.environ.get, _VARIABLES)):
        return
    from database.embedded.server import start_early  # noqa: PLC0415 -- not for other servers

    start_early()
