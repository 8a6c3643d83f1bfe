"""Keep the vectors in step with the documents of the movies."""

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
from embeddings.errors import NoProcesses
from embeddings.processes import open_processes
from embeddings.text import MovieText
from embeddings.vectors import Vectors, open_model

#: Saved in one transaction: what a kill takes away, at most, from each process.
MOVIES_PER_STEP = 500
#: Fewer are done sooner than a process has started.
_MOVIES_FOR_PROCESSES = 3000
#: To enter so many into an index takes longer than to make it anew.
_SHARE_FOR_NEW_INDEX = 0.25

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class EmbedReport:
    """What came of it."""

    #: Movies whose vectors were made.
    embedded: int
    seconds: float


def embed_all(
    db: DatabaseManager,
    folder: Path | None = None,
    *,
    is_rebuild: bool = False,
    workers: int = 2,
    progress: Progress = lambda _done, _total: None,
    note: Callable[[str], None] = lambda _sentence: None,
) -> EmbedReport:
    """
    Make the vectors that are missing or not of today, or all; what is done is kept.

    With the model of *folder*; None is that of the active space, or else the installed one.
    Another model or recipe fills a space of its own, which replaces the active one when it is
    full. *progress* is told how many movies of how many are done, and may raise to give up;
    *note* gets a sentence if no other process can help.

    Raises:
        ModelMissing: there is no such model.
        EmbeddingLockHeld: another process does the same.
        DatabaseNotReady: as `DatabaseManager.run_transaction`.
    """
    begun, embedder = time.monotonic(), Embedder(open_model(folder or _folder_in_use(db)))
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
    return EmbedReport(len(movies), time.monotonic() - begun)


def _folder_in_use(db: DatabaseManager) -> Path | None:
    active = db.run_transaction(read_active_space)
    return None if active is None else active.folder


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
    """Yield how many movies each step has done."""
    firsts = range(0, len(movies), MOVIES_PER_STEP)
    steps = [movies[first : first + MOVIES_PER_STEP] for first in firsts]
    if workers > 1 and len(movies) >= _MOVIES_FOR_PROCESSES:
        left = set(range(len(steps)))
        # Of processes that cannot start, or were killed, this one does the rest.
        try:
            with suppress(BrokenProcessPool):
                for number in _embed_in_processes(db, space, steps, workers):
                    left.discard(number)
                    yield len(steps[number])
        except NoProcesses as error:
            note(str(error))
        steps = [steps[number] for number in sorted(left)]
    for step in steps:
        _embed_step(db, embedder, space, step)
        yield len(step)


def _embed_in_processes(
    db: DatabaseManager, space: Space, steps: Sequence[Sequence[int]], workers: int
) -> Iterator[int]:
    """Yield the number of each step that is done, in any order."""
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
        save_documents(session, [it.movie_id for it in documents if it.is_stale])
        save_vectors(session, space, make_vectors(embedder, documents))

    db.run_transaction(save)


def make_vectors(embedder: Embedder, documents: Sequence[Document]) -> list[VectorRow]:
    """Return what is to be stored for *documents*."""
    texts = [MovieText(it.title, it.year, it.genres, it.description, it.cast) for it in documents]
    recommend, search = (_as_stored(vectors) for vectors in embedder.embed_movies(texts))
    return [
        VectorRow(document.movie_id, document.hash, near, said)
        for document, near, said in zip(documents, recommend, search, strict=True)
    ]


def _as_stored(vectors: Vectors) -> list[bytes | None]:
    return [row.astype(">f2").tobytes() if row.any() else None for row in vectors]


_worker: tuple[DatabaseManager, Embedder, Space] | None = None


def _start_worker(url: str, space: Space) -> None:
    global _worker  # noqa: PLW0603 -- of this process, which serves one filling
    db = DatabaseManager(url, pool_size=2, max_overflow=5)
    _worker = db, Embedder(open_model(space.folder)), space


def _work(movie_ids: Sequence[int]) -> None:
    assert _worker is not None  # noqa: S101 -- the initializer has run
    _embed_step(*_worker, movie_ids)
