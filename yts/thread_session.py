"""`ThreadSession`: sends the HTTP requests of one thread over kept connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from http.client import HTTPException
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from yts import PROJECT_URL, __version__
from yts.deadlines import Deadline
from yts.http_response import HttpResponse

USER_AGENT = f"yts-mirror/{__version__} (+{PROJECT_URL})"
#: Errors of a request: of the system and of requests, of `HttpResponse`, of connecting.
FAILURES = (OSError, HTTPException, urllib3.exceptions.HTTPError)

Query = dict[str, int | str]


@dataclass(frozen=True, slots=True)
class _Route:
    """How requests to one URL are sent."""

    #: The connection pool of the host, or of its proxy.
    pool: Any
    is_tunnelled: bool
    #: The path; for a proxy without a tunnel, the whole URL.
    target: str
    headers: str


class ThreadSession:
    """
    Kept connections for one thread: those of urllib3, as requests configures them.

    requests determines proxies, certificates, passwords and headers once, because for each
    request that costs more than the request. No cookies; redirects are returned.
    """

    def __init__(self, api_url: str, deadline: Deadline, connect_seconds: float) -> None:
        """Read proxies and certificates from the environment; open no connection."""
        self.deadline = deadline
        self._connect_seconds = connect_seconds
        self._session = session = requests.Session()
        environment = session.merge_environment_settings(
            api_url, {}, stream=True, verify=None, cert=None
        )
        self._proxies = dict(environment["proxies"])
        self._verify = True if environment["verify"] is None else environment["verify"]
        session.trust_env = False
        session.headers["User-Agent"] = USER_AGENT
        session.headers["Accept-Encoding"] = "gzip"
        # YTS once sent genres in the language of the client.
        session.headers["Accept-Language"] = "en"
        self._api_url = api_url

    @contextmanager
    def open_response(self, url: str, query: Query) -> Iterator[HttpResponse]:
        """
        Send one request; yield the response with an unread body.

        *url* is below that of the API, or the target of a redirect, without *query*, to which
        the password of the API must not be sent. The connection is kept if the body was read to
        its end.
        """
        route = self._api_route if query else self._find_route(url)
        target = route.target
        if query:
            path = url.removeprefix(self._api_url)
            target = f"{target.rstrip('/')}{path}?{urlencode(query)}"
        connection = route.pool._get_conn()  # closed, if the server has closed it
        is_kept = False
        try:
            if connection.is_closed or not self.deadline.keeps_connections:
                self._connect(connection, route)
            else:
                self.deadline.note_reuse()
            connection.sock.settimeout(self.deadline.seconds_left())
            connection.sock.sendall(f"GET {target} HTTP/1.1\r\n{route.headers}\r\n".encode())
            response = HttpResponse(self.deadline, connection.sock, method="GET")
            response.begin()
            yield response
            is_kept = response.isclosed() and not response.will_close
        finally:
            if not is_kept:
                connection.close()
            route.pool._put_conn(connection)

    @cached_property
    def _api_route(self) -> _Route:
        return self._find_route(self._api_url)

    def _find_route(self, url: str) -> _Route:
        request = self._session.prepare_request(requests.Request("GET", url))
        scheme, address = urlsplit(str(request.url))[:2]
        adapter = cast("HTTPAdapter", self._session.get_adapter(url))
        pool: Any = adapter.get_connection_with_tls_context(request, self._verify, self._proxies)
        adapter.cert_verify(pool, str(request.url), self._verify, None)  # type: ignore[no-untyped-call]
        is_tunnelled = pool.proxy is not None and scheme == "https"
        headers = {"Host": address.rpartition("@")[2], **request.headers}
        if not is_tunnelled:
            headers |= pool.proxy_headers
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return _Route(pool, is_tunnelled, adapter.request_url(request, self._proxies), lines)

    def _connect(self, connection: Any, route: _Route) -> None:
        connection.close()
        connection.timeout = self._connect_seconds
        connection.response_class = partial(HttpResponse, self.deadline)  # to CONNECT
        try:
            if route.is_tunnelled:
                route.pool._prepare_proxy(connection)
            else:
                connection.connect()
        except FAILURES as error:
            if connection.proxy and not connection.has_connected_to_proxy:
                raise urllib3.exceptions.ProxyError("no connection to it", error) from error
            raise
        finally:
            self.deadline.bytes_read = 0  # The response of a proxy to CONNECT does not count.

    def close(self) -> None:
        """Close the connections that are not in use now."""
        self._session.close()
