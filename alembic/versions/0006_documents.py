"""
documents: what of a movie can be searched

Revision ID: 0006
Revises: 0005

The cast lies in another table, so that no generated column can hold its names: the writers fill
`search_vector` now, from the view `movie_documents`, and `document_hash` tells them whether there
is anything to fill in. Every movie is written anew: about a minute for 77,500.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Letters with a stroke and the like, which Unicode does not take apart, and typographic signs.
_FROM = (
    r"\00D8\00F8\0141\0142\0110\0111\00D0\00F0\0131\0126\0127\00DE\00FE"
    r"\00AB\00BB\2039\203A\2018\2019\201A\201B\201C\201D\201E\2010\2011\2012\2013\2014\2015\00B7\2022"
)
_TO = "OoLlDdDdiHhTt" + '""""' + "''''" + '"""' + "------" + "  "

# SQL-standard bodies are bound to what they call, whatever the search path of who calls them.
# A server that keeps no Unicode has nothing to take apart with.
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

# By what a title or a name is found whatever its case, accents, spaces and signs. No longer
# than an index can hold; null where nothing is left.
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

# Words of more than these lengths would pass the size limit of a tsvector.
_DOCUMENTS = """
    CREATE VIEW movie_documents AS
    SELECT
        written.movie_id, written.title, written.title_english, written.year, written.genres,
        written.description, written.casts,
        encode(
            sha256(
                convert_to(
                    jsonb_build_array(
                        written.title, written.title_english, written.year, written.genres,
                        written.description, written.casts
                    )::text,
                    'UTF8'
                )
            ),
            'hex'
        ) AS document_hash,
        setweight(
            to_tsvector('simple', written.folded_title)
                || to_tsvector('english', written.folded_title),
            'A'
        ) || setweight(
            to_tsvector('simple', written.folded_names)
                || to_tsvector('english', array_to_string(written.genres, ' ')),
            'B'
        )
            || setweight(to_tsvector('english', written.folded_description), 'C')
            AS search_vector
    FROM (
        SELECT
            movies.id AS movie_id, movies.title, movies.title_english, movies.year,
            linked.genres, linked.casts, told.description,
            fold_accents(left(movies.title, 10000) || ' ' || left(told.other_title, 10000))
                AS folded_title,
            fold_accents(left(array_to_string(linked.genres || linked.casts, ' '), 10000))
                AS folded_names,
            fold_accents(left(told.description, 100000)) AS folded_description
        FROM movies,
        LATERAL (
            SELECT
                coalesce(nullif(movies.description_full, ''), movies.summary, '') AS description,
                coalesce(nullif(movies.title_english, movies.title), '') AS other_title
        ) AS told,
        LATERAL (
            SELECT
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
        ) AS linked
    ) AS written"""

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
