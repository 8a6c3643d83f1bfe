"""`CLIENTS`, `install_clients`: published clients of the YTS API, installed in a folder."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SECONDS_TO_END = 600
#: Said where an installation fails.
_NETWORK = "(this needs a network, or a local package index)"


class NotPossible(Exception):
    """A client cannot be installed or run; the message says why."""


@dataclass(frozen=True, slots=True)
class Client:
    """A published client and the driver that makes its calls."""

    name: str
    version: str
    language: Literal["Python", "JavaScript"]
    driver: str
    #: Whether it shows torrents, so that movies without torrents do not appear.
    is_flat: bool = False


CLIENTS = (
    Client("yipy", "1.0.0", "Python", "drive_yipy.py"),
    Client("torrent-hound", "3.2.4", "Python", "drive_torrent_hound.py", is_flat=True),
    Client("flexget", "3.22.8", "Python", "drive_flexget.py", is_flat=True),
    Client("yts-cli", "0.1.0", "Python", "drive_yts_cli.py"),
    Client("yify-api", "1.1.3", "JavaScript", "drive_yify_api.cjs"),
    Client("yts", "2.0.1", "JavaScript", "drive_yts.cjs"),
)
#: FlexGet needs three times as much as its plugin `yts`, which needs these.
_WITHOUT_DEPENDENCIES = {"flexget"}
_FOR_FLEXGET = (
    "beautifulsoup4~=4.12", "jinja2~=3.1", "jsonschema~=4.23", "loguru~=0.7.3", "packaging~=26.0",
    "pendulum~=3.0", "psutil~=7.0", "pyyaml~=6.0", "requests~=2.32", "rich~=15.0", "rpyc~=6.0",
    "sqlalchemy~=2.0", "typing-extensions>=4.16",
)  # fmt: skip


class Installs:
    """Installs clients in a folder, once, and runs their drivers."""

    def __init__(self, folder: Path) -> None:
        """Install nothing yet."""
        self._venv, self._node = folder / "venv", folder / "node"
        self._python = self._venv / "bin" / "python"

    def install(self, language: str) -> None:
        """
        Install all clients of *language*.

        Raises:
            NotPossible: a program or the network is missing.
        """
        clients = [client for client in CLIENTS if client.language == language]
        if language == "Python":
            self._install_python(clients)
        else:
            self._install_node(clients)

    def _install_python(self, clients: Sequence[Client]) -> None:
        if not self._python.exists():
            run([sys.executable, "-m", "venv", str(self._venv)], "make a virtual environment")
        alone = [client for client in clients if client.name in _WITHOUT_DEPENDENCIES]
        whole = [client for client in clients if client not in alone]
        for options, group, others in ((("--no-deps",), alone, ()), ((), whole, _FOR_FLEXGET)):
            packages = [f"{client.name}=={client.version}" for client in group]
            command = [str(self._python), "-m", "pip", "install", "-q", "--retries", "1", *options]
            run([*command, *packages, *others], f"install {', '.join(packages)} {_NETWORK}")

    def _install_node(self, clients: Sequence[Client]) -> None:
        if missing := [name for name in ("node", "npm") if shutil.which(name) is None]:
            raise NotPossible(f"{' and '.join(missing)} not found: install Node.js 16 or newer")
        packages = [f"{client.name}@{client.version}" for client in clients]
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")
        command = ["npm", "install", *options, "--prefix", str(self._node), *packages]
        run(command, f"install {', '.join(packages)} {_NETWORK}")

    def drive(self, client: Client, plan: str, mirror: str) -> str:
        """
        Run the driver of *client* with *plan*; return what it prints.

        Each request that names another host than *mirror*, a root URL, is sent there.

        Raises:
            NotPossible: the driver ended with an error.
        """
        drivers = Path(__file__).parent / "client_drivers"
        redirect, driver = drivers / "redirect", str(drivers / client.driver)
        environment = {"MIRROR_URL": mirror, "NO_PROXY": "*", "no_proxy": "*"}
        if client.language == "Python":
            command = [str(self._python), driver, plan]
            environment["PYTHONPATH"] = str(redirect)
        else:
            command = ["node", "--require", str(redirect / "redirect.cjs"), driver, plan]
            environment["NODE_PATH"] = str(self._node / "node_modules")
        return run(command, f"run {client.name}", environment)


def run(command: list[str], purpose: str, environment: Mapping[str, str] | None = None) -> str:
    """
    Run *command* with *environment* on top of the user's, and return its stdout.

    Raises:
        NotPossible: it ended with an error, or took too long.
    """
    users = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        done = subprocess.run(
            command,
            env={**users, **(environment or {})},
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS_TO_END,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotPossible(f"cannot {purpose}: no end after {SECONDS_TO_END} s") from error
    if done.returncode != 0:
        raise NotPossible(f"cannot {purpose}: {_shorten(done.stderr)}")
    return done.stdout


def _shorten(stderr: str) -> str:
    """Return the first and the last lines of an error, without the warnings before it."""
    lines = [line for line in stderr.splitlines() if line and "warn" not in line[:10].lower()]
    if len(lines) > 8:
        lines[4:-4] = ["..."]
    return "\n".join(lines)
