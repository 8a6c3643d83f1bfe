"""`build_indexes`: index the vectors of a space, in the way that suits their number."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Literal

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from database.connection.explain import sqlstate
from database.vectors.spaces import Space, index_name

Method = Literal["ivfflat", "hnsw"]
KINDS = ("recommend", "search")
#: Comparing all of fewer vectors takes 4 ms at most.
_LEAST_FOR_LISTS = 5_000
#: An IVFFlat index of fewer vectors answers about as fast as an HNSW index, and is built in a
#: twentieth of the time.
_LEAST_FOR_LINKS = 30_000
#: Lists of an IVFFlat index. A query compares the vectors of some of them.
LISTS = 40
#: Links of a vector in each layer of an HNSW index: fewer make it cheaper, and find less.
_LINKS = {"recommend": 16, "search": 12}
#: Entries that a new one is compared with: fewer make the index cheaper, and find less.
_COMPARED = 96
#: Memory for building an index of up to 77,500 movies, and bytes for each movie beyond that.
#: Without enough memory, PostgreSQL adds entries one by one on disk, which takes hours for a
#: million.
_BUILD_MEGABYTES = 256
_BUILD_BYTES_PER_MOVIE = 2500
#: SQLSTATEs if there is too little shared memory for what parallel workers share: a full disk,
#: which means /dev/shm, with 64 MB in containers; or no memory.
_NO_SHARED_MEMORY = {"53100", "53200"}

_METHOD = text(
    "SELECT amname FROM pg_class JOIN pg_am ON pg_am.oid = relam "
    "WHERE pg_class.oid = to_regclass(:name)"
)


def choose_method(movies: int) -> Method | None:
    """Return the kind of index for the vectors of this many movies; None for no index."""
    if movies < _LEAST_FOR_LISTS:
        return None
    return "ivfflat" if movies < _LEAST_FOR_LINKS else "hnsw"


def drop_indexes(session: Session, space: Space) -> None:
    """Drop the indexes of *space* before many vectors are added; does not commit."""
    for kind in KINDS:
        session.execute(text(f"DROP INDEX IF EXISTS {index_name(kind, space.id)}"))


def build_indexes(engine: Engine, space: Space, movies: int) -> None:
    """
    Create the missing indexes of *space*, which has *movies* movies; each commits.

    Existing ones stay, except those for fewer movies. Searches compare all vectors meanwhile.
    """
    if (method := choose_method(movies)) is None:
        return
    megabytes = max(_BUILD_MEGABYTES, movies * _BUILD_BYTES_PER_MOVIE // 2**20)
    build = partial(_build_index, engine, space, method, megabytes)
    if method == "hnsw":
        with engine.begin() as connection:
            for kind in KINDS:
                _drop_if_lists(connection, index_name(kind, space.id))
        try:
            for kind in KINDS:
                build(kind, is_parallel=True)
        except OperationalError as error:
            if sqlstate(error) not in _NO_SHARED_MEMORY:
                raise
        else:
            return
    with ThreadPoolExecutor(len(KINDS)) as threads:
        list(threads.map(partial(build, is_parallel=False), KINDS))


def _build_index(
    engine: Engine,
    space: Space,
    method: Method,
    megabytes: int,
    kind: str,
    *,
    is_parallel: bool,
) -> None:
    name = index_name(kind, space.id)
    # `database.search.nearest` uses the same expression and literal.
    statement = (
        f"CREATE INDEX IF NOT EXISTS {name} ON movie_embeddings "
        f"USING {method} (({kind}::halfvec({space.dimensions(kind)})) halfvec_ip_ops) "
        f"WITH ({_options(kind, method)}) WHERE space_id = {space.id}"
    )
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL maintenance_work_mem = '{megabytes}MB'"))
        if not is_parallel:
            connection.execute(text("SET LOCAL max_parallel_maintenance_workers = 0"))
        connection.execute(text(statement))


def _options(kind: str, method: Method) -> str:
    if method == "ivfflat":
        return f"lists = {LISTS}"
    return f"m = {_LINKS[kind]}, ef_construction = {_COMPARED}"


def _drop_if_lists(connection: Connection, name: str) -> None:
    if connection.scalar(_METHOD, {"name": name}) == "ivfflat":
        connection.execute(text(f"DROP INDEX {name}"))
