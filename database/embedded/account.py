"""`Account`: the user that the embedded PostgreSQL runs as, and that may own a home."""

import contextlib
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from database.errors import DatabaseNotReady

try:
    import pwd
except ImportError:  # Windows, which `open_embedded` refuses.
    pwd = None  # type: ignore[assignment]

#: PostgreSQL refuses to run as root; no user is ever created for it.
_LESSER_USERS = ("postgres", "nobody")
_CAP_DAC_READ_SEARCH = 2


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system user that the PostgreSQL programs run as."""

    uid: int
    gid: int
    #: Prefix of a command that makes it run as this user.
    prefix: tuple[str, ...] = ()
    #: True if `subprocess` has to change to this user.
    is_switched_to: bool = False

    @property
    def may_enter_anything(self) -> bool:
        """
        Return whether the programs may pass through directories that are closed to their user.
        """
        return bool(self.prefix)

    def give(self, path: Path) -> None:
        """Make this user the owner of *path*, which is in a home of the current user."""
        if self.uid != os.geteuid():
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def read_own_name() -> str:
    """
    Return the name of the current user.

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


def name_user(uid: int) -> str:
    """Return the name and the number of a user, for messages."""
    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def check_owner(home: Path, data: Path) -> None:
    """
    Raise if *home* or *data* belongs to another user, who could make this process run programs.

    Raises:
        DatabaseNotReady: the message names the owner and what to do.
    """
    status, us = home.stat(), os.geteuid()
    is_roots_gift = status.st_uid == 0 and os.access(home, os.W_OK)  # as a volume of Kubernetes
    if status.st_uid != us and not is_roots_gift:
        raise DatabaseNotReady(
            f"{home} belongs to another user, {name_user(status.st_uid)}, and this program runs as "
            f"{name_user(us)}. Run it as that user, or set YTS_HOME to a directory of your own."
        )
    if status.st_mode & stat.S_IWOTH:
        raise DatabaseNotReady(
            f"{home} can be written by every user, who could put programs into the database. "
            f"Close it (chmod o-w {home}), or set YTS_HOME to another directory."
        )
    if os.path.lexists(data) and us != 0 and data.stat().st_uid != us:
        raise DatabaseNotReady(
            f"{data} belongs to another user, {name_user(data.stat().st_uid)}. Run as that user, "
            "or set YTS_HOME to a directory of your own."
        )
    if us == 0:
        _choose_lesser_user(data)


def choose_account(home: Path, data: Path, program: Path) -> Account:
    """
    Choose the user to run PostgreSQL as, who must reach all three directories; the owner of *data*,
    if it exists.

    No permissions are changed. If a directory is closed to this user, the programs get the
    capability to pass through it, and no other one.

    Raises:
        DatabaseNotReady: root has no user to run PostgreSQL as, or cannot give it access.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    user = _choose_lesser_user(data)
    closed = _find_closed(home, user) or _find_closed(program, user)
    if closed is None:
        return Account(user.pw_uid, user.pw_gid, is_switched_to=True)
    _refuse_foreign_parents(home)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise DatabaseNotReady(
            f"PostgreSQL does not run as root, and user {user.pw_name} may not enter {closed}. "
            "Set YTS_HOME to a directory that this user can enter, install setpriv "
            "(util-linux), or do not run as root."
        )
    return Account(user.pw_uid, user.pw_gid, prefix=_drop_privileges(setpriv, user, program))


def _drop_privileges(setpriv: str, user: "pwd.struct_passwd", program: Path) -> tuple[str, ...]:
    """Return the prefix of a command that runs as *user*, with one capability at most."""
    # The capability to read is enough to pass through directories, if root has it (in Docker it
    # does not), and if the program itself can be executed.
    may_read = _may_enter(program.stat(), user) and _has_capability(_CAP_DAC_READ_SEARCH)
    capability = "+dac_read_search" if may_read else "+dac_override"
    ids = ("--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups")
    capabilities = ("--inh-caps", capability, "--ambient-caps", capability)
    bounds = ("--bounding-set", f"-all,{capability}", "--no-new-privs")
    # Without this, access(2), with which initdb looks for other programs, would ignore the
    # capability. The following exec drops all others.
    securebits = ("--securebits", "+no_setuid_fixup")
    return (setpriv, *ids, *capabilities, *bounds, *securebits, "--")


def _has_capability(number: int) -> bool:
    status = Path("/proc/self/status").read_text().split()
    return bool(int(status[status.index("CapPrm:") + 1], 16) >> number & 1)


def _refuse_foreign_parents(home: Path) -> None:
    """Raise if another user could replace *home* by a directory of their own."""
    for parent in home.parents:
        status = parent.stat()
        is_open = bool(status.st_mode & stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX
        if status.st_uid != 0 or is_open:
            owner = "every user" if is_open else name_user(status.st_uid)
            raise DatabaseNotReady(
                f"{owner} can replace what is in {parent}, so root keeps no database there. Run "
                "as the owner of that directory, or set YTS_HOME to a directory of root's."
            )


def _choose_lesser_user(data: Path) -> "pwd.struct_passwd":
    names = " or ".join(_LESSER_USERS)
    if os.path.lexists(data):
        owner = data.stat().st_uid
        for name in _LESSER_USERS:
            with contextlib.suppress(KeyError):
                if (user := pwd.getpwnam(name)).pw_uid == owner:
                    return user
        raise DatabaseNotReady(
            f"{data} belongs to {name_user(owner)}, but if root starts PostgreSQL, it runs as "
            f"{names}. Give it back to the user who made it (chown -R), or set YTS_HOME to another "
            "directory."
        )
    for name in _LESSER_USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise DatabaseNotReady(
        f"PostgreSQL does not run as root, and this system has no user {names}. Run as an "
        "ordinary user, or set DATABASE_URL."
    )


def _find_closed(path: Path, user: "pwd.struct_passwd") -> Path | None:
    """
    Return the outermost of *path* and its parents that *user* may not enter or execute.

    Only mode bits are read: an access list that admits the user is ignored, and one that refuses
    the user shows when PostgreSQL starts.
    """
    for directory in (*reversed(path.parents), path):
        if not _may_enter(directory.stat(), user):
            return directory
    return None


def _may_enter(status: os.stat_result, user: "pwd.struct_passwd") -> bool:
    if status.st_uid == user.pw_uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == user.pw_gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)
