"""
indexes of titles and of people by the words of their names

Revision ID: 0015
Revises: 0014
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_NAME_WORDS = r"""
    CREATE FUNCTION name_words(name text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN string_to_array(
        btrim(regexp_replace(
            regexp_replace(lower(fold_accents(left(name, 200))), '[''.\u2019]', '', 'g'),
            '[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\xbf\u2000-\u2bff\u3000-\u303f]+', ' ', 'g'
        )),
        ' '
    )"""

_NUMBERS = {
    1: ("i", "one"), 2: ("ii", "two", "second"), 3: ("iii", "three", "third"),
    4: ("iv", "four", "fourth"), 5: ("v", "five", "fifth"), 6: ("vi", "six"), 7: ("vii", "seven"),
    8: ("viii", "eight"), 9: ("ix", "nine"), 10: ("x", "ten"), 11: ("xi", "eleven"),
    12: ("xii", "twelve"), 13: ("xiii", "thirteen"),
}  # fmt: skip
_CASES = " ".join(
    f"WHEN '{word}' THEN '{number}'" for number, words in _NUMBERS.items() for word in words
)
#: Words that people leave out.
_SMALL = "'the', 'a', 'an', 'and', 'part', 'chapter', 'vol', 'volume'"

# Every title that is saved passes this. It calls only built-in functions, because indexes are made
# with an empty search path. 200 characters of any kind are within the size limit of a lexeme.
_NAME_VECTOR = f"""
    CREATE FUNCTION name_vector(words text[]) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
    DECLARE
        word text;
        digits text;
        previous text;
        lexemes text[] := '{{}}';
        typed_key text := '';
        number_key text := '';
    BEGIN
        FOREACH word IN ARRAY words LOOP
            digits := CASE word {_CASES} ELSE word END;
            lexemes := lexemes || ARRAY[
                left(word, 200), left(digits, 200), left(coalesce(previous, '') || word, 200)
            ];
            previous := word;
            IF word NOT IN ({_SMALL}) THEN
                typed_key := typed_key || word;
                number_key := number_key || digits;
            END IF;
        END LOOP;
        IF typed_key = '' THEN
            typed_key := array_to_string(words, '');
            number_key := typed_key;
        END IF;
        RETURN array_to_tsvector(
            lexemes || ARRAY['=' || left(typed_key, 200), '=' || left(number_key, 200)]
        );
    END $$"""

_FUNCTIONS = {"name_words(text)": _NAME_WORDS, "name_vector(text[])": _NAME_VECTOR}
_INDEXES = {"movies": "title", "casts": "name"}


def upgrade() -> None:
    for statement in _FUNCTIONS.values():
        op.execute(statement)
    for table, column in _INDEXES.items():
        op.create_index(
            f"ix_{table}_name_vector",
            table,
            [sa.text(f"name_vector(name_words({column}))")],
            postgresql_using="gin",
        )
    # Statistics of the new expressions.
    op.execute("ANALYZE movies, casts")


def downgrade() -> None:
    for table in _INDEXES:
        op.drop_index(f"ix_{table}_name_vector", table)
    for function in reversed(_FUNCTIONS):
        op.execute(f"DROP FUNCTION {function}")
