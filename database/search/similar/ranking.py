"""`similar_movies`, `recommend_movies`: the nearest movies, ranked by the parts of a score."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from database.models import Movie, MovieEmbedding
from database.search.filters import MovieFilter
from database.search.nearest import MovieTarget, read_nearest
from database.search.similar.parts import Parts, read_parts
from database.vectors.spaces import Space, read_active_space

#: Number of nearest movies that are ranked, and of those that may be other entries of a film.
_RANKED, _SPARE = 100, 10
#: How much a movie that is like the unwanted ones loses, of its score.
_UNWANTED = 0.5
_NONE_AT_ALL = "No vectors have been made yet; make them with: python embed_movies.py"
_NONE_OF_THEM = (
    "{} no vector: it came after the last were made, or nothing is known of it. Make those that "
    "are missing with: python embed_movies.py"
)


class NoVector(Exception):
    """The movie has no vector; the argument says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Near:
    """A movie that is similar to another one."""

    #: `movies.id`.
    row_id: int
    #: What ranks it: the total of the parts, less what it loses for unwanted movies.
    score: float
    #: The means of the parts for all liked movies.
    parts: Parts
    #: `movies.id` of the liked movie that it is most similar to.
    like_id: int


def similar_movies(
    session: Session, row_id: int, *, filters: MovieFilter | None = None, limit: int = 10
) -> list[Near]:
    """
    Return the movies most like the one with `movies.id` *row_id*, the best first.

    The nearest hundred are ranked by the parts of their scores; docs/search.md explains them. The
    movie itself and other entries of the same film are left out, and no film comes twice.

    Raises:
        NoVector: there are no vectors yet, or nothing is known about this movie.
    """
    return recommend_movies(session, [row_id], filters=filters, limit=limit)


def recommend_movies(
    session: Session,
    liked_ids: Collection[int],
    unwanted_ids: Collection[int] = (),
    *,
    filters: MovieFilter | None = None,
    limit: int = 10,
) -> list[Near]:
    """
    Return the movies most like those with `movies.id` in *liked_ids*, the best first.

    The nearest of each of them are ranked. Movies like those in *unwanted_ids* lose a part of their
    score. All given movies and other entries of these films are left out.

    Raises:
        NoVector: there are no vectors yet, or nothing is known about any of the liked movies.
    """
    space = read_active_space(session)
    if space is None:
        raise NoVector(_NONE_AT_ALL)
    count = max(_RANKED, limit) + _SPARE
    liked_ids, unwanted_ids = dict.fromkeys(liked_ids), dict.fromkeys(unwanted_ids)
    given = [*liked_ids, *unwanted_ids]
    nearest = _read_candidates(session, space, liked_ids, filters or MovieFilter(), count)
    candidates = [row_id for row_id in nearest if row_id not in given]
    parts = read_parts(session, given, candidates, space_id=space.id)
    scored = [_near(row_id, parts[row_id], liked_ids, unwanted_ids) for row_id in candidates]
    return _each_film_once(session, scored, given, limit)


def _read_candidates(
    session: Session, space: Space, liked_ids: Collection[int], filters: MovieFilter, count: int
) -> list[int]:
    found: dict[int, None] = {}
    for row_id in liked_ids:
        target = MovieTarget(space, "recommend", row_id)
        found |= dict.fromkeys(near for near, _ in read_nearest(session, target, filters, count))
    if not found and not _have_vectors(session, space, liked_ids):
        which = "This movie has" if len(liked_ids) == 1 else "Each of these movies has"
        raise NoVector(_NONE_OF_THEM.format(which))
    return list(found)


def _have_vectors(session: Session, space: Space, row_ids: Collection[int]) -> bool:
    stored = select(MovieEmbedding.movie_id).where(
        MovieEmbedding.space_id == space.id,
        MovieEmbedding.movie_id.in_(row_ids),
        MovieEmbedding.recommend.is_not(None),
    )
    return session.scalar(stored.limit(1)) is not None


def _near(
    row_id: int,
    parts: Mapping[int, Parts],
    liked_ids: Collection[int],
    unwanted_ids: Collection[int],
) -> Near:
    liked = {own_id: parts[own_id] for own_id in liked_ids}
    mean, unwanted = Parts.mean(liked.values()), Parts.mean([parts[it] for it in unwanted_ids])
    like_id = max(liked, key=lambda own_id: liked[own_id].total)
    return Near(row_id, mean.total - _UNWANTED * unwanted.total, mean, like_id)


def _each_film_once(
    session: Session, scored: Sequence[Near], given: Sequence[int], limit: int
) -> list[Near]:
    """Return the movies of films that are not *given*, the best entry of each, best first."""
    by_id = {near.row_id: near for near in sorted(scored, key=lambda it: (-it.score, it.row_id))}
    row_ids = [*given, *by_id]
    at_once = len(given) + limit + _SPARE
    seen: set[object] = set()
    best: list[Near] = []
    for begin in range(0, len(row_ids), at_once):
        for row_id, film in _read_films(session, row_ids[begin : begin + at_once]):
            if row_id in by_id and not film & seen:
                best.append(by_id[row_id])
            seen |= film
        if len(best) >= limit:
            break
    return best[:limit]


def _read_films(session: Session, row_ids: Sequence[int]) -> list[tuple[int, set[object]]]:
    """Return keys of films: entries of one film have the same IMDb code, or title and year."""
    keys = Movie.id, Movie.imdb_code, func.search_key(Movie.title), Movie.year
    rows = session.execute(select(*keys).where(Movie.id.in_(row_ids)))
    films = {row_id: {code, (title, year)} - {None} for row_id, code, title, year in rows}
    return [(row_id, films[row_id]) for row_id in row_ids]
