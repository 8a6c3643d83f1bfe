"""`Server`, `open_ours`, `open_fastapi`, `open_datasette`: servers over the same movies."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from sqlalchemy import URL

from benchmarks.serve.sqlite_export import NESTED

MOVIES_A_PAGE = 50
_REPO = Path(__file__).parents[2]
_JSON_COLUMNS = "".join(f"&_json={name}" for name in NESTED)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and how its pages and movies are requested."""

    name: str
    pid: int
    port: int
    #: Requests for all pages of 50 movies, in order.
    pages: list[str]
    #: Path of a movie, with a place for its id.
    details: str


@contextmanager
def open_ours(url: URL, pages: int) -> Iterator[Server]:
    """Run `serve_movies.py` on the mirror at *url*."""
    root = "/api/v2"
    paths = [
        f"{root}/list_movies.json?limit={MOVIES_A_PAGE}&page={page}" for page in range(1, pages + 1)
    ]
    details = f"{root}/movie_details.json?movie_id={{}}&with_cast=true"
    port = _free_port()
    command = [sys.executable, "serve_movies.py", "-q", "--port", str(port)]
    with _running(command, port, {"DATABASE_URL": _text(url)}) as pid:
        yield Server("ours", pid, port, paths, details)


@contextmanager
def open_fastapi(url: URL, pages: int) -> Iterator[Server]:
    """Run the usual program with FastAPI on the mirror at *url*."""
    paths = [f"/movies?limit={MOVIES_A_PAGE}&page={page}" for page in range(1, pages + 1)]
    port = _free_port()
    command = _uvicorn("fastapi_server", port)
    with _running(command, port, {"BENCHMARK_DATABASE": _text(url)}) as pid:
        yield Server("FastAPI", pid, port, paths, "/movies/{}")


@contextmanager
def open_datasette(export: Path, ids: Sequence[int]) -> Iterator[Server]:
    """Run Datasette on a SQLite file with the movies of these ids; its rows are counted before."""
    counts = export.with_suffix(".counts.json")
    datasette = [sys.executable, "-m", "datasette", "inspect"]
    subprocess.run([*datasette, export, "--inspect-file", counts], check=True)
    port = _free_port()
    command = _uvicorn("datasette_server", port)
    table = f"/{export.stem}/movies"
    size = f"{table}.json?_shape=objects&_size={MOVIES_A_PAGE}{_JSON_COLUMNS}"
    # Datasette continues after a key instead of counting rows.
    firsts = [ids[place - 1] for place in range(MOVIES_A_PAGE, len(ids), MOVIES_A_PAGE)]
    paths = [size, *(f"{size}&_next={after}" for after in firsts)]
    details = f"{table}/{{}}.json?_shape=objects{_JSON_COLUMNS}"
    with _running(command, port, {"BENCHMARK_EXPORT": str(export)}) as pid:
        yield Server("Datasette", pid, port, paths, details)


def _uvicorn(module: str, port: int) -> list[str]:
    """Return the command for an application: one process with uvloop and httptools, no log."""
    app = f"benchmarks.contestants.{module}:app"
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port)]
    return [*command, "--no-access-log", "--log-level", "error"]


@contextmanager
def _running(command: Sequence[str], port: int, environment: dict[str, str]) -> Iterator[int]:
    """Run a server until the block ends; begin when it responds."""
    process = subprocess.Popen(command, cwd=_REPO, env={**os.environ, **environment})
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def fetch_header(server: Server, path: str, header: str) -> str:
    """Return a header of the response for *path*."""
    with urlopen(f"http://127.0.0.1:{server.port}{path}") as response:
        return str(response.headers[header])


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)
