"""`ThreadSession`: sends the HTTP requests of one thread over kept connections."""

from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse

from yts import PROJECT_URL, __version__
from yts.deadlines import Deadline, watch

USER_AGENT = f"yts-mirror/{__version__} (+{PROJECT_URL})"

Query = dict[str, int | str]


class ThreadSession:
    """
    A requests session with kept connections, for one thread.

    Proxies, certificates, passwords and headers are determined once, because that is half of
    the cost of a request. No cookies; redirects are returned, their bodies are not read.
    """

    def __init__(self, api_url: str, deadline: Deadline) -> None:
        """Read proxies and certificates from the environment; open no connection."""
        self.deadline = deadline
        self._session = session = requests.Session()
        environment = session.merge_environment_settings(
            api_url, {}, stream=True, verify=None, cert=None
        )
        self._proxies = dict(environment["proxies"])
        self._verify = True if environment["verify"] is None else environment["verify"]
        session.trust_env = False
        session.headers["User-Agent"] = USER_AGENT
        # YTS once sent genres in the language of the client.
        session.headers["Accept-Language"] = "en"
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter(deadline))
        self._api_url = api_url
        self._model = session.prepare_request(requests.Request("GET", api_url))
        self._base_url = str(self._model.url).rstrip("/")

    def send(self, url: str, query: Query, timeouts: tuple[float, float]) -> BaseHTTPResponse:
        """Send one request; return the response with an unread body. The caller closes it."""
        if url.startswith(f"{self._api_url}/"):
            request = self._model
            path = url[len(self._api_url) :]
            request.url = f"{self._base_url}{path}{f'?{urlencode(query)}' if query else ''}"
        else:  # The password of the API must not be sent to a redirect target.
            request = self._session.prepare_request(requests.Request("GET", url))
        response: Any = self._session.get_adapter(url).send(
            request, stream=True, timeout=timeouts, verify=self._verify, proxies=self._proxies
        )
        return cast("BaseHTTPResponse", response)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


class _Adapter(HTTPAdapter):
    """An adapter that looks up proxy and certificates once for each host."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline
        self._pools: dict[tuple[str, ...], Any] = {}

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: Any,
        proxies: Any = None,
        cert: Any = None,
    ) -> Any:
        """Return the connection pool of the host of *request*."""
        host = urlsplit(request.url or "")[:2]
        pool: Any = self._pools.get(host)
        if pool is None:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            super().cert_verify(pool, request.url or "", verify, cert)  # type: ignore[no-untyped-call]  # the stubs have no annotations
            pool.ConnectionCls = watch(pool.ConnectionCls, self._deadline)
            self._pools[host] = pool
        return pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Do nothing: the pool already has the certificates."""

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Return the path and the query; all of the URL for a proxy."""
        return super().request_url(request, proxies) if proxies else request.path_url

    def build_response(self, _request: requests.PreparedRequest, response: Any) -> Any:
        """Return the response of urllib3: one of requests would copy its headers."""
        return response

    def close(self) -> None:
        """Close all connections."""
        self._pools.clear()
        super().close()
