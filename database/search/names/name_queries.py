"""`NameQuery`: a query as words of a title or of a person's name, and as tsqueries for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from database.search.facets import read_years
from database.search.keywords import quoted
from database.search.query_words import QueryWords

#: What people leave out; `name_vector` leaves it out of whole names.
_SMALL = frozenset(["the", "a", "an", "and", "part", "chapter", "vol", "volume"])


@dataclass(frozen=True, slots=True)
class NameQuery:
    """A query as the words of a name."""

    #: For each word: itself without accents, the number that it means, and guesses.
    spellings: tuple[tuple[str, ...], ...]
    #: The years of the movie, if a word that is not among these was a year.
    years: tuple[int, int] | None = None

    @property
    def words(self) -> list[str]:
        """The words as they were typed, without accents."""
        return [each[0] for each in self.spellings]

    @property
    def whole(self) -> str:
        """The tsquery for the whole name, as it is and with numbers as digits."""
        telling = _telling(self.spellings)
        keys = {"".join(each[place] for each in telling) for place in (0, -1)}
        return " | ".join(quoted(f"={key[:200]}") for key in sorted(keys))

    @property
    def parts(self) -> str:
        """
        The tsquery for names with all words, of which the last may be cut off.

        Two words may be one in the name. One word that is two there is a lexeme of `name_vector`.
        """
        words = self.words
        joined = (
            (*self.spellings[:at], (words[at] + words[at + 1],), *self.spellings[at + 2 :])
            for at in range(len(words) - 1)
        )
        return " | ".join(f"({_all_of(each)})" for each in (self.spellings, *joined))

    @property
    def beginning(self) -> str:
        """The tsquery for names that begin with all the words."""
        return f"({self.whole.replace(' | ', ':* | ')}:*) & {_all_of(self.spellings, is_cut=False)}"

    def without_number(self) -> "tuple[NameQuery, int] | None":
        """Return the name without its last word, and the number that this word is; else None."""
        *left, last = self.spellings
        number = next((int(each) for each in last if each.isdecimal()), None)
        return (NameQuery(tuple(left)), number) if left and number else None

    def without_year(self) -> "NameQuery | None":
        """Return the name without its last word that is a year; None if nothing is left."""
        for place in reversed(range(len(self.spellings))):
            if (years := read_years(self.words[place])) and len(self.spellings) > 1:
                left = self.spellings[:place] + self.spellings[place + 1 :]
                return NameQuery(left, years)
        return None


def _telling(spellings: Sequence[tuple[str, ...]]) -> Sequence[tuple[str, ...]]:
    """Return the words that people do not leave out; all, if there are no others."""
    return [each for each in spellings if each[0] not in _SMALL] or spellings


def _all_of(spellings: Sequence[tuple[str, ...]], *, is_cut: bool = True) -> str:
    telling = _telling(spellings)
    *first, last = (list(map(quoted, each)) for each in telling)
    word = telling[-1][0]
    # A number is not the beginning of another one, and a letter alone begins too many words.
    if is_cut and not any(map(str.isdecimal, telling[-1])) and (first or len(word) > 1):
        last[0] += ":*"
    return " & ".join(f"({' | '.join(each)})" for each in (*first, last))


def name_query_of(query: QueryWords) -> NameQuery:
    """Return the words of *query* as they are in the indexes of names."""
    return NameQuery(
        tuple(
            (word, *(it for it in lexemes if it != word and not it.startswith("=")))
            for word, lexemes in query.in_names
        )
    )
