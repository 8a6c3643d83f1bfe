"""How the server speaks HTTP: caching, compression, hosts, methods, and errors."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from sqlalchemy import text

from database.db import DatabaseManager
from tests.support.databases import run_sql, wait_for_lock
from tests.support.servers.web_server import open_server
from web.guards import is_allowed
from web.settings import ServerSettings

LIST = "/api/v2/list_movies.json"
NOWHERE = ["/nothing", "/api/v2/", "/api/v2/nothing.json", "/%00", "/../etc/passwd"]


def test_a_page_that_has_not_changed_is_not_sent_again(served: str):
    """A tag is equal for equal queries; that of the other encoding is accepted as well."""
    first = requests.get(f"{served}{LIST}?limit=3", timeout=20)
    etag = first.headers["ETag"]

    for headers in ({"If-None-Match": etag}, {"If-None-Match": f'"x", W/{etag}'}):
        again = requests.get(f"{served}{LIST}?limit=3", headers=headers, timeout=20)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == etag
    plain = {"Accept-Encoding": "identity"}
    unpacked = requests.get(f"{served}{LIST}?limit=3", headers=plain, timeout=20).headers["ETag"]
    headers = {"If-None-Match": unpacked}
    known = requests.get(f"{served}{LIST}?limit=3", headers=headers, timeout=20)
    assert (unpacked != etag, known.status_code) == (True, 304)
    other = requests.get(f"{served}{LIST}?limit=4", headers={"If-None-Match": etag}, timeout=20)
    assert other.status_code == 200


def test_a_client_gets_the_encoding_that_it_accepts(served: str):
    """The compressed page is much smaller, and has the same content."""
    plain = requests.get(f"{served}{LIST}", headers={"Accept-Encoding": "identity"}, timeout=20)
    packed = requests.get(f"{served}{LIST}", headers={"Accept-Encoding": "gzip"}, timeout=20)

    refused = requests.get(f"{served}{LIST}", headers={"Accept-Encoding": "gzip;q=0"}, timeout=20)

    assert "Content-Encoding" not in plain.headers
    assert "Content-Encoding" not in refused.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert int(packed.headers["Content-Length"]) * 2 < len(plain.content)
    assert packed.content == plain.content


def test_a_commit_is_seen_by_the_next_requests(db: DatabaseManager):
    """A kept response is not used when rows have changed, whoever changed them."""
    with open_server(db) as root:
        for movies in range(3):
            if movies:
                db.save_movie({"id": movies, "title": f"Lamp {movies}", "torrents": []})
            done = threading.Event()
            while not done.is_set():  # At most a tenth of a second late.
                data = requests.get(f"{root}{LIST}", timeout=20).json()["data"]
                if data["movie_count"] == movies:
                    done.set()
            assert len(data.get("movies", [])) == movies


def test_equal_requests_at_the_same_time_are_read_once(db: DatabaseManager):
    """And all get the same response, also where other clients left meanwhile."""
    db.save_movie({"id": 1, "title": "Lamp", "torrents": []})
    settings = ServerSettings(connections=1)
    with (
        db.engine.connect() as holder,
        open_server(db, settings) as root,
        ThreadPoolExecutor(9) as threads,
    ):
        holder.execute(text("LOCK TABLE movies IN ACCESS EXCLUSIVE MODE"))
        leaving = threads.submit(requests.get, f"{root}{LIST}", timeout=0.3)
        pages = [threads.submit(requests.get, f"{root}{LIST}", timeout=20) for _ in range(8)]
        assert isinstance(leaving.exception(), requests.Timeout)
        holder.rollback()
        bodies = {page.result().content for page in pages}

    assert len(bodies) == 1


def test_a_server_without_a_free_connection_says_so(db: DatabaseManager):
    """503 with Retry-After, in the envelope of YTS; afterwards it serves again."""
    db.save_movie({"id": 1, "title": "Lamp", "torrents": []})
    settings = ServerSettings(connections=1, queue_seconds=0.1)
    with (
        db.engine.connect() as holder,
        open_server(db, settings) as root,
        ThreadPoolExecutor(1) as threads,
    ):
        holder.execute(text("LOCK TABLE movies IN ACCESS EXCLUSIVE MODE"))
        slow = threads.submit(requests.get, f"{root}{LIST}", timeout=20)
        wait_for_lock(holder)
        busy = requests.get(f"{root}/api/v2/movie_details.json?movie_id=1", timeout=20)
        holder.rollback()
        assert slow.result().status_code == 200, slow.result().text

    assert (busy.status_code, busy.json()["status"]) == (503, "error")
    assert int(busy.headers["Retry-After"]) > 0


def test_while_the_database_is_away_requests_get_503_and_later_work_again(db: DatabaseManager):
    """503 without names and paths of the server; no restart is needed."""
    db.save_movie({"id": 1, "title": "Lamp", "torrents": []})
    with open_server(db) as root:
        run_sql(db.url, "ALTER TABLE movies RENAME TO films")
        broken = requests.get(f"{root}{LIST}", timeout=20)
        ready = requests.get(f"{root}/readyz", timeout=20)
        run_sql(db.url, "ALTER TABLE films RENAME TO movies")
        healed = requests.get(f"{root}{LIST}", timeout=20)

    assert broken.status_code == 503
    assert "Try again" in broken.json()["status_message"]
    assert "test_db_connection.py" not in broken.text
    assert (ready.status_code, int(ready.headers["Retry-After"]) > 0) == (503, True)
    assert healed.status_code == 200


@pytest.mark.parametrize(
    ("host", "is_expected"),
    [
        ("localhost", True),
        ("localhost:8080", True),
        ("LOCALHOST.:80", True),
        ("127.0.0.1:8080", True),
        ("192.168.7.5", True),
        ("[::1]:8080", True),
        ("[fe80::1]", True),
        ("movies.example.org:443", True),
        ("evil.example.com", False),
        ("localhost.evil.com", False),
        ("127.0.0.1.evil.com:80", False),
        ("", False),
        ("[::1", False),
    ],
)
def test_only_known_names_reach_the_server(host: str, is_expected: bool):
    """Loopback names, IP addresses and names that the user has allowed."""
    assert is_allowed(host, frozenset({"movies.example.org"})) is is_expected


def test_other_sites_cannot_read_under_their_own_name(served: str):
    """Against DNS rebinding: 421, before anything is read."""
    headers = {"Host": "evil.example.com"}

    assert requests.get(f"{served}{LIST}", headers=headers, timeout=20).status_code == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_server_can_only_be_read(served: str, method: str):
    """405 with the allowed methods."""
    response = requests.request(method, f"{served}{LIST}", timeout=20)

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", [LIST, "/", "/api/v1/movies", "/static/style.css"])
def test_each_address_says_which_methods_it_has(served: str, path: str):
    """An empty response to OPTIONS."""
    response = requests.options(f"{served}{path}", timeout=20)

    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", NOWHERE)
def test_other_addresses_are_not_found(served: str, path: str):
    """404 in one sentence, with the same safe headers as all responses."""
    response = requests.get(f"{served}{path}", timeout=20)

    assert response.status_code == 404
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_browsers_of_other_sites_read_only_with_cors(db: DatabaseManager, served: str):
    """The header is sent if --cors is set, also with OPTIONS and errors, and never otherwise."""
    name = "Access-Control-Allow-Origin"
    with open_server(db, ServerSettings(connections=2, cors=True)) as root:
        for method in ("GET", "OPTIONS"):
            assert requests.request(method, f"{root}{LIST}", timeout=20).headers[name] == "*"
    assert name not in requests.get(f"{served}{LIST}", timeout=20).headers


def test_browsers_of_other_sites_can_send_the_key(db: DatabaseManager):
    """The request before theirs allows both headers, and they can read why they are refused."""
    settings = ServerSettings(connections=1, cors=True, api_key="key")
    with open_server(db, settings) as root:
        before = requests.options(f"{root}{LIST}", timeout=20)
        refused = requests.get(f"{root}{LIST}", timeout=20)

    assert before.headers["Access-Control-Allow-Headers"] == "Authorization, X-Api-Key"
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, "*")


def test_with_a_key_only_requests_that_carry_it_are_served(db: DatabaseManager):
    """In either header; health needs none, and the key is in no response."""
    key = "a-very-secret-key"
    sent = [
        ({"Authorization": f"Bearer {key}"}, 200),
        ({"X-Api-Key": key}, 200),
        ({"X-Api-Key": key, "Authorization": "Bearer of-a-proxy"}, 200),
        ({}, 401),
        ({"X-Api-Key": key[:-1]}, 401),
        ({"Authorization": f"Basic {key}"}, 401),
        ({"X-Api-Key": "\xff"}, 401),
    ]
    settings = ServerSettings(connections=1, api_key=key, base_path="/mirror")
    with open_server(db, settings) as root:
        for headers, status in sent:
            response = requests.get(f"{root}{LIST}", headers=headers, timeout=20)
            assert response.status_code == status, headers
            assert key not in response.text
        assert requests.get(f"{root}/healthz", timeout=20).status_code == 200
        for path in ("/metrics", "/api/v1/people/healthz"):
            assert requests.get(f"{root}{path}", timeout=20).status_code == 401


def test_behind_a_proxy_all_addresses_have_its_path(db: DatabaseManager):
    """What is not below the path is not found."""
    with open_server(db, ServerSettings(connections=1, base_path="/movies")) as root:
        assert root.endswith("/movies")
        for path in (LIST, "/healthz", "/readyz", "/metrics"):
            assert requests.get(f"{root}{path}", timeout=20).status_code == 200
            without = root.removesuffix("/movies")
            assert requests.get(f"{without}{path}", timeout=20).status_code == 404
        for path in ("", "/api/v1"):
            assert requests.get(f"{root}{path}", timeout=20).url == f"{root}{path}/"


def test_metrics_count_by_route_and_never_by_path(db: DatabaseManager):
    """A client that requests many addresses does not fill the memory of the server."""
    with open_server(db, ServerSettings(connections=1)) as root:
        for number in range(5):
            requests.get(f"{root}/unknown/{number}", timeout=20)
        requests.get(f"{root}{LIST}", timeout=20)
        text_ = requests.get(f"{root}/metrics", timeout=20).text

    assert 'yts_server_requests_total{route="/api/v2/{endpoint}",status="200"} 1.0' in text_
    assert 'yts_server_requests_total{route="none",status="404"} 5.0' in text_
    assert "unknown" not in text_
