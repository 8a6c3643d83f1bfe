"""`encode_cursor`, `decode_cursor`: a position in a list, or a place, as a text for URLs."""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from database.search.keyset import BadPosition

#: Characters. Every cursor of a list is shorter.
LONGEST_CURSOR = 5000


def encode_cursor(order: str, position: Sequence[Any]) -> str:
    """Return the cursor of *position* in a list with this *order*."""
    values = [each.isoformat() if isinstance(each, datetime) else each for each in position]
    text = json.dumps([order, *values], ensure_ascii=False, separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(order: str, cursor: str | None) -> list[Any] | None:
    """
    Return the values in *cursor*, which a client has sent; None for the beginning of the list.

    Raises:
        BadPosition: it is not the cursor of a list with this *order*.
    """
    if cursor is None:
        return None
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        values = json.loads(text)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise BadPosition from error
    if not isinstance(values, list) or values[:1] != [order]:
        raise BadPosition
    return values[1:]


def decode_place(order: str, cursor: str | None) -> int:
    """
    Return the number in *cursor*; 0 for the beginning of the list.

    Raises:
        BadPosition: it is not the cursor of a list with this *order*.
    """
    values = decode_cursor(order, cursor)
    match values:
        case None:
            return 0
        case [int(place)] if 0 < place < 2**31:
            return place
    raise BadPosition


def check_time(value: object) -> str:
    """
    Return *value*, from a cursor, as a time in ISO 8601.

    Raises:
        BadPosition: it is not a time.
    """
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError) as error:
        raise BadPosition from error
