"""Preloaded by a worker of a cluster: it cannot reach the database, as OUT_OF_REACH says."""

import os
from typing import Any

import psycopg2

import database.connection.retry
import ingest.backends.dask_worker


def _refuse(*_arguments: Any, **_named: Any) -> None:
    raise psycopg2.OperationalError("no pg_hba.conf entry for this machine")


psycopg2.connect = _refuse
database.connection.retry.PATIENCE_SECONDS = 0.5
if os.environ["OUT_OF_REACH"] == "later":
    ingest.backends.dask_worker.explain_out_of_reach = lambda _settings: None
