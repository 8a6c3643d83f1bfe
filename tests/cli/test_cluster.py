"""`fetch_yts_data.py --cluster`: what it refuses, and a run over TLS."""

import os
import re
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from sandbox.api.sandbox_server import Sandbox
from tests.support.clusters import LocalCluster, dask_tls, make_certificate, our_tls
from tests.support.commands import call, environment, put_python, run
from tests.support.databases import run_sql
from tests.support.other_server import OtherServer, open_other_server
from tests.support.paths import REPO
from tests.support.programs import run_program

FETCH = "fetch_yts_data.py"
SCHEDULER = "tcp://127.0.0.1:8786"
SERVER = URL.create("postgresql", "somebody", host="db.example", database="yts")


@pytest.fixture(scope="module")
def server() -> Iterator[OtherServer]:
    """A PostgreSQL that can be reached over TCP, as a cluster needs it."""
    with open_other_server() as server:
        yield server


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return files for TLS: who vouches (the certificate itself), the certificate, its key."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here")
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize(
    ("told", "url", "said"),
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
def test_what_cannot_work_is_refused(told: list[str], url: URL | None, said: str) -> None:
    """Before anything is started; the sentence names the way out."""
    done = call(FETCH, *told, url=url)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything else works without it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    done = call(FETCH, "--cluster", SCHEDULER, url=SERVER)

    assert done.returncode == 2
    assert "pip install -r requirements-cluster.txt" in done.stderr


def test_no_scheduler_is_exit_4(
    server: OtherServer, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cron tries again later; nothing was changed, and nobody was asked."""
    monkeypatch.setattr("ingest.backends.dask_cluster.CONNECT_SECONDS", 1.0)

    done = call(FETCH, "--cluster", "tcp://127.0.0.1:1", "--api-url", sandbox.url, url=server.url)

    assert done.returncode == 4
    assert done.stderr.startswith("The cluster cannot be used: no scheduler answers at tcp://127")
    assert done.stderr.count("\n") == 1


def test_the_page_can_be_tried_on_one_machine(
    server: OtherServer, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Its commands as they stand there, on a port that is free, with what is installed."""
    page = (REPO / "docs" / "cluster.md").read_text()
    (block,) = re.findall(r"^```sh\npip (?:.*?)\n(export .*?)^```$", page, re.MULTILINE | re.DOTALL)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        block = block.replace("8786", str(probe.getsockname()[1]))
    put_python(tmp_path)
    (tmp_path / "dask").symlink_to(Path(sys.executable).with_name("dask"))
    told = environment(
        PATH=f"{tmp_path}:{os.environ['PATH']}",
        DATABASE_URL=server.make_database("page")
        .set(drivername="postgresql")
        .render_as_string(hide_password=False),
        YTS_API_URL=sandbox.url,
        YTS_RATE="0",
        DASK_TEMPORARY_DIRECTORY=str(tmp_path),
    )

    # What goes on beside it ends with it, and says nothing to whoever waits.
    quiet = block.replace(" &\n", " > /dev/null 2>&1 &\n")
    done = run_program(["bash", "-c", f"trap 'kill $(jobs -p)' EXIT\n{quiet}"], told, REPO)

    assert "dask worker" in block
    assert (done.returncode, done.stderr) == (0, "")
    assert "new movies            200" in done.stdout


def test_a_run_over_tls(
    certificates: list[str], server: OtherServer, sandbox: Sandbox, tmp_path: Path
) -> None:
    """It ends as every run; who has no certificate is not let in, and hears why."""
    run_sql(server.url, "CREATE DATABASE tls")
    url = server.url.set(database="tls")
    fetch = ["--api-url", sandbox.url, "--rate", "0", "--max-pages", "2"]
    cluster = LocalCluster(tmp_path, tls=dask_tls(certificates))
    try:
        cluster.start_worker("w0")
        cluster.wait_for_workers()
        done = run(FETCH, *fetch, "--cluster", cluster.address, *our_tls(certificates), url=url)
        plain = run(FETCH, *fetch, "--cluster", cluster.address.replace("tls", "tcp"), url=url)
    finally:
        cluster.close()

    assert (done.returncode, done.stderr.count("Error")) == (0, 0), done.stderr
    assert "new movies            100" in done.stdout
    assert plain.returncode == 4
    assert plain.stderr.startswith("The cluster cannot be used: no scheduler answers at tcp://127")
