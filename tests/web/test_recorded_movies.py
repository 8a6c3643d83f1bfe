"""Recorded movies of YTS, saved and served again: equal wherever the mirror keeps the value."""

import re
from typing import Any

import pytest

from database.db import DatabaseManager
from tests.support.data.recorded import read_catalogue, read_index
from tests.support.servers.web_server import open_server
from tests.web.test_yts_api import ROW_KEYS, read

pytestmark = pytest.mark.skipif(not read_index(), reason="the recorded responses are not here")

#: Dates of 2015 to 2018 were written in another zone.
TIMES = {"date_uploaded", "date_uploaded_unix"}


def as_served(key: str, value: Any) -> Any:
    """Return a recorded value as docs/serve.md says that it is served."""
    if key == "genres":
        return sorted({str(name) for name in value or []})
    if key == "torrents":
        torrents = {torrent["hash"].upper(): torrent for torrent in value or [] if torrent["hash"]}
        return {hash_: comparable(torrent) for hash_, torrent in torrents.items()}
    if isinstance(value, str):
        return re.sub(r"[?#].*", "", value.strip()) if value.startswith("http") else value.strip()
    return "" if value is None else value


def comparable(torrent: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a torrent that are not times."""
    return {
        key: value.upper() if key == "hash" else as_served(key, value)
        for key, value in torrent.items()
        if key not in TIMES
    }


def test_a_recorded_list_row_comes_back_as_it_was(db: DatabaseManager):
    """Every key that YTS sent, in every recorded movie, apart from documented exceptions."""
    rows = read_catalogue().rows
    for row in rows.values():
        assert db.save_movie(row)[0], row["id"]

    served: dict[int, dict[str, Any]] = {}
    with open_server(db) as root:
        for page in range(1, len(rows) // 50 + 2):
            movies = read(root, "list_movies", f"limit=50&page={page}").get("movies", [])
            served |= {movie["id"]: movie for movie in movies}

    assert set(served) == set(rows)
    different = []
    for id_, row in rows.items():
        for key in set(row) & set(ROW_KEYS) - TIMES:
            ours = as_served(key, served[id_].get(key))
            theirs = as_served(key, row[key])
            if key == "torrents":
                ours = {
                    hash_: {name: ours.get(hash_, {}).get(name) for name in torrent}
                    for hash_, torrent in theirs.items()
                }
            if ours != theirs:
                different.append((id_, key, theirs, ours))
    assert different == []
