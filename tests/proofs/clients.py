"""`prove_clients`: published clients of the YTS API get from the server what the mirror has."""

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import text

from database.db import DatabaseManager
from database.serving.suggestions import suggest_movies
from tests.proofs.client_installs import CLIENTS, Client, Installs, NotPossible
from tests.proofs.stage import Stage, open_stage, say
from tests.support.paths import REPO
from tests.support.processes.commands import environment

#: A word of so many titles that a search for it has several pages.
WORD = "the"
_MOVIES = """
    SELECT m.external_id AS id, coalesce(m.imdb_code, '') AS imdb_code, m.title,
        coalesce(m.title_long, m.title) AS title_long, coalesce(m.rating, 0) AS rating,
        coalesce(m.like_count, 0) AS like_count,
        ARRAY(SELECT t.hash FROM torrents t WHERE t.movie_id = m.id ORDER BY t.id) AS hashes,
        ARRAY(SELECT t.hash FROM torrents t WHERE t.movie_id = m.id AND t.quality = '1080p')
            AS hashes_1080p,
        ARRAY(SELECT g.name FROM movie_genres l JOIN genres g ON g.id = l.genre_id
            WHERE l.movie_id = m.id) AS genres,
        ARRAY(SELECT c.name FROM movie_casts l JOIN casts c ON c.id = l.cast_id
            WHERE l.movie_id = m.id ORDER BY l.position, l.cast_id LIMIT 4) AS cast_names
    FROM movies m WHERE m.gone_since IS NULL ORDER BY m.external_id DESC
"""

Movie = dict[str, Any]


def prove_clients(movies: int, folder: Path | None) -> bool:
    """Install all clients in *folder*, or a temporary one; return whether all got their movies."""
    started = time.monotonic()
    with _folder_or_temporary(folder) as chosen, open_stage(movies) as stage:
        code = stage.run_fetch("--rate", "0")
        say(f"the mirror is filled: exit code {code}")
        with stage.open_database() as db, _open_server(stage) as root:
            say(f"the server is at {root}")
            results = _try_clients(Installs(chosen), db, root)
    faults = [client for client, is_right in results.items() if not is_right]
    say(
        f"{time.monotonic() - started:.0f} s: "
        + (f"NOT PROVEN for {', '.join(faults)}" if faults else f"{len(results)} clients work")
    )
    return not faults and code == 0


@contextlib.contextmanager
def _folder_or_temporary(folder: Path | None) -> Iterator[Path]:
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="yts-clients-") as temporary:
            yield Path(temporary)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder.absolute()


@contextlib.contextmanager
def _open_server(stage: Stage) -> Iterator[str]:
    """Run `serve_movies.py` on a free port; yield its root URL."""
    with subprocess.Popen(
        [sys.executable, "serve_movies.py", "--port", "0"],
        cwd=REPO,
        env=environment(YTS_HOME=str(stage.home)),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        health = next((line for line in process.stderr if "/healthz" in line), None)
        assert health, "serve_movies.py did not start"
        try:
            yield health.split()[0].removesuffix("/healthz")
        finally:
            process.terminate()


def _try_clients(installs: Installs, db: DatabaseManager, root: str) -> dict[str, bool]:
    movies = _read_movies(db)
    movie = next(each for each in reversed(movies) if each["cast_names"] and each["hashes"])
    plan = {
        "api_url": f"{root}/api/v2",
        "word": WORD,
        "movie_id": movie["id"],
        "imdb_code": movie["imdb_code"],
    }
    expected = _expect(db, movies, movie)
    results = {}
    for language in ("Python", "JavaScript"):
        try:
            installs.install(language)
            missing = ""
        except NotPossible as error:
            missing = str(error)
        for client in (each for each in CLIENTS if each.language == language):
            label = f"{client.name} {client.version} ({language})"
            try:
                if missing:
                    raise NotPossible(missing)
                calls = json.loads(installs.drive(client, json.dumps(plan), root))
                faults = _compare(client, calls, expected)
            except NotPossible as error:
                calls, faults = {}, [str(error)]
            names = ", ".join(f"{name} ({len(calls[name])})" for name in calls)
            say(f"{'FAULT' if faults else 'ok   '}  {label}: {'; '.join(faults[:3]) or names}")
            results[client.name] = not faults
    return results


def _read_movies(db: DatabaseManager) -> list[Movie]:
    with db.get_session() as session:
        return [dict(row) for row in session.execute(text(_MOVIES)).mappings()]


def _expect(db: DatabaseManager, movies: list[Movie], movie: Movie) -> dict[str, list[Movie]]:
    """Return the movies that each call must return, by the name of the call."""
    found = [each for each in movies if WORD in each["title_long"].lower()]
    liked = sorted(found, key=lambda each: (each["like_count"], each["id"]), reverse=True)
    filtered = [
        each
        for each in movies
        if each["hashes_1080p"] and "Drama" in each["genres"] and each["rating"] >= 6
    ]
    with db.get_session() as session:
        suggested = suggest_movies(session, movie["id"], limit=4)
    by_id = {each["id"]: each for each in movies}
    with_1080p = [each for each in liked if each["hashes_1080p"]]
    return {
        "list": movies[:20],
        "second_page": movies[10:20],
        "search": found[:20],
        "first_ten": found[:10],
        "search_by_likes": liked[:20],
        "search_1080p": [{**each, "hashes": each["hashes_1080p"]} for each in with_1080p[:20]],
        "filtered": sorted(filtered, key=lambda each: (each["rating"], each["id"]))[:50],
        "details": [{**movie, "cast": ", ".join(movie["cast_names"])}],
        "by_code": [movie],
        "suggestions": [by_id[id_] for id_ in suggested],
    }


def _compare(client: Client, calls: dict[str, list[Movie]], expected: Any) -> list[str]:
    """Return how the movies that a client got differ from those of the mirror, call by call."""
    faults = []
    for name, ours in calls.items():
        theirs = [each for each in expected[name] if each["hashes"] or not client.is_flat]
        if len(ours) != len(theirs) or not ours:
            faults.append(f"{name}: {len(ours)} movies, not {len(theirs)}")
        for our, their in zip(ours, theirs, strict=False):
            if difference := [key for key in our if not _is_equal(key, our[key], their)]:
                faults.append(f"{name}: {difference} of {our}, in the mirror {their}")
    return faults


def _is_equal(key: str, value: Any, movie: Movie) -> bool:
    if key == "some_hashes":
        return bool(value) == bool(movie["hashes"]) and set(value) <= set(movie["hashes"])
    if key == "hashes":
        return sorted(value) == sorted(movie["hashes"])
    return bool(value == movie[key])
