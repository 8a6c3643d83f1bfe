"""`attach_embedder`: enable search by meaning; `explain_all`: what similar movies share."""

from collections.abc import Sequence
from typing import Any

from cli.query.movie_lookup import say
from database.repository import MovieRepository, SimilarMovie
from database.search.similar.reasons import reasons_of
from embeddings.errors import ModelMissing
from embeddings.explain_similarity import explain_similar
from embeddings.load import open_embedder


def attach_embedder(repository: MovieRepository) -> None:
    """Give *repository* the embedder of its vectors, or report why it searches by words alone."""
    try:
        repository.embedder = open_embedder(repository.session)
    except ModelMissing as error:
        say(f"Searching by words alone: {error}")
        return
    if repository.embedder is None:
        say(
            "Searching by words alone: no vectors have been made yet. Make them with: "
            "python embed_movies.py"
        )


def explain_all(
    repository: MovieRepository, results: Sequence[SimilarMovie], *, as_json: bool
) -> list[dict[str, Any]]:
    """Return, for each of *results*, the parts of its score, and what both movies share."""
    embedder = open_embedder(repository.session)
    assert embedder is not None  # noqa: S101 -- similar movies were found by its vectors
    pairs = [(result.like.id, result.movie.id) for result in results]
    reasons = explain_similar(repository.session, embedder.model, pairs)
    return [
        {**_score_of(result, as_json=as_json), "why": "; ".join(reasons_of(why))}
        for result, why in zip(results, reasons, strict=True)
    ]


def _score_of(result: SimilarMovie, *, as_json: bool) -> dict[str, Any]:
    """Return the score and its parts; for people in hundredths, the largest part first."""
    if as_json:
        return {"score": round(result.score, 4), "parts": result.parts.explain()}
    hundredths = {name: round(100 * share) for name, share in result.parts.shares().items()}
    largest_first = sorted(hundredths.items(), key=lambda part: -part[1])
    listed = ", ".join(f"{name} {part}" for name, part in largest_first if part)
    return {"score": f"{round(100 * result.score)}: {listed}"}
