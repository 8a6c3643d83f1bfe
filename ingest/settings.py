"""`RunSettings`: all options of a run, as one frozen value that is sent to every worker."""

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import URL

from ingest.error_limit import ErrorLimit
from yts.settings import ClientSettings

#: How many times the longest silence a whole response may take.
TIMEOUTS_PER_RESPONSE = 4


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """The address of the scheduler of a cluster, and the files for TLS."""

    #: As `tcp://scheduler:8786`, or `tls://` with all three files.
    address: str
    #: CA certificate for scheduler and workers; and our own certificate and key, all PEM.
    ca: str | None = None
    cert: str | None = None
    key: str | None = None

    @property
    def is_encrypted(self) -> bool:
        """Return whether traffic to the scheduler is encrypted."""
        return self.address.startswith("tls://")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Options of a run; the command reads them from flags and the environment."""

    #: Base URLs of the API, in the order they are tried.
    api_urls: tuple[str, ...] = field(repr=False)  # They may hold passwords.
    #: Resolved before the workers start: the embedded server has a URL too.
    database_url: URL
    workers: int = 4
    #: A cluster whose workers do the work, instead of processes of this machine.
    cluster: ClusterSettings | None = None
    #: Concurrent requests within one worker.
    threads: int = 4
    #: Movies of one details batch, at most.
    batch_size: int = 500
    #: Requests a second for all together; 0 means no limit.
    rate: float = 2.0
    #: The longest silence of the server within one response, in seconds; a whole response may take
    #: TIMEOUTS_PER_RESPONSE times as long.
    timeout_seconds: float = 30.0
    #: List pages of this run, at most; None means all.
    max_pages: int | None = None
    #: Fetch these ids by their details instead of sweeping the list.
    ids: tuple[range, ...] | None = None
    #: Fetch cast, likes and intro of movies that lack them, one request each.
    details: bool = True
    #: Write what changed in stored movies, instead of leaving them alone.
    update: bool = False
    #: Sweep the whole list, even where an earlier sweep was complete.
    full: bool = False
    #: Take only recorded failures whose time has come.
    retry_failed: bool = False
    #: Ids that the audit at the end of a run requests, at most; 0: none.
    audit: int = 500
    #: Renew details older than this, oldest first.
    stale_after: timedelta | None = None
    #: Requests of this run, at most; None: no limit.
    max_requests: int | None = None
    #: Seconds that this run may take, after which it ends in order; None: no limit.
    max_seconds: float | None = None
    #: End the run when more than this have failed; None: never.
    max_errors: ErrorLimit | None = None
    #: Seconds to wait for another fetch on the same database to end.
    wait_lock_seconds: float = 0.0

    @property
    def takers(self) -> int | None:
        """Return how many threads may wait for slots at the same time; None: not known."""
        return None if self.cluster else self.workers * self.threads

    @property
    def reads_list(self) -> bool:
        """Return whether the run reads the list, not only movies of `--ids` or the ledger."""
        return self.ids is None and not self.retry_failed

    def client_settings(self, api_url: str) -> ClientSettings:
        """Return how to talk to *api_url*."""
        return ClientSettings(
            api_url,
            connect_seconds=min(10.0, self.timeout_seconds),
            read_seconds=self.timeout_seconds,
            response_seconds=TIMEOUTS_PER_RESPONSE * self.timeout_seconds,
        )
