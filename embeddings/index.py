"""`embed_all`: make and save the vectors of movies that are new or changed, in threads."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from database.bookkeeping.vacuum import vacuum_overdue_tables
from database.db import DatabaseManager
from database.search.word_counts import refresh_words
from database.vectors.indexes import build_indexes, drop_indexes
from database.vectors.spaces import (
    Space,
    activate,
    count_vectors,
    find_or_create_space,
    forget_other_spaces,
    hold_embedding_lock,
    read_active_space,
    read_all_movies,
    read_stale_movies,
)
from database.vectors.storage import (
    Document,
    VectorRow,
    read_documents,
    save_vectors,
)
from database.writing.search_documents import save_documents
from embeddings.embedder import Embedder
from embeddings.load import open_model
from embeddings.packages import DEFAULT_MODEL
from embeddings.recipe import MovieText
from embeddings.vectors import Vectors

#: Movies that are saved in one transaction: a kill loses at most this much work of each thread.
MOVIES_PER_STEP = 500
#: Fewer movies are added to the indexes.
_FEW_MOVIES = 3000
#: For a larger share of new vectors, building the index from scratch is faster than adding to it.
_SHARE_FOR_NEW_INDEX = 0.25

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class EmbedReport:
    """The result of `embed_all`."""

    #: Movies whose vectors were made.
    embedded: int
    seconds: float


def embed_all(
    db: DatabaseManager,
    model: Path | str | None = None,
    *,
    is_rebuild: bool = False,
    workers: int = 2,
    progress: Progress = lambda _done, _total: None,
) -> EmbedReport:
    """
    Make the vectors that are missing or out of date, or all; each saved step is kept.

    *model* is that of `open_model`; None means that of the active space, or else the default one.
    Another model or recipe fills a space of its own, which replaces the active one when it is
    full. *progress* gets the number of movies done and of all, and may raise to stop.
    *workers* threads do the work.

    Raises:
        ModelMissing: the model is missing or cannot be read.
        EmbeddingLockHeld: another process is making vectors.
        DatabaseNotReady: as `DatabaseManager.run_transaction`.
    """
    started, embedder = time.monotonic(), Embedder(open_model(model or _model_in_use(db)))
    with hold_embedding_lock(db.engine):
        space = db.run_transaction(lambda session: _prepare(session, embedder))
        movies = db.run_transaction(
            read_all_movies if is_rebuild else partial(read_stale_movies, space_id=space.id)
        )
        db.run_transaction(lambda session: _make_room(session, space, len(movies)))
        done = 0
        for count in _embed(db, embedder, space, movies, workers):
            done += count
            progress(done, len(movies))
        count_words = partial(refresh_words, changed=movies, is_full=is_rebuild)
        with ThreadPoolExecutor(1) as thread:
            words = thread.submit(db.run_transaction, count_words)
            _index(db, space)
            words.result()
        db.run_transaction(lambda session: activate(session, space))
    vacuum_overdue_tables(db.engine)
    return EmbedReport(len(movies), time.monotonic() - started)


def _model_in_use(db: DatabaseManager) -> Path | str:
    active = db.run_transaction(read_active_space)
    return DEFAULT_MODEL if active is None else active.source


def _prepare(session: Session, embedder: Embedder) -> Space:
    space = find_or_create_space(
        session,
        model=embedder.model.name,
        model_folder=embedder.model.folder,
        model_hash=embedder.model.hash,
        recipe=embedder.recipe,
        recommend_dimensions=embedder.recommend_dimensions,
        search_dimensions=embedder.search_dimensions,
    )
    forget_other_spaces(session, space)
    return space


def _make_room(session: Session, space: Space, new: int) -> None:
    if new > _FEW_MOVIES and new > _SHARE_FOR_NEW_INDEX * count_vectors(session, space.id):
        drop_indexes(session, space)


def _embed(
    db: DatabaseManager, embedder: Embedder, space: Space, movies: Sequence[int], workers: int
) -> Iterator[int]:
    """Save the vectors of *movies* step by step; yield the number of movies of each step."""
    firsts = range(0, len(movies), MOVIES_PER_STEP)
    steps = [movies[first : first + MOVIES_PER_STEP] for first in firsts]
    # Threads, as most of the work is done by tokenizers, numpy and PostgreSQL without the lock of
    # Python. Processes would take longer to start than to work for 10,000 movies.
    with ThreadPoolExecutor(workers) as executor:
        futures = [executor.submit(_embed_step, db, embedder, space, step) for step in steps]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            executor.shutdown(wait=False, cancel_futures=True)


def _index(db: DatabaseManager, space: Space) -> None:
    vectors = db.run_transaction(partial(count_vectors, space_id=space.id))
    build_indexes(db.engine, space, vectors)


def _embed_step(
    db: DatabaseManager, embedder: Embedder, space: Space, movie_ids: Sequence[int]
) -> int:
    """Save the vectors of these movies, and return how many movies these are."""

    def save(session: Session) -> None:
        documents = read_documents(session, movie_ids)
        save_documents(session, [document.movie_id for document in documents if document.is_stale])
        save_vectors(session, space, make_vectors(embedder, documents))

    db.run_transaction(save)
    return len(movie_ids)


def make_vectors(embedder: Embedder, documents: Sequence[Document]) -> list[VectorRow]:
    """Return the rows to store for *documents*."""
    texts = [
        MovieText(doc.title, doc.year, doc.genres, doc.description, doc.cast) for doc in documents
    ]
    recommends, searches = (_as_stored(vectors) for vectors in embedder.embed_movies(texts))
    return [
        VectorRow(document.movie_id, document.hash, recommend, search)
        for document, recommend, search in zip(documents, recommends, searches, strict=True)
    ]


def _as_stored(vectors: Vectors) -> list[bytes | None]:
    return [row.astype(">f2").tobytes() if row.any() else None for row in vectors]
