"""`suggest_titles`, `closest_titles`: titles and names that begin or sound like a text."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from database.search.edit_distance import count_edits
from database.search.keyset import is_storable

#: Characters of a search that count; longer ones are not the beginning of a title.
_LONGEST = 80
#: Of titles with one beginning, this many are sorted by likes.
_SORTED = 500
#: Of titles with one beginning and about the same length, this many are compared.
_COMPARED = 100
#: Longer texts are not compared, because that takes the product of both lengths.
_LONGEST_COMPARED = 40
#: Characters of a key that a title must share with a mistyped one.
_SHARED = 3
_MOST_HINTS = 3
#: A typing error for each of this many characters.
_EACH_ERROR = 4

# The range is what an index is read for; U+10FFFF comes after all letters.
_TITLES: Final = text("""
    WITH typed AS (SELECT search_key(:text) AS key),
    beginnings AS (SELECT key FROM typed UNION ALL SELECT 'the' || key FROM typed)
    SELECT title FROM (
        SELECT m.title, m.like_count
        FROM beginnings b CROSS JOIN LATERAL (
            SELECT title, like_count FROM movies
            WHERE search_key(title) >= b.key AND search_key(title) < b.key || chr(1114111)
                AND gone_since IS NULL
            LIMIT :sorted
        ) m
    ) titles
    GROUP BY title ORDER BY max(like_count) DESC NULLS LAST, title LIMIT :limit""")
_NAMES: Final = text("""
    WITH typed AS (SELECT search_key(:text) AS key)
    SELECT DISTINCT name FROM typed CROSS JOIN LATERAL (
        SELECT name FROM casts
        WHERE search_key(name) >= key AND search_key(name) < key || chr(1114111)
        LIMIT :limit
    ) people
    ORDER BY name""")
_ALIKE: Final = text("""
    WITH typed AS (SELECT search_key(:text) AS key)
    SELECT typed.key, m.key, m.title FROM typed CROSS JOIN LATERAL (
        SELECT search_key(title) AS key, title, like_count FROM movies
        WHERE search_key(title) >= left(typed.key, :shared)
            AND search_key(title) < left(typed.key, :shared) || chr(1114111)
            AND abs(length(search_key(title)) - length(typed.key)) <= length(typed.key) / :each
            AND gone_since IS NULL
        LIMIT :compared
    ) m
    ORDER BY m.like_count DESC NULLS LAST, m.title""")


def suggest_titles(session: Session, typed: str, limit: int) -> list[str]:
    """Return titles that begin like *typed*, most likes first, then names of people."""
    if not _is_usable(typed):
        return []
    values = {"text": typed, "limit": limit, "sorted": _SORTED}
    titles = list(session.scalars(_TITLES, values))
    names = session.scalars(_NAMES, {"text": typed, "limit": max(2, limit - len(titles))})
    return [*dict.fromkeys([*titles[: limit - 2], *names, *titles])][:limit]


def closest_titles(session: Session, typed: str) -> list[str]:
    """Return titles that are written nearly like *typed*, the nearest first."""
    if not _is_usable(typed) or len(typed) > _LONGEST_COMPARED:
        return []
    values = {"text": typed, "shared": _SHARED, "compared": _COMPARED, "each": _EACH_ERROR}
    near = [
        (errors, place, title)
        for place, (key, other, title) in enumerate(session.execute(_ALIKE, values))
        if (errors := count_edits(key, other)) <= len(key) // _EACH_ERROR
    ]
    return [*dict.fromkeys(title for _, _, title in sorted(near))][:_MOST_HINTS]


def _is_usable(typed: str) -> bool:
    return len(typed) <= _LONGEST and is_storable(typed)
