"""`RunSettings`: all options of a run, as one frozen value that is sent to every worker."""

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import URL

from ingest.error_limit import ErrorLimit
from yts.settings import ClientSettings

#: A whole response may take this many times the longest silence.
TIMEOUTS_PER_RESPONSE = 4


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """The address of the scheduler of a cluster, and the files for TLS."""

    #: As `tcp://scheduler:8786`, or `tls://` with all three files.
    address: str
    #: CA certificate of the cluster, and certificate and key of this machine; all PEM files.
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
    #: Set before the workers start, also for the embedded server.
    database_url: URL
    workers: int = 4
    #: The cluster that runs the batches, instead of processes of this machine.
    cluster: ClusterSettings | None = None
    #: Concurrent requests within one worker.
    threads: int = 4
    #: Maximum number of movies in a details batch.
    batch_size: int = 500
    #: Requests a second for all workers together; 0 means no limit.
    rate: float = 2.0
    #: The longest silence of the server within one response, in seconds; a whole response may take
    #: TIMEOUTS_PER_RESPONSE times as long.
    timeout_seconds: float = 30.0
    #: Maximum number of list pages of this run; None means all.
    max_pages: int | None = None
    #: Fetch these ids by their details instead of sweeping the list.
    ids: tuple[range, ...] | None = None
    #: Fetch cast, likes and intro of movies that lack them, one request each.
    details: bool = True
    #: Write changes of stored movies, instead of skipping them.
    update: bool = False
    #: Sweep the whole list, even if an earlier sweep was complete.
    full: bool = False
    #: Fetch only recorded failures that are due.
    retry_failed: bool = False
    #: Maximum number of ids that the audit at the end of a run requests; 0 means none.
    audit: int = 500
    #: Renew details older than this, oldest first.
    stale_after: timedelta | None = None
    #: Maximum number of requests of this run; None means no limit.
    max_requests: int | None = None
    #: Seconds after which this run ends in order; None means no limit.
    max_seconds: float | None = None
    #: End the run when more than this have failed; None means never.
    max_errors: ErrorLimit | None = None
    #: Seconds to wait until another fetch on the same database ends.
    wait_lock_seconds: float = 0.0

    @property
    def takers(self) -> int | None:
        """Return how many threads may wait for slots at the same time; None if not known."""
        return None if self.cluster else self.workers * self.threads

    @property
    def reads_list(self) -> bool:
        """Return whether the run reads the list, not only movies of `--ids` or the ledger."""
        return self.ids is None and not self.retry_failed

    @property
    def joins_details(self) -> bool:
        """
        Return whether details are fetched together with the list pages of their movies.

        With a limit of the requests the whole list comes first: a page brings 50 movies.
        """
        return self.details and not self.rate and self.max_requests is None

    def client_settings(self, api_url: str) -> ClientSettings:
        """Return the settings of a client of *api_url*."""
        return ClientSettings(
            api_url,
            connect_seconds=min(10.0, self.timeout_seconds),
            read_seconds=self.timeout_seconds,
            response_seconds=TIMEOUTS_PER_RESPONSE * self.timeout_seconds,
        )
