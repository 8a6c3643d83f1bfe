"""`BrowseLinks`: addresses of a filtered list; `Chip`: a filter that is active, and its end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from database.search.filters import LANGUAGES
from web.pages.queries import BrowseQuery

#: The name and the value of a parameter.
Pair = tuple[str, str]

_NAMES_OF_LANGUAGES = {code: name.capitalize() for name, code in LANGUAGES.items()}
#: Chinese has several names; the usual ones.
_NAMES_OF_LANGUAGES |= {"zh": "Chinese", "cn": "Cantonese"}
#: Field, what a chip says of both ends, and of one of them.
_RANGES = (
    ("year", "{low} to {high}", "since {low}", "until {high}"),
    ("rating", "rated {low} to {high}", "rated {low} or more", "rated {high} or less"),
    ("runtime", "{low} to {high} minutes", "{low} minutes or more", "{high} minutes or less"),
)
_TIMES = (
    ("added_since", "in this mirror since {}"),
    ("added_before", "in this mirror before {}"),
    ("updated_since", "changed since {}"),
)


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is active."""

    text: str
    #: The parameters of the list without it.
    rest: list[Pair]


def language_name(code: str) -> str:
    """Return the English name of a language, or its code."""
    return _NAMES_OF_LANGUAGES.get(code.lower(), code)


def pairs_of(query: BrowseQuery) -> list[Pair]:
    """Return the parameters of a list that differ from the usual ones, without its place."""
    values = query.model_dump(exclude_defaults=True, exclude={"after", "before"})
    return [
        (name, _as_text(each))
        for name, value in values.items()
        for each in (value if isinstance(value, tuple | list) else [value])
    ]


def chips_of(query: BrowseQuery) -> list[Chip]:
    """Return the active filters of a list."""
    pairs = pairs_of(query)
    return [
        Chip(text, [pair for pair in pairs if pair not in ended]) for text, ended in _active(query)
    ]


def _active(query: BrowseQuery) -> Iterator[tuple[str, list[Pair]]]:
    """Yield each active filter in words, with its parameters."""
    for genre in query.genre:
        yield genre, [("genre", genre)]
    for code in query.language:
        yield language_name(code), [("language", code)]
    for name, both, from_low, to_high in _RANGES:
        low, high = getattr(query, f"{name}_from"), getattr(query, f"{name}_to")
        if low is None and high is None:
            continue
        wording = both if None not in (low, high) else from_low if high is None else to_high
        if name == "year" and low == high:
            wording = "{low}"
        ends = [(f"{name}_from", low), (f"{name}_to", high)]
        text = wording.format(low=_as_text(low), high=_as_text(high))
        yield text, [(end, _as_text(value)) for end, value in ends if value is not None]
    if query.quality:
        yield query.quality, [("quality", query.quality)]
    for name, wording in _TIMES:
        if (time := getattr(query, name)) is not None:
            yield wording.format(_day(time)), [(name, _as_text(time))]
    if query.with_gone:
        yield "with removed movies", [("with_gone", "true")]


def _as_text(value: object) -> str:
    """Return *value* as the parameter is written."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return _day(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _day(time: datetime) -> str:
    """Return a day, or a time that is not its beginning."""
    is_day = (time.hour, time.minute, time.second, time.microsecond) == (0, 0, 0, 0)
    return f"{time:%Y-%m-%d}" if is_day else f"{time:%Y-%m-%dT%H:%M:%SZ}"
