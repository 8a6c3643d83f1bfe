"""`ask`, `read`, `details`, `command` and others: requests to a sandbox."""

from typing import Any

import requests

from sandbox.api.sandbox_server import Sandbox

Json = dict[str, Any]

#: No test may hang on a response.
TIMEOUT_SECONDS = 30


def ask(sandbox: Sandbox, endpoint: str, **query: object) -> requests.Response:
    """Return the response of the API, whatever it is."""
    texts = {name: str(value) for name, value in query.items()}
    return requests.get(f"{sandbox.url}/{endpoint}.json", params=texts, timeout=TIMEOUT_SECONDS)


def read(sandbox: Sandbox, endpoint: str, **query: object) -> Json:
    """Return the `data` of a response with status ok."""
    response = ask(sandbox, endpoint, **query).json()
    assert response["status"] == "ok"
    data: Json = response["data"]
    return data


def details(sandbox: Sandbox, movie_id: int, **query: object) -> Json:
    """Return the movie in `movie_details`."""
    movie: Json = read(sandbox, "movie_details", movie_id=movie_id, **query)["movie"]
    return movie


def page_ids(sandbox: Sandbox, **query: object) -> list[int]:
    """Return the ids on a page, none if the key is absent."""
    data = read(sandbox, "list_movies", **query)
    return [movie["id"] for movie in data.get("movies", [])]


def all_ids(sandbox: Sandbox, order_by: str, limit: int = 50) -> list[int]:
    """Return the ids of all pages."""
    ids: list[int] = []
    page = 1
    while found := page_ids(sandbox, order_by=order_by, limit=limit, page=page):
        ids += found
        page += 1
    return ids


def stats(sandbox: Sandbox) -> Json:
    """Return `/sandbox/stats`."""
    counts: Json = requests.get(f"{sandbox.root}/sandbox/stats", timeout=TIMEOUT_SECONDS).json()
    return counts


def command(sandbox: Sandbox, name: str, **request: Any) -> Json:
    """Send a command to `/sandbox/`; return its response."""
    response = requests.post(f"{sandbox.root}/sandbox/{name}", timeout=TIMEOUT_SECONDS, **request)
    response.raise_for_status()
    result: Json = response.json()
    return result
