"""Which cluster a fetch was told, and whether its workers could reach the database at all."""

import importlib.util
from typing import Any
from urllib.parse import urlsplit

import click
from sqlalchemy import URL

from database.config import read_database_url
from database.errors import InvalidDatabaseUrl
from ingest.settings import ClusterSettings

_FILES = ("cluster_ca", "cluster_cert", "cluster_key")


def read_cluster(options: dict[str, Any]) -> ClusterSettings | None:
    """
    Return the cluster of --cluster and what goes with it, None without it.

    Raises:
        click.UsageError: says what is missing, or does not go together.
    """
    address, files = options["cluster"], [options[name] for name in _FILES]
    if address is None:
        if any(files):
            raise click.UsageError("--cluster-ca, -cert and -key go with --cluster.")
        return None
    cluster = ClusterSettings(_parse_address(address), *files)
    if cluster.is_encrypted and not all(files):
        raise click.UsageError(
            "tls:// needs all of --cluster-ca, --cluster-cert and --cluster-key."
        )
    if any(files) and not cluster.is_encrypted:
        raise click.UsageError("certificates are for --cluster tls://HOST:PORT.")
    if options["sandbox"]:
        raise click.UsageError(
            "--sandbox serves this machine only; start `python -m sandbox --host ADDRESS` and name "
            "it with --api-url."
        )
    if importlib.util.find_spec("distributed") is None:
        raise click.UsageError(
            "--cluster needs more libraries: pip install -r requirements-cluster.txt, here and on "
            "all machines of the cluster."
        )
    _check_database(options["database_url"])
    return cluster


def _parse_address(address: str) -> str:
    try:
        parts = urlsplit(address)
        is_good = parts.scheme in {"tcp", "tls"} and bool(parts.hostname and parts.port)
    except ValueError:
        is_good = False
    if not is_good or parts.path.strip("/"):
        raise click.BadParameter(
            f"{address!r} should look like tcp://scheduler:8786 or tls://scheduler:8786",
            param_hint="--cluster",
        )
    return address.rstrip("/")


def _check_database(told: str | None) -> None:
    try:
        url = read_database_url(told)
    except InvalidDatabaseUrl:
        return  # Whoever opens it says so.
    if url is None:
        raise click.UsageError(
            "the embedded database is for one machine, and --cluster for several. Set DATABASE_URL "
            "to a PostgreSQL that all of them reach; docs/operations.md says how to move there."
        )
    if _is_socket(url):
        raise click.UsageError(
            "DATABASE_URL names a Unix socket or no host, which is another place on each machine. "
            "Name a host that all of them reach."
        )


def _is_socket(url: URL) -> bool:
    told = url.query.get("host", url.host) or ""
    hosts = [told] if isinstance(told, str) else told
    return any(not host or host.startswith("/") for host in hosts)
