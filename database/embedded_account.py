"""As whom the embedded PostgreSQL runs: as we do, or as a lesser user when we are root."""

import os
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from database.errors import DatabaseNotReady

try:
    import pwd
except ImportError:  # Windows, which `open_embedded` refuses.
    pwd = None  # type: ignore[assignment]

#: PostgreSQL refuses to run as root; no user is ever created for it.
_LESSER_USERS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system user that the PostgreSQL programs run as."""

    uid: int
    gid: int
    #: What to put before a command so that it runs as this user.
    prefix: tuple[str, ...] = ()
    #: True if `subprocess` has to change to this user.
    is_switched_to: bool = False

    @property
    def may_enter_anything(self) -> bool:
        """
        True if the programs may pass directories that are closed to their user.
        """
        return bool(self.prefix)

    def give(self, path: Path) -> None:
        """Make this user the owner of *path*, which lies in a home of ours."""
        if self.uid != os.geteuid():
            os.chown(path, self.uid, self.gid)


def read_own_name() -> str:
    """
    Return the name of the user we are.

    Raises:
        DatabaseNotReady: the user has only a number, as happens in containers.
    """
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise DatabaseNotReady(
            f"PostgreSQL cannot run as user {os.geteuid()}, who has no name on this system. "
            "Add the user to /etc/passwd, or set DATABASE_URL to a PostgreSQL server."
        ) from None


def choose_account(data: Path, places: Iterable[Path]) -> Account:
    """
    Choose who runs PostgreSQL: the owner of *data* if it exists, who must reach all *places*.

    Nothing is changed to let that user in. Where a directory is closed, the programs get the
    capability to pass it, and only that one (CAP_DAC_OVERRIDE).

    Raises:
        DatabaseNotReady: root has nobody to run PostgreSQL as, or no way to let them in.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    user = _choose_lesser_user(data)
    closed = _find_closed(places, user)
    if closed is None:
        return Account(user.pw_uid, user.pw_gid, is_switched_to=True)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise DatabaseNotReady(
            f"PostgreSQL does not run as root, and user {user.pw_name} may not enter {closed}. "
            "Set YTS_HOME to a directory that this user can enter, install setpriv "
            "(util-linux), or do not run as root."
        )
    ids = ("--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups")
    capabilities = ("--inh-caps", "+dac_override", "--ambient-caps", "+dac_override")
    # Without this, access(2), by which initdb looks for its siblings, would ignore the
    # capability. The exec that follows leaves no other one.
    securebits = ("--securebits", "+no_setuid_fixup")
    prefix = (setpriv, *ids, *capabilities, *securebits, "--")
    return Account(user.pw_uid, user.pw_gid, prefix=prefix)


def _choose_lesser_user(data: Path) -> "pwd.struct_passwd":
    if data.exists():
        owner = data.stat().st_uid
        if owner == 0:
            raise DatabaseNotReady(
                f"{data} belongs to root, but PostgreSQL does not run as root. Give it back to "
                "the user who made it (chown -R), or set YTS_HOME to another directory."
            )
        try:
            return pwd.getpwuid(owner)
        except KeyError:
            raise DatabaseNotReady(
                f"{data} belongs to user {owner}, who does not exist on this system. Give it to "
                f"{' or '.join(_LESSER_USERS)} (chown -R), or set YTS_HOME to another directory."
            ) from None
    for name in _LESSER_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise DatabaseNotReady(
        "PostgreSQL does not run as root, and this system has no user "
        f"{' or '.join(_LESSER_USERS)}. Run as an ordinary user, or set DATABASE_URL."
    )


def _find_closed(places: Iterable[Path], user: "pwd.struct_passwd") -> Path | None:
    """
    Return the first of *places* and their parents that *user* may not enter or execute.

    Goes by mode bits alone: an access list that lets the user in is not seen, one that keeps
    the user out shows when PostgreSQL starts.
    """
    for place in places:
        for path in (*reversed(place.parents), place):
            if not _may_enter(path.stat(), user):
                return path
    return None


def _may_enter(status: os.stat_result, user: "pwd.struct_passwd") -> bool:
    if status.st_uid == user.pw_uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == user.pw_gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)
