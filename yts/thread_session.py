"""One thread's line to the API: requests, with what it works out for each request done once."""

from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from yts import PROJECT_URL, __version__
from yts.deadlines import Deadline, watch

USER_AGENT = f"yts-mirror/{__version__} (+{PROJECT_URL})"

Query = dict[str, int | str]


class ThreadSession:
    """
    A session that keeps its connections, for one thread.

    Looking for proxies, certificates and passwords, and the headers, are half of what a
    request costs. No cookies; redirects are answers, their bodies stay unread.
    """

    def __init__(self, api_url: str, deadline: Deadline) -> None:
        """Look around once; nothing is opened yet."""
        self.deadline = deadline
        self._session = session = requests.Session()
        found = session.merge_environment_settings(api_url, {}, stream=True, verify=None, cert=None)
        self._proxies = dict(found["proxies"])
        self._verify = True if found["verify"] is None else found["verify"]
        session.trust_env = False
        session.headers["User-Agent"] = USER_AGENT
        # Genres came in the language of the asking machine once.
        session.headers["Accept-Language"] = "en"
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter(deadline))
        self._api_url = api_url
        self._model = session.prepare_request(requests.Request("GET", api_url))
        self._base_url = str(self._model.url).rstrip("/")

    def send(self, url: str, query: Query, timeouts: tuple[float, float]) -> requests.Response:
        """Send one request; the body of the answer waits to be read."""
        if url.startswith(f"{self._api_url}/"):
            request = self._model.copy()
            path = url[len(self._api_url) :]
            request.url = f"{self._base_url}{path}{f'?{urlencode(query)}' if query else ''}"
        else:  # The password of the API is not for wherever it redirects to.
            request = self._session.prepare_request(requests.Request("GET", url))
        return self._session.get_adapter(url).send(
            request, stream=True, timeout=timeouts, verify=self._verify, proxies=self._proxies
        )

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


class _Adapter(HTTPAdapter):
    """The way to hosts: proxy and certificates of each are looked up once."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._exchange = deadline
        self._pools: dict[tuple[str, ...], Any] = {}

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: Any,
        proxies: Any = None,
        cert: Any = None,
    ) -> Any:
        """Return the connections to the request's host."""
        host = urlsplit(request.url or "")[:2]
        pool: Any = self._pools.get(host)
        if pool is None:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            super().cert_verify(pool, request.url or "", verify, cert)  # type: ignore[no-untyped-call]  # the stubs have it bare
            pool.ConnectionCls = watch(pool.ConnectionCls, self._exchange)
            self._pools[host] = pool
        return pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Do nothing: that is settled with the connections."""

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Return what is read of an answer: status, headers, and a body that waits."""
        response = requests.Response()
        response.status_code = resp.status
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw = resp
        response.request = req
        return response

    def close(self) -> None:
        """Close all connections."""
        self._pools.clear()
        super().close()
