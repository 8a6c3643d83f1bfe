"""`save_genres`: link movies with genres; genres that a response no longer lists go."""

from collections.abc import Collection, Mapping, Set

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from database.connection.kept_plans import run_kept
from database.models import Genre, MovieGenre
from database.sql import insert_json, json_params, plan_once, table_of
from database.writing.payload_rows import remove_unlisted, save_rows
from yts.payload import MoviePayload

_genres = table_of(Genre)
# The lowest id last: earlier versions may have left two spellings of a genre.
_READ = plan_once(select(_genres.c.id, _genres.c.name).order_by(_genres.c.id.desc()))
_CREATE = text(
    "INSERT INTO genres (name) SELECT name FROM json_to_recordset(CAST(:incoming AS json)) "
    "AS incoming (name text) ON CONFLICT DO NOTHING"
)
_HAVE_GENRES = plan_once(
    text("SELECT DISTINCT movie_id FROM movie_genres WHERE movie_id = ANY (:movie_ids)")
)
_INSERT_LINKS = plan_once(insert_json(MovieGenre, ("movie_id", "genre_id")))
_ADD_LINKS = plan_once(
    _INSERT_LINKS.on_conflict_do_nothing().returning(table_of(MovieGenre).c.movie_id)
)
_REMOVE_LINKS = remove_unlisted("movie_genres", "genre_id", "integer")


def save_genres(
    session: Session, movies: Mapping[int, MoviePayload], new: Set[int]
) -> tuple[set[int], set[int]]:
    """
    Save the genres of *movies*, as `database.writing.links.save_links`; does not commit.

    Return the row ids of movies whose genres changed, and of those with a genre that is stored with
    another spelling.
    """
    genres_of = {
        row_id: {genre for genre in movie.genres if genre}
        for row_id, movie in movies.items()
        if movie.genres is not None
    }
    # Names that YTS does not use may be in another language, so they never replace genres.
    doubtful = [row_id for row_id in genres_of.keys() - new if not movies[row_id].has_known_genres]
    if doubtful:
        for row_id in session.scalars(_HAVE_GENRES, {"movie_ids": doubtful}):
            del genres_of[row_id]
    stored = _get_or_create(session, set().union(*genres_of.values()))
    links = [
        {"movie_id": row_id, "genre_id": genre_id}
        for row_id, names in genres_of.items()
        for genre_id in sorted({stored[name][0] for name in names})
    ]
    changed = save_rows(session, links, new, _INSERT_LINKS, _ADD_LINKS)
    if old := sorted(genres_of.keys() - new):
        changed |= set(session.scalars(_REMOVE_LINKS, {**json_params(links), "movie_ids": old}))
    respelled = {name for name, (_, stored_name) in stored.items() if name != stored_name}
    return changed, {id_ for id_, names in genres_of.items() if not respelled.isdisjoint(names)}


def _key(name: str) -> str:
    """Return a key that is equal for all spellings of a genre: they differ in case and spaces."""
    return "".join(name.split()).lower()


def _get_or_create(session: Session, names: Collection[str]) -> dict[str, tuple[int, str]]:
    """Return id and name of the stored genre for each of *names*; add those that are unknown."""
    stored = _read(session)
    unknown = {_key(name): name for name in sorted(names, reverse=True) if _key(name) not in stored}
    if unknown:
        session.execute(_CREATE, json_params([{"name": unknown[key]} for key in sorted(unknown)]))
        stored = _read(session)
    return {name: stored[_key(name)] for name in names}


def _read(session: Session) -> dict[str, tuple[int, str]]:
    return {_key(name): (row_id, name) for row_id, name in run_kept(session, _READ, {})}
