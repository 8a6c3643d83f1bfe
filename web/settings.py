"""`ServerSettings`: address, limits and options of the server, as one frozen value."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The settings of one server."""

    host: str = "127.0.0.1"
    #: 0 means any free port.
    port: int = 8080
    #: Connections to the database, each with a thread that reads.
    connections: int = 8
    #: Names besides loopback names and IP addresses that the Host header may have.
    allowed_hosts: frozenset[str] = frozenset()
    #: Path under which a reverse proxy passes requests, such as `/movies`; empty for none.
    base_path: str = ""
    #: If set, requests need it; see `web.api_key`.
    api_key: str = field(default="", repr=False)
    #: Whether each request is logged, to the logger `aiohttp.access`.
    logs_access: bool = False
    #: Whether browser programs of other sites may read the YTS API.
    cors: bool = False
    #: Whether the pages of movies in the YTS API are on this server; see `web.v2.own_urls`.
    has_own_urls: bool = False
    #: Whether pages show the images of the catalogue, which browsers load from foreign hosts.
    has_posters: bool = True
    #: Longest wait of a request for a connection, in seconds; then it gets 503.
    queue_seconds: float = 5.0
    #: Longest wait of a request for the database in all, in seconds; then it gets 503.
    read_seconds: float = 17.0
    #: Responses kept in memory, in bytes.
    cache_bytes: int = 32 << 20
    #: Movies of lists kept in memory, in bytes: a little more than all movies of YTS.
    movie_bytes: int = 320 << 20
    #: Whether each response of the API v1 is compared with its description; for tests.
    checks_responses: bool = False
