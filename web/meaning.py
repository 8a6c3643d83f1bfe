"""`Meaning`: the embedder of the active space, kept between requests; `read_reasons`."""

from collections.abc import Sequence
from threading import Lock

from sqlalchemy.orm import Session

from database.search.similar.reasons import Why
from database.vectors.spaces import Space, read_active_space

try:
    from embeddings.embedder import Embedder
    from embeddings.errors import ModelMissing
    from embeddings.explain_similarity import explain_similar
    from embeddings.load import open_embedder
except ImportError as error:  # There is no numpy for this machine, for example.
    _MISSING: str | None = f"a library is missing: {error}."
else:
    _MISSING = None

_NO_VECTORS = "no vectors have been made yet. Make them with: python embed_movies.py"


class Meaning:
    """Loads a model once for all threads, and again when another space becomes active."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._space: Space | None = None
        self._embedder: Embedder | None = None
        self._reason = _NO_VECTORS

    def open(self, session: Session) -> "Embedder | None":
        """Return the embedder of the active space; None if it cannot be used, see `note`."""
        space = read_active_space(session)
        with self._lock:
            if space != self._space:
                self._load(session)
                self._space = space
            return self._embedder

    def _load(self, session: Session) -> None:
        self._embedder, self._reason = None, _MISSING or _NO_VECTORS
        if _MISSING:
            return
        try:
            self._embedder = open_embedder(session)
        except ModelMissing as error:
            self._reason = str(error)

    @property
    def note(self) -> str:
        """Return why searches use words alone."""
        return f"Searched by words alone: {self._reason}"


def read_reasons(
    session: Session, embedder: "Embedder | None", pairs: Sequence[tuple[int, int]]
) -> list[Why | None]:
    """
    Return what the second movie of each pair of `movies.id` has in common with the first one.

    None where a library is missing.
    """
    if _MISSING:
        return [None] * len(pairs)
    return [*explain_similar(session, None if embedder is None else embedder.model, pairs)]
