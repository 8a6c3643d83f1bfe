"""`draw_torrents`: made-up torrents of a movie; the hashes belong to nothing."""

from hashlib import sha1
from random import Random
from typing import NamedTuple

from sandbox.catalogue.dates import Moment, at, uploaded_unix
from sandbox.catalogue.quirks import Quirks
from sandbox.catalogue.random_streams import Purpose, pick, random_for

#: YTS counts seeds and peers up to this.
SWARM_LIMIT = 100
_UNKNOWN_RUNTIME_MINUTES = 95
_GIB, _MIB = 2**30, 2**20


class Format(NamedTuple):
    """One encoding of a movie, and the size of a minute."""

    quality: str
    video_codec: str
    bit_depth: str
    audio_channels: str
    mib_per_minute: float


class Torrent(NamedTuple):
    """One torrent of a movie."""

    hash: str
    format: Format
    source: str
    #: "0", "1" or "", as YTS sends it.
    is_repack: str
    seeds: int
    peers: int
    size: str
    size_bytes: int
    uploaded: Moment


_BASIC = (
    Format("720p", "x264", "8", "2.0", 8.9),
    Format("1080p", "x264", "8", "5.1", 18.4),
)
_EXTRA = (
    Format("1080p", "x265", "10", "5.1", 16.2),
    Format("2160p", "x265", "10", "5.1", 46.5),
    Format("3D", "x264", "8", "2.0", 17.9),
)


def draw_torrents(
    seed: int, movie_id: int, runtime_minutes: int, quirks: Quirks, replacements: int = 0
) -> tuple[Torrent, ...]:
    """
    Return made-up torrents of a movie, the earliest first.

    *replacements* is the number of torrents uploaded later; each has its own hash.
    """
    rng = random_for(seed, movie_id, Purpose.TORRENTS)
    formats = [(chosen, pick(rng, ("web", "bluray"))) for chosen in _draw_formats(rng)]
    if "torrents doubled" in quirks:
        formats.append(formats[0])
    formats.extend((_BASIC[1], "web") for _ in range(replacements))
    start = uploaded_unix(seed, movie_id)
    minutes = runtime_minutes or _UNKNOWN_RUNTIME_MINUTES
    torrents = []
    for index, (chosen, source) in enumerate(formats):
        identity = sha1(f"{seed}:{movie_id}:{index}".encode(), usedforsecurity=False)
        size, size_bytes = _size(chosen.mib_per_minute * minutes * rng.uniform(0.9, 1.1))
        torrents.append(
            Torrent(
                hash=identity.hexdigest().upper(),
                format=chosen,
                source=source,
                is_repack="" if chosen.quality == "2160p" else "01"[rng.random() < 0.02],
                seeds=min(int(rng.expovariate(1 / 40)), SWARM_LIMIT),
                peers=min(int(rng.expovariate(1 / 15)), SWARM_LIMIT),
                size=size,
                size_bytes=size_bytes,
                uploaded=at(start),
            )
        )
        start += rng.randrange(1_800, 20_000)
    return tuple(torrents)


def _draw_formats(rng: Random) -> list[Format]:
    extras = [chosen for chosen in _EXTRA[:2] if rng.random() < 0.3]
    if rng.random() < 0.01:
        extras.append(_EXTRA[2])
    return [*_BASIC, *extras]


def _size(mebibytes: float) -> tuple[str, int]:
    """Return the size as YTS writes it ("1.1 GB", not "1.10 GB") and its bytes."""
    if mebibytes >= 1024:
        amount = round(mebibytes / 1024, 2)
        return f"{amount:g} GB", round(amount * _GIB)
    amount = round(mebibytes, 2)
    return f"{amount:g} MB", round(amount * _MIB)
