"""`read_index`, `read_catalogue`: recorded responses of YTS from twelve years, as values."""

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.support.data.yts_responses import Json, page_response
from tests.support.paths import RECORDED

INDEX = RECORDED / "PROVENANCE.tsv"
#: Statuses that came with the bodies of failures; all others came with 200.
_STATUSES = {"err_429": 429, "err_500": 500, "err_clone_site_pm": 404}
_ONLY_IN_DETAILS = {"cast", "like_count", "description_intro"}


@dataclass(frozen=True)
class Recording:
    """One recorded response."""

    name: str
    #: A kind of the index of the recordings.
    kind: str

    @property
    def body(self) -> bytes:
        """Return the bytes that were recorded."""
        return (RECORDED / self.name).read_bytes()

    @property
    def status(self) -> int:
        """Return the HTTP status of the response."""
        return next((it for name, it in _STATUSES.items() if self.name.startswith(name)), 200)

    @property
    def json(self) -> Any:
        """Return the parsed body; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def is_whole(self) -> bool:
        """Return whether it is a whole response, not only a part of one."""
        return isinstance(self.json, dict) and "status" in self.json

    @property
    def data(self) -> Json:
        """Return the `data` of a whole response."""
        data: Json = self.json["data"]
        return data

    @property
    def movies(self) -> list[Json]:
        """Return all its movies, distinct by id, from a list, details or a part."""
        inner = self.data if self.is_whole else self.json
        if isinstance(inner, dict):
            inner = inner.get("movies", inner.get("movie", inner))
        rows = inner if isinstance(inner, list) else [inner]
        return distinct(row for row in rows if isinstance(row, dict) and row.get("id"))


def distinct(rows: Iterable[Json]) -> list[Json]:
    """Return the first row of each id."""
    by_id: dict[int, Json] = {}
    for row in rows:
        by_id.setdefault(row["id"], row)
    return list(by_id.values())


def read_index() -> list[Recording]:
    """Return all recordings, or an empty list if there is no index."""
    if not INDEX.exists():
        return []
    with INDEX.open(encoding="utf-8", newline="") as lines:
        return [
            Recording(row["file"], row["kind"]) for row in csv.DictReader(lines, delimiter="\t")
        ]


def has_details(movie: Json) -> bool:
    """Return whether *movie* is from a details response, not a list row."""
    return not _ONLY_IN_DETAILS.isdisjoint(movie)


@dataclass(frozen=True)
class Catalogue:
    """All recorded movies as one source, with the newest recording of each."""

    #: List rows, by id.
    rows: dict[int, Json]
    #: Movies with details, by id; only some were recorded.
    details: dict[int, Json]

    def page(self, number: int, order: str) -> bytes:
        """Return a list page of 50."""
        ids = sorted(self.rows, reverse=order == "desc")[50 * (number - 1) : 50 * number]
        return page_response(*(self.rows[id_] for id_ in ids), movie_count=len(self.rows))


def read_catalogue() -> Catalogue:
    """Return all recordings as one catalogue."""
    rows: dict[int, Json] = {}
    details: dict[int, Json] = {}
    for recording in sorted(read_index(), key=lambda recording: recording.name):
        for movie in recording.movies:
            (details if has_details(movie) else rows)[movie["id"]] = movie
    for id_, movie in details.items():
        rows.setdefault(id_, {k: v for k, v in movie.items() if k not in _ONLY_IN_DETAILS})
    return Catalogue(rows, details)
