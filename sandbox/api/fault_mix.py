"""`FaultMix`: choose the fault of each request from its number, the same for the same seed."""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

from sandbox.api.faults import FAULTS

#: Stands for all faults of an endpoint, in equal shares.
ALL = "all"


class FaultMix:
    """
    A share of the requests for each fault.

    The same seed and request number always give the same fault. The share of a fault of one
    endpoint is a share of the requests to that endpoint.

    Raises:
        ValueError: for an unknown name or an impossible share; the message is for the user.
    """

    def __init__(self, shares: Mapping[str, float], seed: int) -> None:
        for name, share in shares.items():
            check_share(name, share)
        if sum(shares.values()) > 1 + 1e-9:
            raise ValueError("The shares of all faults together must not exceed 1.")
        self._shares = dict(shares)
        self._seed = seed
        self._thresholds = lru_cache(self._make_thresholds)

    def choose(self, endpoint: str, request_number: int) -> str | None:
        """Return the fault of one request, None for an intact response."""
        if not self._shares:
            return None
        draw = _random_share(self._seed, request_number)
        return next((name for name, top in self._thresholds(endpoint) if draw < top), None)

    def _make_thresholds(self, endpoint: str) -> tuple[tuple[str, float], ...]:
        """Return cumulated shares: the first name whose threshold is above the draw is chosen."""
        names = [name for name, fault in FAULTS.items() if fault.endpoint in (None, endpoint)]
        equal_share = self._shares.get(ALL, 0.0) / len(names)
        top, thresholds = 0.0, []
        for name in names:
            top += self._shares.get(name, 0.0) + equal_share
            thresholds.append((name, top))
        return tuple(thresholds)


def check_share(name: str, share: float) -> None:
    """Raise ValueError with a message for the user if the fault or the share is invalid."""
    if name != ALL and name not in FAULTS:
        raise ValueError(f"There is no fault {name!r}; choose from {ALL}, {', '.join(FAULTS)}.")
    if not 0 <= share <= 1:
        raise ValueError(f"The share of {name!r} must be between 0 and 1, not {share}.")


def _random_share(seed: int, request_number: int) -> float:
    digest = blake2b(b"%d:%d" % (seed, request_number), digest_size=6).digest()
    return int.from_bytes(digest) / 2**48
