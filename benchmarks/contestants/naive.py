"""
The usual script: a pool of processes, `requests.get`, ORM objects one by one, a commit a movie.

Nothing is slow on purpose. Where such scripts lose a movie because two processes insert the same
actor, this one tries again.
"""

import multiprocessing
import sys
from typing import Any

import requests
from sqlalchemy import Engine, create_engine, make_url, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.contestants.naive_tables import Base, Cast, Genre, Movie, MovieCast, Torrent
from benchmarks.contestants.work import Work, read_work

_SAVE_ATTEMPTS = 5
_MOVIE_FIELDS = (
    "imdb_code", "title_english", "title_long", "slug", "year", "rating", "runtime", "language",
    "mpa_rating", "description_full", "description_intro", "yt_trailer_code", "like_count", "url",
    "background_image", "background_image_original", "small_cover_image", "medium_cover_image",
    "large_cover_image", "date_uploaded", "date_uploaded_unix",
)  # fmt: skip
_TORRENT_FIELDS = (
    "hash", "url", "quality", "type", "video_codec", "audio_channels", "seeds", "peers", "size",
    "size_bytes", "date_uploaded", "date_uploaded_unix",
)  # fmt: skip

_open_session: sessionmaker[Session]
_details_url: str


def connect(work: Work) -> Engine:
    """Return an engine for one connection at a time."""
    url = make_url(work.database_url).set(drivername="postgresql+psycopg2")
    return create_engine(url, pool_size=1)


def start_process(work: Work) -> None:
    """Open a database connection for this process of the pool."""
    global _open_session, _details_url  # noqa: PLW0603 -- one a process
    _open_session = sessionmaker(connect(work))
    _details_url = work.details_url


def process_movie(movie_id: int) -> None:
    """Fetch and save one movie, unless it is stored already."""
    with _open_session() as session:
        if session.scalar(select(Movie.id).where(Movie.external_id == movie_id)):
            return
    try:
        query: dict[str, int | str] = {"movie_id": movie_id, "with_cast": "true"}
        response = requests.get(_details_url, params=query, timeout=30)
        response.raise_for_status()
        movie = response.json()["data"]["movie"]
    except (requests.RequestException, ValueError) as error:
        sys.stderr.write(f"movie {movie_id}: {error}\n")
        return
    if movie["id"] == movie_id:
        save(movie)


def save(movie: dict[str, Any]) -> None:
    """Save one movie; begin again if another process has inserted the same name first."""
    for attempt in range(_SAVE_ATTEMPTS):
        with _open_session() as session:
            try:
                session.add(build(session, movie))
                session.commit()
            except IntegrityError:
                session.rollback()
                if attempt == _SAVE_ATTEMPTS - 1:
                    raise
            else:
                return


def build(session: Session, movie: dict[str, Any]) -> Movie:
    """Make the objects of one movie."""
    row = Movie(
        external_id=movie["id"],
        title=movie["title"] or movie["slug"],
        **{name: movie.get(name) for name in _MOVIE_FIELDS},
    )
    row.genres = [genre_named(session, name) for name in movie.get("genres") or ()]
    for person in movie.get("cast") or ():
        role = MovieCast(character_name=person["character_name"])
        role.person = cast_member(session, person)
        row.roles.append(role)
    hashes = set()
    for torrent in movie.get("torrents") or ():
        if torrent["hash"] not in hashes:
            hashes.add(torrent["hash"])
            row.torrents.append(build_torrent(torrent))
    return row


def build_torrent(torrent: dict[str, Any]) -> Torrent:
    """Make one torrent."""
    return Torrent(
        is_repack=torrent["is_repack"] == "1",
        bit_depth=int(torrent["bit_depth"]),
        **{name: torrent.get(name) for name in _TORRENT_FIELDS},
    )


def genre_named(session: Session, name: str) -> Genre:
    """Return the genre, which may be new."""
    genre = session.scalar(select(Genre).where(Genre.name == name))
    if genre is None:
        genre = Genre(name=name)
        session.add(genre)
        session.flush()
    return genre


def cast_member(session: Session, person: dict[str, Any]) -> Cast:
    """Return the person, who may be new."""
    code = person["imdb_code"]
    member = session.scalar(select(Cast).where(Cast.imdb_code == code))
    if member is None:
        image = person.get("url_small_image")
        member = Cast(imdb_code=code, name=person["name"], url_small_image=image)
        session.add(member)
        session.flush()
    return member


def main() -> None:
    """Mirror the movies."""
    work = read_work()
    engine = connect(work)
    Base.metadata.create_all(engine)
    engine.dispose()
    with multiprocessing.Pool(work.connections, start_process, (work,)) as pool:
        for _ in pool.imap_unordered(process_movie, work.ids, chunksize=10):
            pass
        pool.close()
        pool.join()


if __name__ == "__main__":
    main()
