"""
`DatabaseNotReady` and its subclasses: errors of the database, with messages for the user.

DatabaseNotReady    the run ends: something must be done about the database
|-- NoDataYet       the embedded server has no data; a command that only looks makes none
|-- DatabaseAway    repeat for a while: it may pass by itself
`-- RowRefused      leave this row out: PostgreSQL objects to what it says
InvalidDatabaseUrl  the configuration is wrong
FetchLockHeld, RunTakenOver  another fetch is at work
SourceMismatch      practice data would replace the real catalogue
"""


class DatabaseNotReady(Exception):
    """
    The database cannot be used as it is.

    Its text is a message for the user: what is wrong and what to do. It never contains a password.
    """


class NoDataYet(DatabaseNotReady):
    """The embedded server has no data yet, and must not create any."""


class DatabaseAway(DatabaseNotReady):
    """The database cannot be used now; that may pass without any action."""


class RowRefused(DatabaseNotReady):
    """PostgreSQL refuses the values of a row; other rows may be accepted."""

    def __init__(self, error_class: str, message: str) -> None:
        """Take the reason for the ledger, which must not contain a password."""
        super().__init__(error_class, message)
        self.error_class = error_class
        self.message = message

    def __str__(self) -> str:
        """Return the message for rows of the mirror's own tables, which belong to no movie."""
        return (
            f"The database refuses a row of the bookkeeping tables: {self.message}. Remove the "
            "constraint or trigger that does so; then run the same command again."
        )


class InvalidDatabaseUrl(Exception):
    """The database URL cannot be parsed: the configuration is wrong."""


class FetchLockHeld(Exception):
    """Another fetch is running on this database; the argument says since when."""


class RunTakenOver(Exception):
    """Another fetch has begun since, so this one must not save anything more."""


class SourceMismatch(Exception):
    """The database holds the real catalogue and must not be filled with practice data."""
