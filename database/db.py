"""`DatabaseManager`: a database, and the calls that most users of the mirror need."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import URL, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from database.connection.engine import APPLICATION_NAME, refuse_transaction_pool
from database.connection.explain import explain_unreachable
from database.embedded.home import is_embedded
from database.errors import DatabaseNotReady, RowRefused
from database.models import Cast, Genre, Movie
from database.schema import ensure_schema
from database.sessions import Database
from database.stats import read_stats
from database.writing.movies import Outcome, read_row_ids, save_movies
from yts.errors import MalformedMovie
from yts.payload import CastPayload, MoviePayload, parse_movie

#: How long `save_movie` and `get_stats` repeat a transient error, in seconds.
CALL_PATIENCE_SECONDS = 5.0


class DatabaseManager(Database):
    """A `Database` with the calls that most users of the mirror need."""

    def movie_exists(self, external_id: int) -> bool:
        """Return whether the movie with this YTS id is stored."""
        with self.get_session() as session:
            return bool(session.scalar(select(exists().where(Movie.external_id == external_id))))

    def get_or_create_genre(self, session: Session, name: str) -> Genre:
        """
        Return the genre of this name, created if necessary; does not commit.

        Safe with other sessions that create the same genre: the later one waits until the earlier
        one commits.

        Raises:
            ValueError: the name is empty.
        """
        name = name.strip()
        if not name:
            raise ValueError("a genre needs a name")
        session.execute(insert(Genre).values(name=name).on_conflict_do_nothing())
        return session.scalars(select(Genre).where(Genre.name == name)).one()

    def get_or_create_cast(self, session: Session, cast_data: Mapping[str, Any]) -> Cast:
        """
        Return the person of a `cast` entry of YTS, created if necessary; does not commit.

        A person is identified by `imdb_code`, or by `name` if there is no code. Safe with other
        sessions, like `get_or_create_genre`.

        Raises:
            ValueError: the entry has no name.
        """
        person = CastPayload.model_validate(dict(cast_data))
        if person.name is None:
            raise ValueError("a cast entry needs a name")
        session.execute(
            insert(Cast)
            .values(**person.model_dump(include={"name", "imdb_code", "url_small_image"}))
            .on_conflict_do_nothing()
        )
        is_this_one = (
            Cast.imdb_code == person.imdb_code
            if person.imdb_code
            else (Cast.imdb_code.is_(None)) & (Cast.name == person.name)
        )
        return session.scalars(select(Cast).where(is_this_one)).one()

    def save_movie(
        self, movie_data: Mapping[str, Any], *, update: bool = False
    ) -> tuple[bool, int | None, str]:
        """
        Save one movie as YTS gives it, in a transaction of its own.

        Return whether the movie is stored now, its `movies.id`, and one of "created", "updated",
        "already_exists", or the reason why it is not stored. A stored movie is not changed, except
        that details complete a row from a list page, and that *update* writes all changes.

        Raises:
            DatabaseNotReady: the database cannot be used.
        """
        try:
            movie = parse_movie(dict(movie_data))
            outcome, row_id = self.run_transaction(
                lambda session: _save(session, movie, update=update),
                patience_seconds=CALL_PATIENCE_SECONDS,
            )
        except MalformedMovie as error:
            return False, None, str(error)
        except RowRefused as error:
            return False, None, error.message
        message = {"saved": "created", "updated": "updated"}.get(outcome, "already_exists")
        return True, row_id, message

    def get_stats(self) -> dict[str, Any]:
        """Return the fields of `database.stats.Stats` as a dictionary of JSON values."""
        stats = self.run_transaction(read_stats, patience_seconds=CALL_PATIENCE_SECONDS)
        saved_at = stats.last_saved_at
        return {**asdict(stats), "last_saved_at": saved_at and saved_at.isoformat()}


def get_db_manager(
    pool_size: int = 10,
    max_overflow: int = 20,
    *,
    database_url: URL | str | None = None,
    application_name: str = APPLICATION_NAME,
    sleep: Callable[[float], None] = time.sleep,
) -> DatabaseManager:
    """
    Open the database, with its tables made or migrated; the caller closes it.

    Each call returns a new manager. Workers use 2 and 5 for the sizes of the pool.

    Raises:
        InvalidDatabaseUrl: the URL cannot be read.
        DatabaseNotReady: unreachable, unfit, or with tables newer than this program.
    """
    db = DatabaseManager(
        database_url,
        pool_size=pool_size,
        max_overflow=max_overflow,
        application_name=application_name,
        sleep=sleep,
    )
    try:
        if not is_embedded(db.url):
            refuse_transaction_pool(db.url)
        ensure_schema(db.engine)
    except OperationalError as error:
        try:
            sleep(0)  # The statement may have been cancelled because the program has to end.
            reason = db.explain_absence() or explain_unreachable(error, db.url)
        finally:
            db.close_all()
        raise DatabaseNotReady(reason) from error
    except BaseException:
        db.close_all()
        raise
    return db


def _save(session: Session, movie: MoviePayload, *, update: bool) -> tuple[Outcome, int]:
    detailed = [movie.id] if movie.has_details else []
    outcomes = save_movies(session, [movie], detailed=detailed, update=update)
    return outcomes[movie.id], read_row_ids(session, [movie.id])[movie.id]
