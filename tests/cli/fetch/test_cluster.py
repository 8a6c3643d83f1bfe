"""`fetch_yts_data.py --cluster`: refused options, the commands of the page, a run over TLS."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import URL

from sandbox.api.sandbox_server import Sandbox
from tests.support.cluster.clusters import LocalCluster, dask_tls, make_certificate, our_tls
from tests.support.databases import run_sql
from tests.support.paths import REPO
from tests.support.processes.commands import call, environment, put_python
from tests.support.servers.other_server import OtherServer, open_other_server
from tests.support.servers.shared_server import shared_folder

FETCH = "fetch_yts_data.py"
SCHEDULER = "tcp://127.0.0.1:8786"
SERVER = URL.create("postgresql", "user", host="db.example", database="yts")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherServer]:
    """Start a PostgreSQL that listens on TCP, as a cluster needs it."""
    with open_other_server(shared_folder(tmp_path_factory)) as server:
        yield server


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return files for TLS: the authority (the certificate itself), the certificate, its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize(
    ("options", "url", "message"),
    [
        (["--cluster", SCHEDULER], None, "embedded database is for one machine"),
        (["--cluster", SCHEDULER], SERVER.set(host=""), "Unix socket or no host"),
        (
            ["--cluster", SCHEDULER],
            SERVER.set(host="").update_query_dict({"host": "/tmp"}),
            "Unix socket or no host",
        ),
        (["--cluster", "scheduler"], SERVER, "should look like tcp://scheduler:8786"),
        (["--cluster", "http://scheduler:8786"], SERVER, "should look like tcp://scheduler:8786"),
        (["--cluster", "tls://scheduler:8786"], SERVER, "tls:// needs all of"),
        (["--cluster", SCHEDULER, "--cluster-ca", __file__], SERVER, "certificates are for"),
        (["--cluster-ca", __file__], SERVER, "go with --cluster"),
        (["--cluster", SCHEDULER, "--sandbox"], SERVER, "serves this machine only"),
        (["--cluster", SCHEDULER, "--cluster-key", "/nowhere"], SERVER, "does not exist"),
    ],
)
def test_options_that_cannot_work_are_refused(
    options: list[str], url: URL | None, message: str
) -> None:
    """The command refuses them before it starts anything, and the message names the solution."""
    done = call(FETCH, *options, url=url)

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_without_dask_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only `--cluster` needs dask."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    done = call(FETCH, "--cluster", SCHEDULER, url=SERVER)

    assert done.returncode == 2
    assert "pip install -r requirements-cluster.txt" in done.stderr


def test_a_missing_scheduler_is_exit_4(
    server: OtherServer, small_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code is that of an unavailable source, so cron can try again later."""
    monkeypatch.setattr("ingest.backends.dask_cluster.CONNECT_SECONDS", 1.0)

    done = call(
        FETCH, "--cluster", "tcp://127.0.0.1:1", "--api-url", small_sandbox.url, url=server.url
    )

    assert done.returncode == 4
    assert done.stderr.startswith("The cluster cannot be used: no scheduler answers at tcp://127")
    assert done.stderr.count("\n") == 1


def test_the_commands_of_the_page_work_on_one_machine(
    server: OtherServer, small_sandbox: Sandbox, tmp_path: Path
) -> None:
    """The commands run as on the page, except that nothing is installed and the port is free."""
    page = (REPO / "docs" / "cluster.md").read_text()
    (block,) = re.findall(r"^```sh\npip (?:.*?)\n(export .*?)^```$", page, re.MULTILINE | re.DOTALL)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        block = block.replace("8786", str(probe.getsockname()[1]))
    put_python(tmp_path)
    (tmp_path / "dask").symlink_to(Path(sys.executable).with_name("dask"))
    variables = environment(
        PATH=f"{tmp_path}:{os.environ['PATH']}",
        DATABASE_URL=server.make_database("page")
        .set(drivername="postgresql")
        .render_as_string(hide_password=False),
        YTS_API_URL=small_sandbox.url,
        YTS_RATE="0",
        DASK_TEMPORARY_DIRECTORY=str(tmp_path),
    )

    # The scheduler and the worker must not keep the streams of the test open.
    quiet = block.replace(" &\n", " > /dev/null 2>&1 &\n")
    shell = subprocess.Popen(
        ["bash", "-c", quiet],
        env=variables,
        cwd=REPO,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        stdout, stderr = shell.communicate(timeout=100)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGTERM)
        shell.wait()

    assert "dask worker" in block
    assert (shell.returncode, stderr) == (0, "")
    assert "new movies            60" in stdout


def test_a_run_over_tls(
    certificates: list[str], server: OtherServer, small_sandbox: Sandbox, tmp_path: Path
) -> None:
    """The run is like others; without a certificate the scheduler refuses it, which is exit 4."""
    run_sql(server.url, "CREATE DATABASE tls")
    url = server.url.set(database="tls")
    fetch = ["--api-url", small_sandbox.url, "--rate", "0", "--max-pages", "1", "--no-details"]
    cluster = LocalCluster(tmp_path, tls=dask_tls(certificates))
    try:
        cluster.start_worker("w0")
        cluster.wait_for_workers()
        done = call(FETCH, *fetch, "--cluster", cluster.address, *our_tls(certificates), url=url)
        plain = call(FETCH, *fetch, "--cluster", cluster.address.replace("tls", "tcp"), url=url)
    finally:
        cluster.close()

    assert (done.returncode, done.stderr.count("Error")) == (0, 0), done.stderr
    assert "new movies            50" in done.stdout
    assert plain.returncode == 4
    assert plain.stderr.startswith("The cluster cannot be used: no scheduler answers at tcp://127")
