"""
Let `requests` send all requests to the mirror at `MIRROR_URL`, whatever host a program names.

Python loads this file by itself if its folder is in `PYTHONPATH`.
"""

import os
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

_send = HTTPAdapter.send


def _send_to_mirror(adapter: HTTPAdapter, request: PreparedRequest, **options: Any) -> Response:
    named = request.url
    path = urlsplit(named)._replace(scheme="", netloc="").geturl()
    request.url = os.environ["MIRROR_URL"].rstrip("/") + path
    response = _send(adapter, request, **options)
    # Programs make links from the URL of the response.
    response.url = request.url = named
    return response


HTTPAdapter.send = _send_to_mirror
