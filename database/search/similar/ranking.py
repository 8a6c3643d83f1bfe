"""`similar_movies`, `recommend_movies`: the nearest movies, ranked by the parts of a score."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.models import MovieEmbedding
from database.search.filters import MovieFilter
from database.search.nearest import MovieTarget, read_nearest
from database.search.similar.parts import Film, Parts, mean_of, read_parts
from database.vectors.spaces import Space, read_active_space

#: Number of nearest movies that are ranked, and of those that may be other entries of a film.
_RANKED, _SPARE = 100, 5
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
    candidates = _read_candidates(session, space, liked_ids, filters or MovieFilter(), count)
    compared = read_parts(session, given, {*given, *candidates}, space_id=space.id)
    # Movies that were deleted meanwhile are not among those that were compared.
    liked_ids, unwanted_ids, given, candidates = (
        [row_id for row_id in row_ids if row_id in compared.films]
        for row_ids in (liked_ids, unwanted_ids, given, candidates)
    )
    scored = [
        _near(row_id, compared.parts[row_id], liked_ids, unwanted_ids)
        for row_id in candidates
        if row_id not in given
    ]
    scored.sort(key=lambda near: (-near.score, near.row_id))
    return _each_film_once(scored, compared.films, given, limit)


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
    totals = {own_id: parts[own_id].total for own_id in liked_ids}
    mean = mean_of([parts[own_id] for own_id in liked_ids])
    score = mean.total
    if unwanted_ids:
        score -= _UNWANTED * mean_of([parts[own_id] for own_id in unwanted_ids]).total
    return Near(row_id, score, mean, max(totals, key=totals.__getitem__))


def _each_film_once(
    scored: Iterable[Near], films: Mapping[int, Film], given: Iterable[int], limit: int
) -> list[Near]:
    """Return the first movies of films that are not *given*, and of each film only one."""
    seen = {key for row_id in given for key in films[row_id].shared_keys()}
    best: list[Near] = []
    for near in scored:
        keys = films[near.row_id].shared_keys()
        if not keys & seen:
            best.append(near)
            seen |= keys
            if len(best) == limit:
                break
    return best
