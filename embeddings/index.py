"""`embed_all`: make and save the vectors of movies that are new or changed, in processes."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from database.db import DatabaseManager
from database.search.word_counts import refresh_words
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
    build_indexes,
    drop_indexes,
    read_documents,
    refresh_statistics,
    save_vectors,
)
from database.writing.search_documents import save_documents
from embeddings.embedder import Embedder
from embeddings.embedding_processes import open_processes
from embeddings.errors import NoProcesses
from embeddings.load import open_model
from embeddings.packages import DEFAULT_MODEL
from embeddings.recipe import MovieText
from embeddings.vectors import Vectors

#: Movies that are saved in one transaction: a kill loses at most this much work of each process.
MOVIES_PER_STEP = 500
#: For fewer movies, starting processes would take longer than the work.
_MOVIES_FOR_PROCESSES = 3000
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
    note: Callable[[str], None] = lambda _message: None,
) -> EmbedReport:
    """
    Make the vectors that are missing or out of date, or all; each saved step is kept.

    *model* is that of `open_model`; None means that of the active space, or else the default one.
    Another model or recipe fills a space of its own, which replaces the active one when it is
    full. *progress* gets the number of movies done and of all, and may raise to stop;
    *note* gets a message if worker processes cannot start.

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
        for count in _embed(db, embedder, space, movies, workers, note=note):
            done += count
            progress(done, len(movies))
        vectors = db.run_transaction(partial(count_vectors, space_id=space.id))
        build_indexes(db.engine, space, vectors)
        if len(movies) > _MOVIES_FOR_PROCESSES:
            db.run_transaction(refresh_statistics)
        db.run_transaction(lambda session: activate(session, space))
    db.run_transaction(partial(refresh_words, changed=movies, is_full=is_rebuild))
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
    if new > _MOVIES_FOR_PROCESSES and new > _SHARE_FOR_NEW_INDEX * count_vectors(
        session, space.id
    ):
        drop_indexes(session, space)


def _embed(
    db: DatabaseManager,
    embedder: Embedder,
    space: Space,
    movies: Sequence[int],
    workers: int,
    *,
    note: Callable[[str], None],
) -> Iterator[int]:
    """Save the vectors of *movies* step by step; yield the number of movies of each step."""
    firsts = range(0, len(movies), MOVIES_PER_STEP)
    steps = [movies[first : first + MOVIES_PER_STEP] for first in firsts]
    if workers > 1 and len(movies) >= _MOVIES_FOR_PROCESSES:
        remaining = set(range(len(steps)))
        # If processes cannot start or were killed, this process does the rest.
        try:
            with suppress(BrokenProcessPool):
                for number in _embed_in_processes(db, space, steps, workers):
                    remaining.discard(number)
                    yield len(steps[number])
        except NoProcesses as error:
            note(str(error))
        steps = [steps[number] for number in sorted(remaining)]
    for step in steps:
        _embed_step(db, embedder, space, step)
        yield len(step)


def _embed_in_processes(
    db: DatabaseManager, space: Space, steps: Sequence[Sequence[int]], workers: int
) -> Iterator[int]:
    """Yield the index of each finished step, in any order."""
    url = db.url.render_as_string(hide_password=False)
    with open_processes(workers, _start_worker, url, space) as executor:
        numbers = {executor.submit(_work, step): number for number, step in enumerate(steps)}
        try:
            for future in as_completed(numbers):
                future.result()
                yield numbers[future]
        finally:
            executor.shutdown(wait=False, cancel_futures=True)


def _embed_step(
    db: DatabaseManager, embedder: Embedder, space: Space, movie_ids: Sequence[int]
) -> None:
    def save(session: Session) -> None:
        documents = read_documents(session, movie_ids)
        save_documents(session, [document.movie_id for document in documents if document.is_stale])
        save_vectors(session, space, make_vectors(embedder, documents))

    db.run_transaction(save)


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


_worker: tuple[DatabaseManager, Embedder, Space] | None = None


def _start_worker(url: str, space: Space) -> None:
    global _worker  # noqa: PLW0603 -- one per process, which serves one call of `embed_all`
    db = DatabaseManager(url, pool_size=2, max_overflow=5)
    _worker = db, Embedder(open_model(space.source)), space


def _work(movie_ids: Sequence[int]) -> None:
    assert _worker is not None  # noqa: S101 -- set by the initializer
    _embed_step(*_worker, movie_ids)
