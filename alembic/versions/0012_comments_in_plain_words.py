"""
comments of columns in plain words

Revision ID: 0012
Revises: 0011
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

#: Table and column: the comment before and after.
COMMENTS = {
    ("movies", "slug"): (
        "of movies sharing one, all but the lowest external_id add theirs",
        "unique; of movies with one yts_slug, all except the first append their id",
    ),
    ("movies", "url"): (
        "the host is the site's domain of that month",
        "the host is the domain of YTS at the time of the request",
    ),
    ("movies", "date_uploaded_unix"): (
        "seconds, as sent; moved by hours when the server's zone did",
        "seconds, as sent; differs by hours when the server's time zone changed",
    ),
    ("movies", "updated_at"): (
        "last real change; seeds, likes and hosts are none",
        "last change, except of seeds, peers, likes and hosts in URLs",
    ),
    ("movies", "fetched_at"): (
        "when the newest answer in this row was asked for",
        "when the newest response in this row was requested",
    ),
    ("movies", "gone_since"): (
        "YTS lists it no more and says that it has none; null: it is there",
        "when YTS neither listed the movie nor had its details; null: YTS has it",
    ),
    ("movies", "document_hash"): (
        "SHA-256 of what search_vector and embeddings are made of; null: not yet made",
        "SHA-256 of the texts that are searched; null: not computed yet",
    ),
    ("movie_casts", "position"): (
        "order of first appearance in YTS's samples, from 0; no billing",
        "order in which responses first had the person, from 0; not the billing",
    ),
    ("embedding_spaces", "model_folder"): (
        "where its files lie; null: in the wheel",
        "folder with the model's files; null: the installed package",
    ),
    ("embedding_spaces", "is_active"): (
        "the one that is asked; at most one",
        "whether searches use it; at most one space is active",
    ),
    ("movie_embeddings", "document_hash"): (
        "of the movie when it was embedded",
        "document_hash of the movie when the vectors were computed",
    ),
    ("movie_embeddings", "recommend"): (
        "null: nothing is known to compare",
        "null: the movie has nothing that can be compared",
    ),
    ("movie_embeddings", "search"): (
        "null: nothing is known to search",
        "null: the movie has nothing that can be searched",
    ),
    ("search_words", "movies"): (
        "in whose documents it is; of the empty word: all, when they were counted",
        "number of movies with the word; of the empty word: of all counted movies",
    ),
    ("search_words", "keys"): (
        "by which it is found in spite of a typing error; null: it is not",
        "keys that find the word despite a typing error; null: not found that way",
    ),
    ("catalogue_counts", "name"): (
        "of a table; table.column: its values; movie_genres.7: movies of that genre",
        "table, table.column for its values, movie_genres.ID for movies of a genre",
    ),
    ("fetch_runs", "finished_at"): (
        "null: running; of a killed run, its last sign of life",
        "null: running; of a killed run, its last heartbeat",
    ),
    ("fetch_runs", "skipped"): (
        "known, left alone",
        "already stored, left unchanged",
    ),
    ("missing_movies", "denials"): (
        "separate requests that YTS answered so; one alone is not believed",
        "number of separate requests that YTS denied; a single one is not believed",
    ),
    ("sync_state", "next_page"): (
        "where the sweep goes on; all pages before it are full and saved",
        "page where the sweep continues; all pages before it are full and saved",
    ),
    ("sync_state", "movie_count"): (
        "as YTS said last; an estimate",
        "number of movies according to YTS, an estimate",
    ),
    ("listed_movies", "page"): (
        "where, 0: not noted; null: only its details showed it",
        "page; 0: not recorded; null: only its details showed it",
    ),
    ("fetch_workers", "name"): (
        "as its connections call themselves",
        "application_name of its connections",
    ),
    ("fetch_workers", "doing"): (
        "in words",
        "description of its current work",
    ),
    ("request_budget", "pace"): (
        "requests a second just now",
        "current requests per second",
    ),
    ("request_budget", "slowed_at"): (
        "last time the server said: slower",
        "when YTS last asked for a lower rate",
    ),
}


def upgrade() -> None:
    for (table, column), (before, after) in COMMENTS.items():
        op.alter_column(table, column, comment=after, existing_comment=before)


def downgrade() -> None:
    for (table, column), (before, after) in COMMENTS.items():
        op.alter_column(table, column, comment=before, existing_comment=after)
