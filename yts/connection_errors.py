"""`explain`: turn a failed connection into a `YtsError` without passwords and queries."""

import http.client
import os
import re
import socket
import ssl
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import requests
import urllib3

from yts.deadlines import Deadline
from yts.errors import YtsError, YtsRefused, YtsUnavailable
from yts.printable import one_line
from yts.settings import without_secrets

#: Errors that requests raises for an invalid base URL.
_BAD_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.LocationParseError,
)
#: Messages of errors without a number that can be shown.
_SAYS_WHY = re.compile("Tunnel connection failed|Could not find a suitable TLS CA")
#: Errors of OpenSSL if the server does not speak TLS.
_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE")


def explain(error: Exception, url: str, deadline: Deadline | None = None) -> YtsError:
    """Return the error to raise instead of *error* of a request to *url*, under *deadline*."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    if "dependencies for SOCKS" in str(error):
        return YtsRefused(
            "the environment names a SOCKS proxy, and the package for it is not installed: "
            "pip install PySocks"
        )
    if isinstance(error, requests.exceptions.InvalidProxyURL):
        return YtsRefused("the proxy that the environment names has no address")
    if isinstance(error, _BAD_ADDRESS):
        return YtsRefused(f"{without_secrets(url)} is not a valid address")
    return YtsUnavailable(_explain_failure(error, host, deadline))


def _explain_failure(error: Exception, host: str, deadline: Deadline | None) -> str:
    causes = tuple(_causes(error))

    def is_any(kind: type[Exception]) -> bool:
        return any(isinstance(cause, kind) for cause in causes)

    problem = f"no connection to {host}"
    if is_any(urllib3.exceptions.ProxyError):
        problem += " through the proxy that the environment names"
    elif is_any(urllib3.exceptions.NewConnectionError):
        pass  # It is a ConnectTimeoutError, too.
    elif is_any(urllib3.exceptions.ConnectTimeoutError):
        return f"{host} did not accept a connection in time"
    elif is_any(TimeoutError):
        return (deadline and deadline.overrun) or f"{host} fell silent"
    elif is_any(http.client.IncompleteRead) or (
        deadline and deadline.bytes_read and not is_any(http.client.HTTPException)
    ):
        return f"{host} broke off its response ({type(error).__name__})"
    elif is_any(ssl.SSLError):
        return _explain_tls(causes, host)
    reason = _system_reason(causes)
    return f"{problem}: {reason}" if reason else problem


def _explain_tls(causes: Iterable[BaseException], host: str) -> str:
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"{host} has no valid certificate: {one_line(cause.verify_message, 200)}"
        if isinstance(cause, ssl.SSLError) and any(code in str(cause) for code in _NOT_TLS):
            return f"{host} does not speak TLS (is it http:// rather than https://?)"
    return f"no TLS connection to {host}: {_system_reason(causes) or 'it was broken off'}"


def _system_reason(causes: Iterable[BaseException]) -> str | None:
    """Return why there is no connection; if no better message is known, that of the system."""
    reasons = map(_reason_of, causes)
    return next((reason for reason in reasons if reason), None)


def _reason_of(cause: BaseException) -> str | None:
    reason: str | None
    match cause:
        case socket.gaierror(errno=socket.EAI_AGAIN):
            reason = "its name cannot be looked up now (is the network up?)"
        case socket.gaierror():
            reason = "its name is unknown"
        case ConnectionRefusedError():
            reason = "nothing listens at this port"
        case ConnectionResetError() | BrokenPipeError():
            reason = "it closed the connection without a response"
        case http.client.BadStatusLine():
            reason = "it does not answer in HTTP (is it https:// rather than http://?)"
        case http.client.HTTPException():
            reason = f"its response cannot be read as HTTP ({type(cause).__name__})"
        case OSError(errno=int(number)):
            reason = os.strerror(number)
        case OSError() if _SAYS_WHY.match(str(cause)):
            reason = one_line(str(cause), 200)
        case _:
            reason = None
    return reason


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield *error* and all its causes: libraries wrap errors in different ways."""
    todo: list[object] = [error]
    seen: set[int] = set()
    while todo:
        cause = todo.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            todo += [getattr(cause, "reason", None), cause.__cause__, cause.__context__]
            todo += cause.args
