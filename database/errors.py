"""What can be wrong with the database, in words for the user."""


class DatabaseNotReady(Exception):
    """
    The database cannot be used as it is.

    The one argument is a sentence or two for the user: what is wrong, what to do.
    It never holds a password.
    """


class InvalidDatabaseUrl(Exception):
    """The database URL cannot be understood; a matter of configuration."""
