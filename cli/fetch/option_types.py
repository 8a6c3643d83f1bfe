"""Option types of a fetch, and `check_options`, which refuses contradicting options."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import click

from cli.options import Parsed
from ingest.error_limit import parse_error_limit
from ingest.ids import parse_ids
from yts.settings import parse_api_url

#: Requests a second against the public API, unless --rate says otherwise.
POLITE_RATE = 2.0


def parse_cluster_address(text: str) -> str:
    """
    Return the address of a scheduler without a slash at its end.

    Raises:
        ValueError: it is not the address of a scheduler.
    """
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in {"tcp", "tls"} and bool(parts.hostname and parts.port)
    except ValueError:
        is_good = False
    if not is_good or parts.path.strip("/"):
        raise ValueError(f"{text!r} should look like tcp://scheduler:8786 or tls://scheduler:8786")
    return text.rstrip("/")


def parse_ping_url(text: str) -> str:
    """
    Return the URL of a watchdog, to which `/start` and `/fail` can be added.

    Raises:
        ValueError: the message says what is wrong, without the text, which is a secret.
    """
    url = text.strip()
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or parts.fragment or any(sign.isspace() for sign in url):
        raise ValueError("it should look like https://hc-ping.com/UUID")
    return url


API_URL = Parsed("url", parse_api_url)
IDS = Parsed("ids", parse_ids)
ERROR_LIMIT = Parsed("limit", parse_error_limit)
PING_URL = Parsed("url", parse_ping_url)
CLUSTER_ADDRESS = Parsed("address", parse_cluster_address)


def check_options(options: Mapping[str, Any]) -> None:
    """
    Refuse options that contradict each other.

    Raises:
        click.UsageError: the message names both options.
    """
    if options["api_url"] and options["sandbox"]:
        raise click.UsageError("--sandbox brings its own API; leave out --api-url.")
    if options["ids"] and options["retry_failed"]:
        raise click.UsageError("--ids and --retry-failed name different movies; leave out one.")
