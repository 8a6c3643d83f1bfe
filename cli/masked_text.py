"""`masked`: replace the secrets in a text such as a traceback."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

#: Variables that may contain a password: settings of this program and of libraries.
_NAMES = re.compile(r"(YTS_)?(DATABASE|API)_URL|\w+_proxy|PGPASSWORD", re.IGNORECASE)
_USERINFO = re.compile(r"://(\S*)@")
_PARAMETER = re.compile(
    r"(?i)\b(\w*(?:password|passwd|secret|token|key)\s*[=:]\s*)('[^']*'|[^\s&]+)"
)
#: Minimum length: shorter secrets occur within many words.
_SHORTEST_SECRET = 4


def masked(text: str) -> str:
    """Return *text*, such as a traceback, without known secrets and text that looks like one."""
    for secret in sorted(_known_secrets(), key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return _PARAMETER.sub(r"\1***", _USERINFO.sub("://***@", text))


def _known_secrets() -> Iterator[str]:
    """Yield the passwords in arguments and variables of this process, in all spellings."""
    values = [value for name, value in os.environ.items() if _NAMES.fullmatch(name)]
    with suppress(KeyError, OSError, UnicodeDecodeError):
        values.append(Path(os.environ["DATABASE_URL_FILE"]).read_text(encoding="utf-8").strip())
    if password := os.environ.get("PGPASSWORD"):
        yield password
    yield from _ping_secrets()
    for value in (*sys.argv[1:], *values):
        scheme, _, rest = value.partition("://")
        user, _, password = rest.rpartition("@")[0].partition(":")
        if scheme.endswith(("http", "https")):  # There a token may be in place of the user.
            password = password or user
        secrets = [password, *(match[2] for match in _PARAMETER.finditer(value))]
        for secret in filter(None, secrets):
            yield from (secret, unquote(secret), repr(unquote(secret))[1:-1])


def _ping_secrets() -> Iterator[str]:
    """Yield the secret parts of the URL of `--ping`, from arguments and the variable."""
    typed = [value for name, value in pairwise(sys.argv) if name == "--ping"]
    typed += [value.partition("=")[2] for value in sys.argv if value.startswith("--ping=")]
    for url in (*typed, os.environ.get("YTS_PING", "")):
        secret = url.strip().partition("://")[2].partition("/")[2].rstrip("/")
        # Services have a UUID or a key at different places of the path; words in it are short.
        yield from (secret, *(part for part in re.split(r"[/?&=]", secret) if len(part) >= 8))
