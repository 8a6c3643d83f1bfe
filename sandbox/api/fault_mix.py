"""Which requests go wrong, and how: decided before they come."""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

from sandbox.api.faults import FAULTS

#: Stands for every fault that an endpoint can have, evenly.
ALL = "all"


class FaultMix:
    """
    A share of the requests for each fault.

    The same seed and request number always meet the same fault. A fault that belongs to one
    endpoint takes its share of that endpoint's requests.

    Raises:
        ValueError: on an unknown name or an impossible share; the text is fit for a user.
    """

    def __init__(self, shares: Mapping[str, float], seed: int) -> None:
        for name, share in shares.items():
            check_share(name, share)
        if sum(shares.values()) > 1 + 1e-9:
            raise ValueError("The shares of all faults together must not exceed 1.")
        self._shares = dict(shares)
        self._seed = seed
        self._ladder = lru_cache(self._make_ladder)

    def choose(self, endpoint: str, request_number: int) -> str | None:
        """Give the fault of one request, None for an honest answer."""
        if not self._shares:
            return None
        lot = _lot(self._seed, request_number)
        return next((name for name, top in self._ladder(endpoint) if lot < top), None)

    def _make_ladder(self, endpoint: str) -> tuple[tuple[str, float], ...]:
        """Stack the shares: a lot below a name's top and above the one before is that name's."""
        names = [name for name, fault in FAULTS.items() if fault.endpoint in (None, endpoint)]
        even = self._shares.get(ALL, 0.0) / len(names)
        top, ladder = 0.0, []
        for name in names:
            top += self._shares.get(name, 0.0) + even
            ladder.append((name, top))
        return tuple(ladder)


def check_share(name: str, share: float) -> None:
    """Raise ValueError, with a sentence for the user, if there is no such fault or share."""
    if name != ALL and name not in FAULTS:
        raise ValueError(f"There is no fault {name!r}; choose from {ALL}, {', '.join(FAULTS)}.")
    if not 0 <= share <= 1:
        raise ValueError(f"The share of {name!r} must be between 0 and 1, not {share}.")


def _lot(seed: int, request_number: int) -> float:
    digest = blake2b(b"%d:%d" % (seed, request_number), digest_size=6).digest()
    return int.from_bytes(digest) / 2**48
