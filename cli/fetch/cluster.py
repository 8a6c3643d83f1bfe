"""`read_cluster`: the cluster of a fetch, and whether its workers can reach the database."""

import importlib.util
from collections.abc import Mapping
from typing import Any

import click
from sqlalchemy import URL

from database.config import read_database_url
from database.errors import InvalidDatabaseUrl
from ingest.settings import ClusterSettings

_FILES = ("cluster_ca", "cluster_cert", "cluster_key")


def read_cluster(options: Mapping[str, Any]) -> ClusterSettings | None:
    """
    Return the cluster of --cluster with its certificates; None without --cluster.

    Raises:
        click.UsageError: the message names what is missing, or the options that contradict each
        other.
    """
    address, files = options["cluster"], [options[name] for name in _FILES]
    if address is None:
        if any(files):
            raise click.UsageError("--cluster-ca, -cert and -key go with --cluster.")
        return None
    cluster = ClusterSettings(address, *files)
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


def _check_database(database_url: str | None) -> None:
    try:
        url = read_database_url(database_url)
    except InvalidDatabaseUrl:
        return  # This error is reported when the database is opened.
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
    names = url.query.get("host", url.host) or ""
    hosts = [names] if isinstance(names, str) else names
    return any(not host or host.startswith("/") for host in hosts)
