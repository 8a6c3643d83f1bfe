"""`explain`: turn a failed connection into a `YtsError` without passwords and queries."""

import http.client
import os
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests
import urllib3

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
#: Errors of OpenSSL if the server does not speak TLS.
_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE")
_SILENT = requests.Timeout | urllib3.exceptions.ReadTimeoutError


def explain(error: Exception, url: str) -> YtsError:
    """Return the error to raise instead of *error* of a request to *url*."""
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
    return YtsUnavailable(_explain_failure(error, host))


def _explain_failure(error: Exception, host: str) -> str:
    if isinstance(error, requests.ConnectTimeout):
        return f"{host} did not accept a connection in time"
    if isinstance(error, _SILENT):
        return f"{host} fell silent"
    if isinstance(error, requests.exceptions.ProxyError):
        problem = f"no connection to {host} through the proxy that the environment names"
        reason = _system_reason(error)
        return f"{problem}: {reason}" if reason else problem
    if isinstance(error, requests.exceptions.SSLError):
        return _explain_tls(error, host)
    if isinstance(error, requests.ConnectionError):
        reason = _system_reason(error)
        return f"no connection to {host}: {reason}" if reason else f"no connection to {host}"
    return f"{host} broke off its response ({type(error).__name__})"


def _explain_tls(error: Exception, host: str) -> str:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"{host} has no valid certificate: {one_line(cause.verify_message, 200)}"
        if isinstance(cause, ssl.SSLError) and any(code in str(cause) for code in _NOT_TLS):
            return f"{host} does not speak TLS (is it http:// rather than https://?)"
    return f"no TLS connection to {host}: {_system_reason(error) or 'it was broken off'}"


def _system_reason(error: Exception) -> str | None:
    """Return why there is no connection; if no better message is known, that of the system."""
    reasons = map(_reason_of, _causes(error))
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
        case OSError() if "Tunnel connection failed" in str(cause):
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
