"""`fetch_details` and `process_batch`: fetch single movies without a run."""

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from cli.fetch.run_settings import OpenApi, run_settings
from database.db import get_db_manager
from ingest.plan import MovieBatch
from ingest.report import BatchReport
from ingest.stop import StopRequest
from ingest.worker.worker import Worker
from yts.client import YtsClient
from yts.settings import PUBLIC_API_URLS, ClientSettings

_CLUSTER_OPTIONS = ("cluster", "cluster_ca", "cluster_cert", "cluster_key")


def fetch_details(movie_id: int) -> dict[str, Any] | None:
    """Fetch one movie as `fetch_yts_data.fetch_movie_details` does."""
    client = YtsClient(ClientSettings(os.environ.get("YTS_API_URL", PUBLIC_API_URLS[0])))
    movie = client.fetch_details(movie_id)
    client.close()
    return None if movie is None else movie.model_dump(mode="json", exclude_unset=True)


def process_batch(
    ids: Sequence[int], options: Mapping[str, Any], open_practice_api: OpenApi
) -> BatchReport:
    """Fetch and save movies as `fetch_yts_data.process_movie_batch` does, with *options*."""
    options = {**options, **dict.fromkeys(_CLUSTER_OPTIONS)}
    with get_db_manager(pool_size=2, max_overflow=5) as db, ExitStack() as stack:
        settings = run_settings(options, db, stack, open_practice_api)
        # --max-requests limits a run, and this is not a run.
        settings = replace(settings, max_requests=None)
        with Worker(settings, settings.api_urls[0], None, StopRequest()) as worker:
            return worker.run_batch(MovieBatch(tuple(ids)))
