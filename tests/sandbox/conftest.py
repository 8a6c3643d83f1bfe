"""A default sandbox for all, and short ways to ask one."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.api.server import Sandbox, open_sandbox

Json = dict[str, Any]

#: No test may hang on an answer.
TIMEOUT_SECONDS = 5


@pytest.fixture(scope="session")
def honest() -> Iterator[Sandbox]:
    """A default sandbox without faults. Nobody changes it."""
    with open_sandbox() as sandbox:
        yield sandbox


def ask(sandbox: Sandbox, endpoint: str, **query: object) -> requests.Response:
    """Ask the API whatever the answer may be."""
    texts = {name: str(value) for name, value in query.items()}
    return requests.get(f"{sandbox.url}/{endpoint}.json", params=texts, timeout=TIMEOUT_SECONDS)


def read(sandbox: Sandbox, endpoint: str, **query: object) -> Json:
    """Ask the API and give the `data` of an answer that is in order."""
    answer = ask(sandbox, endpoint, **query).json()
    assert answer["status"] == "ok"
    data: Json = answer["data"]
    return data


def details(sandbox: Sandbox, movie_id: int, **query: object) -> Json:
    """Give the movie in `movie_details`."""
    movie: Json = read(sandbox, "movie_details", movie_id=movie_id, **query)["movie"]
    return movie


def page_ids(sandbox: Sandbox, **query: object) -> list[int]:
    """Give the ids on a page, none if the key is absent."""
    data = read(sandbox, "list_movies", **query)
    return [movie["id"] for movie in data.get("movies", [])]


def all_ids(sandbox: Sandbox, order_by: str, limit: int = 50) -> list[int]:
    """Sweep all pages."""
    ids: list[int] = []
    page = 1
    while found := page_ids(sandbox, order_by=order_by, limit=limit, page=page):
        ids += found
        page += 1
    return ids


def stats(sandbox: Sandbox) -> Json:
    """Give the operator's view."""
    seen: Json = requests.get(f"{sandbox.root}/sandbox/stats", timeout=TIMEOUT_SECONDS).json()
    return seen


def order(sandbox: Sandbox, command: str, **request: Any) -> Json:
    """Give the operator's command."""
    answer = requests.post(f"{sandbox.root}/sandbox/{command}", timeout=TIMEOUT_SECONDS, **request)
    answer.raise_for_status()
    done: Json = answer.json()
    return done
