"""`ResponseCache`: responses of one revision of the database; `CachedBody`; `RecentlyUsed`."""

import gzip
import zlib
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

#: Bytes. Compressing a shorter body saves too little.
_SMALLEST_GZIP = 1000


class CachedBody:
    """The bytes of a response with a tag of their content, compressed when first needed."""

    __slots__ = ("_compressed", "etag", "plain")

    def __init__(self, plain: bytes, tag: str = "") -> None:
        """Compute the tag, if none is given."""
        self.plain = plain
        #: As in the header `ETag`, with quotes.
        self.etag = f'"{tag or tag_of(plain)}"'
        self._compressed: bytes | None = None

    def compressed(self) -> bytes | None:
        """Return the bytes compressed by gzip; None if that saves too little."""
        if self._compressed is None and len(self.plain) >= _SMALLEST_GZIP:
            # A higher level costs four times as much and saves a tenth of the bytes.
            self._compressed = gzip.compress(self.plain, 1, mtime=0)
        return self._compressed

    @property
    def size(self) -> int:
        """Return the bytes that it takes at most; JSON is compressed to a third or less."""
        return len(self.plain) * 4 // 3


def tag_of(content: bytes) -> str:
    """Return a text that is hardly ever the same for two contents."""
    return f"{len(content):x}-{zlib.crc32(content):08x}{zlib.adler32(content):08x}"


class HasSize(Protocol):
    """A value that can be kept."""

    @property
    def size(self) -> int:
        """Return the bytes that it takes; always the same number."""


Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value", bound=HasSize)


class RecentlyUsed(Generic[Key, Value]):
    """Keeps the values that were used last, up to a number of bytes; for one thread."""

    def __init__(self, max_bytes: int) -> None:
        """Keep values of at most *max_bytes*."""
        self._max_bytes = max_bytes
        self._bytes = 0
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def __contains__(self, key: Key) -> bool:
        """Return whether there is a value of *key*."""
        return key in self._values

    def get(self, key: Key) -> Value | None:
        """Return the value of *key*, which counts as used now."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Keep *value* instead of an earlier one, and forget those that were not used longest."""
        self.forget(key)
        self._values[key] = value
        self._bytes += value.size
        while self._bytes > self._max_bytes:
            _, oldest = self._values.popitem(last=False)
            self._bytes -= oldest.size

    def forget(self, key: Key) -> None:
        """Forget the value of *key*, if there is one."""
        if (old := self._values.pop(key, None)) is not None:
            self._bytes -= old.size

    def clear(self) -> None:
        """Forget all values."""
        self._values.clear()
        self._bytes = 0


class ResponseCache:
    """Keeps the bodies that were used last, all of the same revision; for one thread."""

    def __init__(self, max_bytes: int) -> None:
        """Keep at most *max_bytes* of bodies."""
        self._max_bytes = max_bytes
        self._revision: str | None = None
        self._bodies = RecentlyUsed[str, CachedBody](max_bytes)

    def has(self, key: str) -> bool:
        """Return whether there is a body of *key*."""
        return key in self._bodies

    def get(self, key: str) -> CachedBody | None:
        """Return the body of *key*, if it is of the current revision."""
        return self._bodies.get(key)

    def note_revision(self, revision: str) -> None:
        """Forget all bodies if they belong to another revision than *revision*."""
        if revision != self._revision:
            self._revision = revision
            self._bodies.clear()

    def put(self, key: str, revision: str, body: CachedBody) -> None:
        """Keep *body*, unless another revision is current already."""
        if revision != self._revision or key in self._bodies or body.size > self._max_bytes:
            return
        self._bodies.put(key, body)
