"""`YtsClient`: the requests it sends, and the results of valid responses."""

import pytest

from tests.support.data.yts_responses import (
    a_ghost,
    a_movie,
    a_row,
    details_response,
    page_response,
)
from tests.support.servers.canned_server import CannedServer
from yts import PROJECT_URL, __version__
from yts.client import YtsClient
from yts.errors import YtsUnavailable


def test_a_page_is_requested_with_explicit_sorting(client: YtsClient, server: CannedServer):
    """
    Without limit and sorting YTS sometimes sends no movies (docs/yts-api.md, section 3);
    filters repeat movies, so there are none (docs/yts-api.md, quirk 3).
    """
    server.give(page_response(a_row(3)))
    page = client.fetch_page(7, "asc")

    assert [movie.id for movie in page.movies] == [3]
    (request,) = server.requests
    assert request.path == "/api/v2/list_movies.json"
    assert request.query == {
        "limit": "50",
        "page": "7",
        "sort_by": "date_added",
        "order_by": "asc",
    }


def test_details_are_requested_with_cast(client: YtsClient, server: CannedServer):
    """
    Without `with_cast` there is no cast. Screenshots are not needed (docs/yts-api.md, section 3).
    """
    server.give(details_response(a_movie(4711)))
    movie = client.fetch_details(4711)

    assert movie is not None
    assert movie.cast is not None
    (request,) = server.requests
    assert request.path == "/api/v2/movie_details.json"
    assert request.query == {"movie_id": "4711", "with_cast": "true"}


def test_requests_name_the_program_and_its_home(client: YtsClient, server: CannedServer):
    """
    The User-Agent is constant and contains a contact URL (docs/yts-api.md, section 8).
    """
    server.give(page_response(a_row()))
    client.fetch_page(1, "desc")
    assert server.requests[0].headers["User-Agent"] == f"yts-mirror/{__version__} (+{PROJECT_URL})"


def test_a_missing_movie_is_none_and_is_not_requested_again(
    client: YtsClient, server: CannedServer
):
    """
    The ghost means "no such movie", and is not a failure (docs/yts-api.md, quirk 1).
    """
    server.give(details_response(a_ghost()))
    assert client.fetch_details(4711) is None
    assert client.requests_made == len(server.requests) == 1


def test_a_page_past_the_end_is_empty(client: YtsClient, server: CannedServer):
    """
    Page 3 begins after movie 100 (docs/yts-api.md, quirk 2).
    """
    server.give(page_response(movie_count=100))
    assert client.fetch_page(3, "asc").movies == ()


@pytest.mark.parametrize(("page", "movie_count"), [(1, 1), (1, 49), (3, 101)])
def test_a_page_that_should_have_movies_and_has_none_is_tried_again(
    client: YtsClient, server: CannedServer, page: int, movie_count: int
):
    """
    YTS leaves `movies` out under load with a positive `movie_count` (docs/yts-api.md,
    quirk 2); that must not look like the end of the catalogue.
    """
    nothing = page_response(movie_count=movie_count)
    server.give(nothing, nothing, page_response(a_row(8), movie_count=movie_count))

    assert [movie.id for movie in client.fetch_page(page, "asc").movies] == [8]
    assert len(server.requests) == 3


def test_a_page_that_stays_empty_is_unavailable_in_the_end(client: YtsClient, server: CannedServer):
    """
    The message contains both numbers (docs/yts-api.md, quirk 2).
    """
    server.give(page_response(movie_count=49))
    with pytest.raises(YtsUnavailable, match="page 1 came without movies; YTS counts 49"):
        client.fetch_page(1, "asc")
    assert len(server.requests) == 5


@pytest.mark.parametrize("movie_count", [0, 1, 3, 49])
def test_an_empty_page_with_a_count_that_has_collapsed_is_not_the_end(
    client: YtsClient, server: CannedServer, movie_count: int
):
    """
    Counts of 1, 3 and 49 without movies were seen (docs/yts-api.md, quirk 2); the page
    before knew better.
    """
    nothing = page_response(movie_count=movie_count)
    rows = [a_row(movie_id) for movie_id in range(51, 61)]
    server.give(nothing, page_response(*rows, movie_count=60))

    assert client.fetch_page(2, "asc", movie_count=60).rows == 10
    assert len(server.requests) == 2


def test_the_first_page_is_never_empty(client: YtsClient, server: CannedServer):
    """
    A catalogue without movies is an outage, even if the count is 0.
    """
    server.give(page_response(movie_count=0), page_response(a_row(8)))

    assert [movie.id for movie in client.fetch_page(1, "asc").movies] == [8]


def test_a_list_that_has_become_a_little_shorter_is_believed(
    client: YtsClient, server: CannedServer
):
    """
    Movies are removed while the list is read, so that its last page may disappear.
    """
    server.give(page_response(movie_count=1000))

    assert client.fetch_page(21, "asc", movie_count=1004).movies == ()


def test_a_page_of_malformed_movies_is_not_empty(client: YtsClient, server: CannedServer):
    """
    Its movies exist, so that another request would not help.
    """
    server.give(page_response(a_row(1, year="soon")))
    assert len(client.fetch_page(1, "asc").malformed) == 1
    assert len(server.requests) == 1


def test_the_name_of_the_server_is_remembered(client: YtsClient, server: CannedServer):
    """
    The Server header of the sandbox shows that its movies are practice data.
    """
    server.give(page_response(a_row()))
    client.fetch_page(1, "asc")
    assert client.server_name.startswith("BaseHTTP/")
