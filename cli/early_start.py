"""`start_database_early`: start the embedded server while a command imports its modules."""

import os

from database.connection.env_file import URL_FILE_VARIABLE, URL_VARIABLES


def uses_embedded_server(database_url: str | None) -> bool:
    """Return whether neither *database_url* nor the environment names another server."""
    return not (database_url or any(map(os.environ.get, (*URL_VARIABLES, URL_FILE_VARIABLE))))


def start_database_early(database_url: str | None) -> None:
    """Start the embedded server, if the command will use it."""
    if uses_embedded_server(database_url):
        from database.embedded.server import start_early  # noqa: PLC0415 -- not for other servers

        start_early()
