"""`attach_embedder`: enable search by meaning; `explain_all`: what similar movies share."""

from collections.abc import Sequence

from cli.query.movie_lookup import say
from database.models import Movie
from database.repository import MovieRepository, SimilarMovie
from embeddings.errors import ModelMissing
from embeddings.explain_similarity import Why, explain_similar
from embeddings.load import open_embedder
from embeddings.recipe import MovieText


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
    repository: MovieRepository, movie: Movie, results: Sequence[SimilarMovie]
) -> list[dict[str, str]]:
    """Return, for each movie in *results*, what it has in common with *movie*, as text."""
    embedder = open_embedder(repository.session)
    assert embedder is not None  # noqa: S101 -- similar movies were found by its vectors
    texts = [_text_of(each) for each in (movie, *(result.movie for result in results))]

    def in_words(why: Why) -> dict[str, str]:
        words = ", ".join(one if one == other else f"{one}~{other}" for one, other in why.words)
        years = why.years_apart
        era = None if years is None else "same year" if years == 0 else f"{years} years apart"
        parts = (", ".join(why.genres), ", ".join(why.cast), era, words)
        return {"why": "; ".join(part for part in parts if part)}

    return [
        in_words(why) for why in explain_similar(texts, embedder.model, repository.read_weights)
    ]


def _text_of(movie: Movie) -> MovieText:
    return MovieText(
        title=movie.title,
        year=movie.year,
        genres=tuple(genre.name for genre in movie.genres),
        description=movie.description_full or movie.summary or "",
        cast=tuple(link.cast.name for link in movie.cast_links),
    )
