"""`count_edits` and `closest_match`: the number of typing errors between two words; pure."""

from collections.abc import Iterable


def count_edits(one: str, other: str) -> int:
    """Return the minimum number of letters added, left out, replaced or swapped with the next."""
    rows: list[list[int]] = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, second in enumerate(other, start=1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != second))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == second:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


def closest_match(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate with the fewest edits, ignoring case; None if none is close."""
    typed = word.strip().lower()[:50]
    edits = {word: count_edits(typed, word.lower()) for word in candidates}
    best = min(edits, key=lambda word: (edits[word], word), default=None)
    if best is None or edits[best] > max(2, len(best) // 2):
        return None
    # Codes of two letters are always close to each other.
    return best if edits[best] < len(best) else None
