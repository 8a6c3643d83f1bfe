"""`nasty_value`, `mutate`: unexpected values, put anywhere into a response of YTS."""

import random
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

#: A megabyte that cannot be compressed, because the size of index entries is limited.
_DENSE_MEGABYTE = random.Random(1).randbytes(500_000).hex()

_NUMBERS = [0, -0.0, 1, -1, 0.04, 0.05, 7.25, 10.04, 1e308, -1e308, 2**15, 2**31 - 1, 2**31]
_NUMBERS += [2**53 + 1, 2**63 - 1, 2**63, -(2**63), 10**400, 253_402_300_799, 253_402_300_800]
_NUMBERS += [float("inf"), float("-inf"), float("nan")]
_TEXTS = ["", " ", "0", "-1", "1e999", "nan", "Infinity", "true", "null", "NULL", "\\N", "\\", "%s"]
_TEXTS += ["a\0b", "\0", "\x1b[2J\x07\r", "\u202eevil\u2066", "\ufeff", "\u2028", "😀 Żółć 東京"]
_TEXTS += ["\ud800", "\udfff\ud800", "a\ud83d", "'; DROP TABLE movies; --", '{"a","b"}', "$$", ":x"]
_TEXTS += [
    "a\u0301" * 2000,
    "x" * 1_000_000,
    _DENSE_MEGABYTE,
    "\U0001d518 " * 60_000,
    "a-b/c.d@e " * 30_000,
]
_DATES = ["0000-00-00 00:00:00", "0001-01-01 00:00:00", "0001-01-03", "9999-12-31 23:59:59"]
_DATES += ["2024-02-30 10:00:00", "2015-11-01T03:51:26+14:00", "20151101", "1900-01-01 00:00:01"]
_DATES += ["10000-01-01", "-4713-01-01", "infinity", "now", "2024-03-31 02:30:00", "2024-W10-1"]
_NESTS: list[Any] = [[], {}, [None] * 3, [[]], [{}], {"0": "Action"}, [{"name": None}] * 2]
_NESTS += [[{"hash": "A" * 40}, {"hash": "a" * 40}], ["Drama", "Drama", " Drama"], "[]", "{'a': 1}"]

nasty_value = st.one_of(
    st.sampled_from([None, True, False, *_NUMBERS]),
    st.sampled_from(_TEXTS),
    st.sampled_from(_DATES),
    st.sampled_from(_NESTS),
    st.integers(),
    st.floats(),
    st.text(),
)


def mutate(response: Any, value: Any, generator: random.Random) -> None:
    """Replace a random node of *response* by *value*, delete or double it, or copy it elsewhere."""
    parent, key = _walk(response, generator)
    if parent is None:
        return
    action = generator.choice(["replace", "replace", "replace", "drop", "double", "move"])
    if action == "drop":
        del parent[key]
    elif action == "double" and isinstance(parent, list):
        parent.append(deepcopy(parent[key]))
    elif action == "move":
        other, other_key = _walk(response, generator)
        other[other_key] = deepcopy(parent[key])
    else:
        parent[key] = deepcopy(value)


def _walk(response: Any, generator: random.Random) -> tuple[Any, Any]:
    """Return the parent of a random node, and the key of the node there."""
    parent, key, node = None, None, response
    while isinstance(node, dict | list) and node and (parent is None or generator.random() < 0.7):
        keys = list(node) if isinstance(node, dict) else range(len(node))
        parent, key = node, generator.choice(keys)
        node = parent[key]
    return parent, key
