"""`count_unknown`, `add_counts`: count the fields that YTS sends and no column stores (pure)."""

from collections import Counter
from collections.abc import Iterable, Mapping

from yts.payload import MoviePayload
from yts.printable import one_line

#: Fields that YTS sends and this project leaves out: constants, derived values and obsolete fields.
UNSTORED_FIELDS = frozenset(
    {"state", "download_count", "rt_critics_score", "rt_audience_score"}
    | {f"{size}_screenshot_image{number}" for size in ("medium", "large") for number in (1, 2, 3)}
)
#: Distinct names that are kept in one run, because a server could send any number of them.
MAX_NAMES = 20
MAX_NAME_LENGTH = 60
#: Counts the names that are not kept.
OTHER_FIELDS = "(others)"


def count_unknown(movies: Iterable[MoviePayload]) -> Counter[str]:
    """Count the fields of *movies* that are neither stored nor deliberately left out."""
    counts: Counter[str] = Counter()
    for movie in movies:
        for name in movie.model_extra or ():
            if name not in UNSTORED_FIELDS:
                _count(counts, one_line(name, MAX_NAME_LENGTH) or "?", 1)
    return counts


def add_counts(first: Mapping[str, int], second: Mapping[str, int]) -> Counter[str]:
    """Return the sum of two counts with at most MAX_NAMES names; names of *first* have priority."""
    counts = Counter(first)
    for name, count in second.items():
        _count(counts, name, count)
    return counts


def _count(counts: Counter[str], name: str, count: int) -> None:
    names = len(counts) - (OTHER_FIELDS in counts)
    counts[name if name in counts or names < MAX_NAMES else OTHER_FIELDS] += count
