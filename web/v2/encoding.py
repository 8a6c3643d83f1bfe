"""`encoded`: JSON in the encoding of the YTS API, which is that of PHP."""

import codecs
import json
from functools import lru_cache

#: Name of the error handler for characters that are not ASCII.
_ESCAPES = "yts json escapes"


def encoded(text: str) -> bytes:
    r"""Return JSON in ASCII, with slashes as PHP writes them: \/. They stand only in strings."""
    return text.encode("ascii", _ESCAPES).replace(b"/", b"\\/")


def _escape(error: UnicodeError) -> tuple[str, int]:
    r"""Return characters that are not ASCII as PHP writes them, \uXXXX, and where they end."""
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101 -- for the types
    return _escapes(error.object[error.start : error.end]), error.end


@lru_cache(1024)
def _escapes(characters: str) -> str:
    return json.dumps(characters)[1:-1]


# The encoder calls it for the few parts that need it; a regular expression that looks for them
# takes ten times as long as all the rest.
codecs.register_error(_ESCAPES, _escape)
