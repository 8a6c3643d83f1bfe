"""`suggest`: titles, people and genres as one types; `closest_names`: what was mistyped."""

from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from database.search.edit_distance import count_edits
from database.search.keyset import is_storable

#: Characters of a search that count; longer ones are not the beginning of a title.
_LONGEST = 80
#: Of titles or people with one beginning, this many are sorted by likes, or by movies.
_SORTED = 300
#: A word inside a title is looked for if it has this many letters.
_FEWEST_LETTERS = 3
#: Places among the suggestions for people and for genres, if there are that many.
_FOR_PEOPLE, _FOR_GENRES = 2, 1
#: Of names with one beginning and about the same length, this many are compared.
_COMPARED = 400
#: Longer texts are not compared, because that takes the product of both lengths.
_LONGEST_COMPARED = 40
#: Characters of a key that a name must share with a mistyped one, apart from an article.
_SHARED = 2
_MOST_HINTS = 3
#: A typing error for each of this many characters.
_EACH_ERROR = 4

Kind = Literal["title", "person", "genre"]

# The range is what an index is read for; U+10FFFF comes after all letters.
_SUGGESTIONS: Final = text("""
    WITH typed AS MATERIALIZED (
        SELECT search_key(:text) AS key,
            (SELECT string_agg(quote_literal(word), ' & ') || ':*'
             FROM unnest(name_words(:text)) word WHERE length(:text) >= :fewest) AS words
    ), beginnings AS (SELECT key FROM typed UNION ALL SELECT 'the' || key FROM typed),
    begun AS MATERIALIZED (
        SELECT title, like_count FROM beginnings b CROSS JOIN LATERAL (
            SELECT title, like_count FROM movies
            WHERE search_key(title) >= b.key AND search_key(title) < b.key || chr(1114111)
                AND gone_since IS NULL
            LIMIT :sorted
        ) m
    ), titles AS (
        SELECT title, 0 AS place, like_count FROM begun
        UNION ALL (
            SELECT title, 1, like_count FROM typed CROSS JOIN LATERAL (
                SELECT title, like_count FROM movies
                WHERE name_vector(name_words(title)) @@ CAST(typed.words AS tsquery)
                    AND gone_since IS NULL AND (SELECT count(*) FROM begun) < :limit
                LIMIT :sorted
            ) m
        )
    )
    (SELECT title, 'title' FROM titles GROUP BY title
     ORDER BY min(place), max(like_count) DESC NULLS LAST, title LIMIT :limit)
    UNION ALL (
        SELECT name, 'person' FROM typed CROSS JOIN LATERAL (
            SELECT name, (SELECT count(*) FROM movie_casts WHERE cast_id = casts.id) AS movies
            FROM casts WHERE search_key(name) >= key AND search_key(name) < key || chr(1114111)
            LIMIT :sorted
        ) people
        GROUP BY name ORDER BY max(movies) DESC, name LIMIT :limit
    )
    UNION ALL (
        SELECT name, 'genre' FROM genres, typed
        WHERE left(search_key(name), length(key)) = key ORDER BY name LIMIT :limit
    )""")
_ALIKE: Final = text("""
    WITH typed AS (SELECT search_key(:text) AS key),
    beginnings AS (
        SELECT key, left(key, :shared) AS beginning, length(key) AS length FROM typed
        UNION ALL SELECT key, 'the' || left(key, :shared), length(key) + 3 FROM typed
    )
    (SELECT key, m.name_key, m.title FROM beginnings b CROSS JOIN LATERAL (
        SELECT search_key(title) AS name_key, title, like_count FROM movies
        WHERE search_key(title) >= beginning AND search_key(title) < beginning || chr(1114111)
            AND abs(length(search_key(title)) - b.length) <= length(key) / :each
            AND gone_since IS NULL
        LIMIT :compared
     ) m
     ORDER BY m.like_count DESC NULLS LAST, m.title)
    UNION ALL (SELECT key, c.name_key, c.name FROM beginnings b CROSS JOIN LATERAL (
        SELECT search_key(name) AS name_key, name FROM casts
        WHERE search_key(name) >= beginning AND search_key(name) < beginning || chr(1114111)
            AND abs(length(search_key(name)) - b.length) <= length(key) / :each
        LIMIT :compared
     ) c
     ORDER BY c.name)""")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a text may become when it is typed to its end."""

    text: str
    kind: Kind


def suggest(session: Session, typed: str, limit: int) -> list[Suggestion]:
    """
    Return titles, people and genres that begin like *typed*.

    Titles with most likes come first, then those with *typed* inside; people with most movies.
    """
    if not _is_usable(typed):
        return []
    values = {"text": typed, "limit": limit, "sorted": _SORTED, "fewest": _FEWEST_LETTERS}
    found = [Suggestion(name, kind) for name, kind in session.execute(_SUGGESTIONS, values)]
    titles, people, genres = (
        [each for each in found if each.kind == kind] for kind in ("title", "person", "genre")
    )
    genres = genres[:_FOR_GENRES]
    most = limit - len(genres) - len(people[:_FOR_PEOPLE])
    return [*titles[:most], *people, *titles[most:]][: limit - len(genres)] + genres


def closest_names(session: Session, typed: str) -> list[str]:
    """Return titles and names of people that are written nearly like *typed*, the nearest first."""
    if not _is_usable(typed) or len(typed) > _LONGEST_COMPARED:
        return []
    values = {"text": typed, "shared": _SHARED, "compared": _COMPARED, "each": _EACH_ERROR}
    near = [
        (errors, place, name)
        for place, (key, other, name) in enumerate(session.execute(_ALIKE, values))
        if (errors := _count_errors(key, other)) <= len(key) // _EACH_ERROR
    ]
    return [*dict.fromkeys(name for _, _, name in sorted(near))][:_MOST_HINTS]


def _count_errors(key: str, other: str) -> int:
    """Return the errors between two keys; an article that was not typed is none."""
    return count_edits(key, other if key.startswith("the") else other.removeprefix("the"))


def _is_usable(typed: str) -> bool:
    return len(typed) <= _LONGEST and is_storable(typed)
