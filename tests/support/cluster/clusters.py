"""`LocalCluster`: a Dask scheduler and workers as processes of this machine."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from tests.support.paths import REPO
from tests.support.processes.fork_server import start_python
from tests.support.waiting import wait_until

_DASK = Path(sys.executable).with_name("dask")
_DASK_MODULES = (
    "distributed.cli.dask_scheduler", "distributed.cli.dask_worker", "distributed.cli.dask_ssh",
    "distributed.cli.dask_spec", "ingest.backends.dask_worker",
)  # fmt: skip


class LocalCluster:
    """A scheduler and its workers, each a process with its log in *folder*."""

    def __init__(
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        tls: Sequence[str] = (),
        **environ: str,
    ) -> None:
        """Start the scheduler; *tls* has the three TLS options of dask with their files."""
        self.folder = folder
        self._host = host
        self._tls = tls
        self.environ = {
            **os.environ,
            "PYTHONPATH": str(REPO),
            "DASK_CONFIG": str(REPO / "deploy" / "dask.yaml"),
            # All temporary files are in one folder that the test removes.
            "DASK_TEMPORARY_DIRECTORY": str(folder),
            **environ,
        }
        self.workers: dict[str, Any] = {}
        self.start_scheduler()

    def start_scheduler(self) -> None:
        """Start a scheduler in place of one that has ended."""
        with socket.socket() as probe:
            probe.bind((self._host, 0))
            port = probe.getsockname()[1]
        self.address = f"{'tls' if self._tls else 'tcp'}://{self._host}:{port}"
        options = ["--host", self._host, "--port", str(port), "--no-show", *self._tls]
        if self._tls:
            options += ["--protocol", "tls"]
        self.scheduler = self._start("scheduler", "scheduler", *options)
        wait_until(lambda: _listens(self._host, port), "the scheduler does not listen")

    def start_worker(
        self, name: str, *options: str, prefix: Sequence[str] = (), **environ: str
    ) -> Any:
        """
        Start a worker with one thread and without a nanny, which would restart it.

        *prefix* is a command that runs it elsewhere, for example on another host.
        """
        nanny = [] if "--nanny" in options else ["--no-nanny"]
        all_options = ["--nthreads", "1", "--name", name, "--no-dashboard", *nanny, *options]
        self.workers[name] = self._start(
            name, "worker", self.address, *all_options, *self._tls, prefix=prefix, **environ
        )
        return self.workers[name]

    def wait_for_workers(self) -> None:
        """Wait until all started workers have registered."""
        for name in self.workers:
            wait_until(lambda name=name: "Registered to" in self.log(name), f"no {name}")

    def log(self, name: str) -> str:
        """Return the log of a process."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def close(self) -> None:
        """Kill all processes."""
        for process in [*self.workers.values(), self.scheduler]:
            if process.poll() is None:  # Otherwise another process may have its id.
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
                process.kill()
                process.wait()

    def _start(self, name: str, *command: str, prefix: Sequence[str] = (), **environ: str) -> Any:
        env = {**self.environ, "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "info", **environ}
        arguments = [str(_DASK), *command]
        with (self.folder / f"{name}.log").open("ab") as log:
            if prefix:
                return subprocess.Popen(
                    [*prefix, sys.executable, *arguments],
                    env=env, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True,
                )  # fmt: skip
            return start_python(
                arguments, env=env, cwd=self.folder, stdout=log.fileno(), stderr=log.fileno(),
                start_new_session=True, imports=_DASK_MODULES,
            )  # fmt: skip


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def make_certificate(folder: Path) -> list[str]:
    """Return files for TLS: the CA certificate, the certificate (the same one) and its key."""
    key, certificate = str(folder / "key.pem"), str(folder / "cert.pem")
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", "/CN=yts-mirror", "-keyout", key, "-out", certificate,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return [certificate, certificate, key]


def tls_options(files: Sequence[str], *names: str) -> list[str]:
    """Return *files* as options with *names*, for example --tls-cert or --cluster-cert."""
    return [part for pair in zip(names, files, strict=True) for part in pair]


def dask_tls(files: Sequence[str]) -> list[str]:
    """Return the TLS options of a scheduler or worker."""
    return tls_options(files, "--tls-ca-file", "--tls-cert", "--tls-key")


def our_tls(files: Sequence[str]) -> list[str]:
    """Return the TLS options of a fetch."""
    return tls_options(files, "--cluster-ca", "--cluster-cert", "--cluster-key")
