"""`Why`: what two movies have in common; `reasons_of` says it in words (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass

#: Number of names, and of words, that are said.
_MOST = 3


@dataclass(frozen=True, slots=True)
class Why:
    """What a movie has in common with another one."""

    genres: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    #: Years after the other one; negative: before it. None if a year is unknown.
    years_later: int | None = None
    #: Pairs of words of similar meaning, one of each plot, the best first. The same word twice if
    #: both have it, in any form.
    words: tuple[tuple[str, str], ...] = ()


def reasons_of(why: Why) -> list[str]:
    """Return what the movies share, the most telling first; empty if they share nothing."""
    words = [one if one == other else f"{one} / {other}" for one, other in why.words]
    reasons = [
        f"also with {_listed(why.cast)}" if why.cast else "",
        f"also about {_listed(words)}" if words else "",
        f"also {', '.join(why.genres)}" if why.genres else "",
        _years_in_words(why.years_later),
    ]
    return [reason for reason in reasons if reason]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST])


def _years_in_words(later: int | None) -> str:
    if later is None:
        return ""
    if later == 0:
        return "the same year"
    years = f"{abs(later)} year{'' if abs(later) == 1 else 's'}"
    return f"{years} {'later' if later > 0 else 'earlier'}"
