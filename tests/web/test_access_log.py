"""`AccessLog`: what clients send can neither forge a line nor a field."""

import logging

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from web.access_log import AccessLog


def test_texts_of_clients_are_quoted_and_made_printable(caplog: pytest.LogCaptureFixture):
    """C1 controls, separators of lines, marks of direction and quotes are escaped."""
    caplog.set_level(logging.INFO, logger="access")
    headers = {"User-Agent": 'x" 200 "\x9b2J\u2028\u202e', "Referer": "caf\xe9"}
    request = make_mocked_request("GET", "/a?b=%22", headers=headers)

    AccessLog(logging.getLogger("access"), "").log(request, web.Response(status=204), 0.1)

    (line,) = caplog.messages
    assert line.isprintable()
    assert line.endswith(
        r'"GET /a?b=%22 HTTP/1.1" 204 0 "caf\u00e9" "x\" 200 \"\u009b2J\u2028\u202e"'
    )
