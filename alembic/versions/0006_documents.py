"""
documents: the texts of a movie that can be searched

Revision ID: 0006
Revises: 0005

The cast is in another table, so a generated column cannot contain its names. Writers now fill
`search_vector` from the view `movie_documents`, and `document_hash` shows whether it is up to date.
Every movie is rewritten, which takes about a minute for 77,500 movies.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Letters such as those with a stroke, which Unicode does not decompose, and typographic signs.
_FROM = (
    r"\00D8\00F8\0141\0142\0110\0111\00D0\00F0\0131\0126\0127\00DE\00FE"
    r"\00AB\00BB\2039\203A\2018\2019\201A\201B\201C\201D\201E\2010\2011\2012\2013\2014\2015\00B7\2022"
)
_TO = "OoLlDdDdiHhTt" + '""""' + "''''" + '"""' + "------" + "  "

# SQL-standard function bodies are bound when they are created, so the search path of the caller has
# no effect. A database without Unicode cannot decompose letters.
_FOLD_ACCENTS = f"""
    DO $migration$
    DECLARE
        body text := 'value';
    BEGIN
        IF getdatabaseencoding() = 'UTF8' THEN
            body := $body$
                CASE WHEN octet_length(value) = length(value) THEN value ELSE
                    replace(replace(replace(replace(replace(
                        translate(
                            normalize(
                                regexp_replace(
                                    normalize(value, NFKD), U&'[\\0300-\\036F]+', '', 'g'
                                ),
                                NFC
                            ),
                            U&'{_FROM}', $to${_TO}$to$
                        ),
                        U&'\\00DF', 'ss'), U&'\\00E6', 'ae'), U&'\\00C6', 'AE'),
                        U&'\\0153', 'oe'), U&'\\0152', 'OE')
                END
            $body$;
        END IF;
        EXECUTE 'CREATE FUNCTION fold_accents(value text) RETURNS text '
            'LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN ' || body;
    END $migration$"""

# Key of a title or a name, without case, accents, spaces and signs. Limited to the size of an index
# entry; null if nothing is left.
_SEARCH_KEY = r"""
    CREATE FUNCTION search_key(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN nullif(
        regexp_replace(
            lower(fold_accents(left(value, 200))),
            '[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+', '', 'g'
        ),
        ''
    )"""

_PARTS = "title text, title_english text, genres text[], description text, casts text[]"

# Longer texts would exceed the size limit of a tsvector.
_DOCUMENT_VECTOR = f"""
    CREATE FUNCTION document_vector({_PARTS}) RETURNS tsvector
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (
        SELECT setweight(to_tsvector('simple', titles) || to_tsvector('english', titles), 'A')
            || setweight(
                to_tsvector('simple', names)
                    || to_tsvector('english', array_to_string(genres, ' ')),
                'B'
            )
            || setweight(
                to_tsvector('english', fold_accents(left(description, 100000))), 'C'
            )
        FROM (
            SELECT
                fold_accents(
                    left(title, 10000)
                        || left(coalesce(' ' || nullif(title_english, title), ''), 10000)
                ) AS titles,
                fold_accents(left(array_to_string(genres || casts, ' '), 10000)) AS names
        ) AS folded
    )"""  # noqa: S608 -- our words

_DOCUMENT_HASH = f"""
    CREATE FUNCTION document_hash(year integer, {_PARTS}) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN encode(
        sha256(
            convert_to(
                jsonb_build_array(year, title, title_english, genres, description, casts)::text,
                'UTF8'
            )
        ),
        'hex'
    )"""

_ARGUMENTS = "title, title_english, genres, description, casts"
_DOCUMENTS = f"""
    CREATE VIEW movie_documents AS
    SELECT movie_id, title, title_english, year, genres, description, casts,
        document_hash(year, {_ARGUMENTS}) AS document_hash,
        document_vector({_ARGUMENTS}) AS search_vector
    FROM (
        SELECT
            movies.id AS movie_id, movies.title, movies.title_english, movies.year,
            coalesce(nullif(movies.description_full, ''), movies.summary, '') AS description,
            ARRAY(
                SELECT genres.name FROM movie_genres
                JOIN genres ON genres.id = movie_genres.genre_id
                WHERE movie_genres.movie_id = movies.id ORDER BY genres.name COLLATE "C"
            ) AS genres,
            ARRAY(
                SELECT DISTINCT casts.name COLLATE "C" FROM movie_casts
                JOIN casts ON casts.id = movie_casts.cast_id
                WHERE movie_casts.movie_id = movies.id ORDER BY 1
            ) AS casts
        FROM movies
    ) AS parts"""  # noqa: S608 -- our words

_FILL = """
    UPDATE movies
    SET search_vector = movie_documents.search_vector,
        document_hash = movie_documents.document_hash
    FROM movie_documents WHERE movie_documents.movie_id = movies.id"""

_GENERATED = (
    "setweight(to_tsvector('simple'::regconfig, left(title, 10000)), 'A') || "
    "setweight(to_tsvector('simple'::regconfig, left(coalesce(title_english, ''), 10000)), 'A') || "
    "setweight(to_tsvector('english'::regconfig, "
    "left(coalesce(description_full, summary, ''), 100000)), 'C')"
)


def upgrade() -> None:
    op.execute(_FOLD_ACCENTS)
    op.execute(_SEARCH_KEY)
    op.execute("ALTER TABLE movies ALTER COLUMN search_vector DROP EXPRESSION")
    op.alter_column("movies", "search_vector", comment="title A, cast and genres B, description C")
    op.add_column(
        "movies",
        sa.Column(
            "document_hash",
            sa.Text(),
            comment="SHA-256 of what search_vector and embeddings are made of; null: not yet made",
        ),
    )
    op.execute(_DOCUMENT_VECTOR)
    op.execute(_DOCUMENT_HASH)
    op.execute(_DOCUMENTS)
    op.drop_index("idx_movies_search", "movies")
    op.execute(_FILL)
    op.create_index("idx_movies_search", "movies", ["search_vector"], postgresql_using="gin")
    op.create_index("ix_movies_search_key", "movies", [sa.text("search_key(title)")])
    op.create_index("ix_casts_search_key", "casts", [sa.text("search_key(name)")])


def downgrade() -> None:
    op.drop_index("ix_casts_search_key", "casts")
    op.drop_index("ix_movies_search_key", "movies")
    op.execute("DROP VIEW movie_documents")
    op.execute("DROP FUNCTION document_hash, document_vector")
    op.drop_column("movies", "document_hash")
    op.drop_column("movies", "search_vector")
    op.add_column(
        "movies",
        sa.Column(
            "search_vector",
            sa.dialects.postgresql.TSVECTOR(),
            sa.Computed(_GENERATED, persisted=True),
        ),
    )
    op.execute("ALTER TABLE movies ALTER COLUMN search_vector SET STORAGE MAIN")
    op.create_index("idx_movies_search", "movies", ["search_vector"], postgresql_using="gin")
    op.execute("DROP FUNCTION search_key(text)")
    op.execute("DROP FUNCTION fold_accents(text)")
