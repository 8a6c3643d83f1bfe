"""The sandbox reads queries as leniently as YTS does, because real clients rely on it."""

import pytest
import requests

from sandbox.api.sandbox_server import Sandbox
from tests.support.sandbox_requests import TIMEOUT_SECONDS, read


@pytest.mark.parametrize(
    ("query", "equal"),
    [
        ({"genre": "", "quality": "", "query_term": ""}, {}),
        ({"genre": "ALL", "quality": "All"}, {}),
        ({"minimum_rating": "8.5"}, {"minimum_rating": "8.50"}),
        ({"limit": "10.7", "page": " 2.0"}, {"limit": "10", "page": "2"}),
        ({"minimum_rating": "high"}, {}),
        ({"minimum_rating": "99"}, {}),
        ({"sort_by": "Rating", "order_by": "ASC"}, {"sort_by": "rating", "order_by": "asc"}),
        ({"sort_by": ""}, {}),
        ({"sort": "seeds", "order": "asc", "set": "2", "rating": "9"}, {}),
    ],
)
def test_values_that_make_no_sense_are_the_default(
    intact: Sandbox, query: dict[str, str], equal: dict[str, str]
):
    """Empty values, decimals, any case, and parameters of an older API."""
    assert read(intact, "list_movies", **query) == read(intact, "list_movies", **equal)


def test_a_minimum_rating_may_have_decimals(intact: Sandbox):
    """Browser programs send 8.8."""
    movies = read(intact, "list_movies", minimum_rating="8.8", limit=50)["movies"]

    assert movies
    assert min(movie["rating"] for movie in movies) >= 8.8


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_clients_may_use_any_reading_method_and_a_slash(intact: Sandbox, method: str, slash: str):
    """HEAD has no body, and OPTIONS names the methods."""
    url = f"{intact.url}/list_movies.json{slash}"
    response = requests.request(method, url, timeout=TIMEOUT_SECONDS)

    assert response.status_code == (204 if method == "OPTIONS" else 200)
    assert bool(response.content) == (method == "GET")


def test_parental_guides_are_one_notice(intact: Sandbox):
    """As recorded in 2017."""
    data = read(intact, "movie_parental_guides", movie_id=7)

    assert data["parental_guide_count"] == len(data["parental_guides"]) == 1
    assert set(data["parental_guides"][0]) == {"type", "parental_guide_text"}
