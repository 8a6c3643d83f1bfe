"""`Share`: the share of this process in an embedded server, which stops with the last one."""

import atexit
import os

from database.connection.libpq_environment import hide_libpq_environment, restore_libpq_environment
from database.embedded.file_locks import hold_lock, share_again, share_lock, try_lock
from database.embedded.home import Home
from database.embedded.process import ServerProcess


class Share:
    """
    One share in the server of a home.

    The kernel removes the share of a program that is killed. If that was the last share, the guard
    stops the server. The caller of each method except `close` must hold `startup.lock`.
    """

    def __init__(self, home: Home) -> None:
        """Take nothing yet."""
        self.process = ServerProcess(home)
        self._home = home
        self._descriptor: int | None = None

    @property
    def is_open(self) -> bool:
        """Return whether this object has its share."""
        return self._descriptor is not None

    def take(self) -> None:
        """
        Take the share.

        The variables of libpq (PG*) are not in the environment until it is released.
        """
        # It does not wait: the exclusive lock is held only during start-up and closing.
        self._descriptor = share_lock(self._home.users_lock)
        _open_shares.add(self)
        hide_libpq_environment()

    def is_alone(self) -> bool:
        """Return whether no other program uses the home; the startup lock prevents a change."""
        assert self._descriptor is not None  # noqa: S101 -- for the types
        is_alone = try_lock(self._descriptor)
        share_again(self._descriptor)
        return is_alone

    def leave(self) -> None:
        """Release the share, and stop the server if no other process has one."""
        try:
            # Changing the shared lock to an exclusive one takes two steps, but no process can lock
            # in between.
            if self._descriptor is not None and try_lock(self._descriptor):
                self.process.stop()
        finally:
            self.drop()

    def close(self) -> None:
        """Close the share; closing the last one stops the server, also during a query."""
        if self._descriptor is None:
            return
        try:
            with hold_lock(self._home.startup_lock):
                self.leave()
        except FileNotFoundError:
            # The home was deleted; PostgreSQL ends by itself when it notices.
            self.drop()

    def drop(self) -> None:
        """Release the share, and let the server run."""
        _open_shares.discard(self)
        self.process.forget_address()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            restore_libpq_environment()


#: The open shares of this process.
_open_shares: set[Share] = set()


@atexit.register
def _close_all() -> None:
    for share in list(_open_shares):
        share.close()


def _forget_all() -> None:
    """Remove all shares in a forked child, so that it neither keeps nor stops a server."""
    for share in list(_open_shares):
        share.drop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
