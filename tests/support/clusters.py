"""Clusters of real processes on this machine, which tests start, break and mend."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from tests.support.paths import REPO

SECONDS_TO_START = 60
_DASK = Path(sys.executable).with_name("dask")


class LocalCluster:
    """A scheduler and its workers, each a process; what they say is in *folder*."""

    def __init__(
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        tls: Sequence[str] = (),
        **environ: str,
    ) -> None:
        """Start the scheduler; *tls* are the three options of dask with their files."""
        self.folder = folder
        self._host = host
        self._tls = tls
        self.environ = {
            **os.environ,
            "PYTHONPATH": str(REPO),
            "DASK_CONFIG": str(REPO / "deploy" / "dask.yaml"),
            # One place for all, and nothing is left of it.
            "DASK_TEMPORARY_DIRECTORY": str(folder),
            **environ,
        }
        self.workers: dict[str, Any] = {}
        self.start_scheduler()

    def start_scheduler(self) -> None:
        """Start a scheduler; the one before is gone."""
        with socket.socket() as probe:
            probe.bind((self._host, 0))
            port = probe.getsockname()[1]
        self.address = f"{'tls' if self._tls else 'tcp'}://{self._host}:{port}"
        told = ["--host", self._host, "--port", str(port), "--no-show", *self._tls]
        if self._tls:
            told += ["--protocol", "tls"]
        self.scheduler = self._start("scheduler", "scheduler", *told)
        wait_until(lambda: _listens(self._host, port))

    def start_worker(
        self, name: str, *told: str, prefix: Sequence[str] = (), **environ: str
    ) -> Any:
        """
        Start a worker with one thread, without anybody who would start it anew.

        *prefix* is a command that runs it elsewhere, as on another host.
        """
        kept = [] if "--nanny" in told else ["--no-nanny"]
        options = ["--nthreads", "1", "--name", name, "--no-dashboard", *kept, *told, *self._tls]
        self.workers[name] = self._start(
            name, "worker", self.address, *options, prefix=prefix, **environ
        )
        return self.workers[name]

    def wait_for_workers(self) -> None:
        """Return when all that were started have registered."""
        for name in self.workers:
            wait_until(lambda name=name: "Registered to" in self.log(name))

    def log(self, name: str) -> str:
        """Return what a process has said."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def close(self) -> None:
        """End every process, however it is."""
        for process in [*self.workers.values(), self.scheduler]:
            with suppress(psutil.NoSuchProcess):  # It has ended before.
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
            process.kill()
            process.wait()

    def _start(self, name: str, *command: str, prefix: Sequence[str] = (), **environ: str) -> Any:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [*prefix, sys.executable, str(_DASK), *command],
                env={**self.environ, "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "info", **environ},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for what takes as long as starting a program, at the most."""
    deadline = time.monotonic() + SECONDS_TO_START
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def make_certificate(folder: Path) -> list[str]:
    """Return files for TLS: who vouches (the certificate itself), the certificate, its key."""
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
    """Return *files* as options of these names, as --tls-cert or --cluster-cert."""
    return [it for pair in zip(names, files, strict=True) for it in pair]


def dask_tls(files: Sequence[str]) -> list[str]:
    """Return the options of a scheduler or worker."""
    return tls_options(files, "--tls-ca-file", "--tls-cert", "--tls-key")


def our_tls(files: Sequence[str]) -> list[str]:
    """Return the options of a fetch."""
    return tls_options(files, "--cluster-ca", "--cluster-cert", "--cluster-key")
