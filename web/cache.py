"""`ResponseCache`: responses that are valid for one revision of the database; `CachedBody`."""

import gzip
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Self

#: Smaller bodies do not get smaller enough.
_SMALLEST_GZIP = 1000


@dataclass(frozen=True, slots=True)
class CachedBody:
    """The bytes of a response, as they are and compressed, with a tag of their content."""

    plain: bytes
    #: None if compressing does not pay.
    compressed: bytes | None
    #: As in the header `ETag`, with quotes.
    etag: str

    @classmethod
    def of(cls, plain: bytes) -> Self:
        """Compress a body and compute its tag."""
        compressed = gzip.compress(plain, 1, mtime=0) if len(plain) >= _SMALLEST_GZIP else None
        digest = hashlib.blake2b(plain, digest_size=12).hexdigest()
        return cls(plain, compressed, f'"{digest}"')

    @property
    def size(self) -> int:
        """Return the bytes that it takes."""
        return len(self.plain) + len(self.compressed or b"")


class ResponseCache:
    """Keeps the bodies that were used last, all of the same revision; for one thread."""

    def __init__(self, max_bytes: int) -> None:
        """Keep at most *max_bytes* of bodies."""
        self._max_bytes = max_bytes
        self._bytes = 0
        self._revision: str | None = None
        self._bodies: OrderedDict[str, CachedBody] = OrderedDict()

    def has(self, key: str) -> bool:
        """Return whether there is a body of *key*."""
        return key in self._bodies

    def get(self, key: str) -> CachedBody | None:
        """Return the body of *key*, if it is of the current revision."""
        body = self._bodies.get(key)
        if body is not None:
            self._bodies.move_to_end(key)
        return body

    def note_revision(self, revision: str) -> None:
        """Forget all bodies if *revision* is not theirs."""
        if revision != self._revision:
            self._revision = revision
            self._bodies.clear()
            self._bytes = 0

    def put(self, key: str, revision: str, body: CachedBody) -> None:
        """Keep *body*, unless another revision is current already."""
        if revision != self._revision or key in self._bodies or body.size > self._max_bytes:
            return
        self._bodies[key] = body
        self._bytes += body.size
        while self._bytes > self._max_bytes:
            _, oldest = self._bodies.popitem(last=False)
            self._bytes -= oldest.size
