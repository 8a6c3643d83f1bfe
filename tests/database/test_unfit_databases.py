"""A database that cannot be used is told in one sentence with what to do, and exit code 5."""

import os
import socket
from collections.abc import Callable, Iterator

import psycopg2
import pytest
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from database import schema
from database.config import parse_database_url
from database.connection.explain import explain_trouble
from database.db import DatabaseManager, get_db_manager
from database.errors import DatabaseNotReady, InvalidDatabaseUrl
from tests.support.databases import run_sql
from tests.support.movies import read
from tests.support.other_server import PASSWORD, OtherServer, open_other_server
from tests.support.programs import in_database, run_python

#: What no message may hold of the password.
SECRETS = (PASSWORD, "p%2540", "p%40@", "'/:$x")


@pytest.fixture(scope="session")
def other_server() -> Iterator[OtherServer]:
    """Run a second server for the whole session; its user guest may connect, and nothing else."""
    with open_other_server() as server:
        quoted = PASSWORD.replace("'", "''").replace(":", r"\:")
        run_sql(server.url, f"CREATE ROLE guest LOGIN PASSWORD '{quoted}'")
        yield server


@pytest.fixture
def refusal() -> Callable[[URL], str]:
    """Return a way to get the sentence that both the library and the command refuse with."""

    def refuse(url: URL) -> str:
        with pytest.raises(DatabaseNotReady) as caught:
            get_db_manager(database_url=url)
        done = run_python("fetch_yts_data.py", "--ids", "1", environment=in_database(url))

        assert done.returncode == 5, done.stderr
        assert done.stdout == ""
        assert done.stderr == f"Error: {caught.value}\n"
        assert len(done.stderr.splitlines()) == 1
        assert not [secret for secret in SECRETS if secret in done.stderr]
        return str(caught.value)

    return refuse


Refusal = Callable[[URL], str]


def test_a_server_with_pgvector_and_a_password_is_fine(other_server: OtherServer) -> None:
    """The password of these tests, and the server they spoil, are good otherwise."""
    url = other_server.make_database("fine")

    with get_db_manager(database_url=url.render_as_string(hide_password=False)) as db:
        assert db.get_stats()["total_movies"] == 0


def test_without_pgvector(other_server: OtherServer, refusal: Refusal) -> None:
    """The sentence says how to get it on the server, and the way around."""
    url = other_server.make_database("no_pgvector")

    with other_server.offering_pgvector(None):
        sentence = refusal(url)

    assert "no pgvector" in sentence
    assert "apt install postgresql-18-pgvector" in sentence
    assert "unset DATABASE_URL" in sentence


def test_with_a_pgvector_that_is_too_old(other_server: OtherServer, refusal: Refusal) -> None:
    """Half-precision vectors came with 0.7."""
    url = other_server.make_database("old_pgvector")

    with other_server.offering_pgvector("0.5.1"):
        sentence = refusal(url)

    assert "pgvector 0.5.1" in sentence
    assert "0.7.0 or newer" in sentence


def test_too_old_a_server(
    new_database: Callable[..., URL], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The server's version is compared before anything is written.

    There is no old server at hand, so the law is made stricter; this cannot reach a
    process of its own, hence the library alone.
    """
    url = new_database(is_empty=True)
    monkeypatch.setattr(schema, "MIN_SERVER_VERSION", 990_000)

    with pytest.raises(DatabaseNotReady, match=r"is version \d\d, but at least 99 is needed"):
        get_db_manager(database_url=url)


def test_a_port_where_nothing_listens(other_server: OtherServer, refusal: Refusal) -> None:
    """Most often the server is not started."""
    sentence = refusal(other_server.url.set(port=1))

    assert "nothing listens there. Start the server" in sentence


def test_an_unknown_host(other_server: OtherServer, refusal: Refusal) -> None:
    """A typing error, or no network."""
    assert "host name is unknown" in refusal(other_server.url.set(host="nowhere.invalid"))


def test_a_wrong_password(other_server: OtherServer, refusal: Refusal) -> None:
    """Most often a special character was not encoded; neither the right nor the wrong one shows."""
    run_sql(other_server.url, "CREATE ROLE reader LOGIN PASSWORD 'other'")

    sentence = refusal(other_server.url.set(username="reader"))

    assert "refuses the user name or password" in sentence
    assert "percent-encoded" in sentence


def test_no_password(other_server: OtherServer, refusal: Refusal) -> None:
    """libpq has words of its own for it."""
    url = other_server.url
    without = URL.create(url.drivername, "postgres", None, url.host, url.port, "postgres")

    assert "refuses the user name or password" in refusal(without)


def test_a_database_that_does_not_exist(other_server: OtherServer, refusal: Refusal) -> None:
    """The database itself is for the user to create."""
    assert "createdb" in refusal(other_server.url.set(database="nothing_here"))


def test_no_tls_where_it_is_asked_for(other_server: OtherServer, refusal: Refusal) -> None:
    """Settings in the URL's query reach the driver."""
    assert "sslmode" in refusal(other_server.url.update_query_dict({"sslmode": "require"}))


def test_settings_in_the_url_win_over_ours(other_server: OtherServer) -> None:
    """Ours are added where the URL says nothing; times are always in UTC."""
    chosen = {
        "application_name": "mine",
        "options": "-c statement_timeout=77s -c tcp_keepalives_idle=9 -c timezone=Asia/Tokyo",
    }

    with get_db_manager(database_url=other_server.url.update_query_dict(chosen)) as db:
        names = ("application_name", "statement_timeout", "tcp_keepalives_idle", "timezone")
        shown = [read(db, f"SHOW {name}") for name in names]

    assert shown == [["mine"], ["77s"], ["9"], ["UTC"]]


def test_the_variables_of_libpq_count_for_a_server_of_the_users_own(
    other_server: OtherServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGOPTIONS is honoured, beside our settings; PGTZ does not change our UTC."""
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=5MB -c TimeZone=Asia/Tokyo")
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")

    with get_db_manager(database_url=other_server.make_database("with_options")) as db:
        names = ("work_mem", "tcp_keepalives_idle", "timezone")
        shown = [read(db, f"SHOW {name}") for name in names]

    assert shown == [["5MB"], ["30"], ["UTC"]]


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux tells")
def test_a_network_that_falls_silent_counts_as_cut_after_a_minute(other_server: OtherServer):
    """
    The system asks a silent server whether it is there, and gives up on one that takes nothing.
    """
    with DatabaseManager(other_server.url) as db, db.engine.connect() as connection:
        handle = connection.connection.dbapi_connection
        with socket.socket(fileno=os.dup(handle.fileno())) as line:
            probed = [
                line.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            ]
            unanswered = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    assert probed[0] + probed[1] * probed[2] == 60
    assert unanswered == 60_000


def test_newer_tables(database_url: URL, refusal: Refusal) -> None:
    """It is the program that must move."""
    run_sql(database_url, "UPDATE alembic_version SET version_num = '9999'")

    sentence = refusal(database_url)

    assert "9999" in sentence
    assert "Update the program" in sentence


def test_no_right_to_create_the_extension(other_server: OtherServer, refusal: Refusal) -> None:
    """The database is the user's own; but pgvector is for an administrator to create, once."""
    url = other_server.make_database("own", "ALTER DATABASE own OWNER TO guest")

    sentence = refusal(url.set(username="guest"))

    assert "CREATE EXTENSION vector" in sentence
    assert "administrator" in sentence


def test_no_right_to_create_tables(other_server: OtherServer, refusal: Refusal) -> None:
    """The extension is there, but the schema belongs to somebody else."""
    url = other_server.make_database("no_tables", "CREATE EXTENSION vector")

    sentence = refusal(url.set(username="guest"))

    assert "permission denied for schema public" in sentence


def test_no_right_to_read_the_tables(other_server: OtherServer, refusal: Refusal) -> None:
    """Somebody else has migrated this database for himself."""
    url = other_server.make_database("not_ours")
    get_db_manager(database_url=url).close_all()

    assert "permission denied" in refusal(url.set(username="guest"))


def test_a_database_that_takes_no_writes(other_server: OtherServer, refusal: Refusal) -> None:
    """A standby, for instance, cannot be migrated."""
    url = other_server.make_database("standby")
    run_sql(other_server.url, "ALTER DATABASE standby SET default_transaction_read_only = on")

    assert "read-only" in refusal(url)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("foreign_1", "alembic_version AS SELECT 'abc123' AS version_num"),
        ("foreign_2", "alembic_version AS SELECT '0003' AS version_num"),
        ("foreign_3", f"alembic_version AS SELECT '{schema.HEAD_REVISION}' AS version_num"),
        ("foreign_4", "alembic_version AS SELECT 1 AS version"),
        ("foreign_5", "movies AS SELECT 'Mine' AS title"),
    ],
)
def test_the_tables_of_another_program_are_left_alone(
    name: str, table: str, other_server: OtherServer, refusal: Refusal
) -> None:
    """A version of alembic, or a table of the same name: they are not called old or new ones."""
    url = other_server.make_database(name, f"CREATE TABLE {table}")

    sentence = refusal(url)

    assert "another program" in sentence
    assert "createdb" in sentence


def test_pgvector_outside_the_search_path(other_server: OtherServer, refusal: Refusal) -> None:
    """It is there, but its types are not found: the sentence says where it is."""
    url = other_server.make_database(
        "hidden", "CREATE SCHEMA ext", "CREATE EXTENSION vector SCHEMA ext"
    )

    assert "in the schema ext, which is not in the search_path" in refusal(url)


def test_a_role_that_may_only_read(other_server: OtherServer, refusal: Refusal) -> None:
    """To own the database would not help it."""
    url = other_server.make_database("readable", "ALTER DATABASE readable OWNER TO guest")
    run_sql(url, "ALTER ROLE guest IN DATABASE readable SET default_transaction_read_only = on")

    sentence = refusal(url.set(username="guest"))

    assert "it is read-only" in sentence
    assert "own the database" not in sentence


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("postgresql://", r"at /\S+/\.s\.PGSQL\.5432 "),
        ("postgresql://me@/x?host=/nowhere", r"me@/x at /nowhere/\.s\.PGSQL\.5432 "),
        ("postgresql://me@127.0.0.1:1,127.0.0.1:2/x", r"me@/x at 127.0.0.1 port 1 and 127"),
    ],
)
def test_the_place_is_named(text: str, place: str) -> None:
    """Also where the URL has no host, or several."""
    with pytest.raises(DatabaseNotReady, match=f"The database {place}"):
        get_db_manager(database_url=text)


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ('could not write to file "base/1": Read-only file system', "file system is read-only"),
        ('could not resize shared memory segment "/P": No space left on device', "shared memory"),
        ('could not extend file "base/1": No space left on device', "its disk is full"),
    ],
)
def test_what_the_system_says_goes_before_the_code(said: str, meaning: str) -> None:
    """PostgreSQL calls a read-only file system a lack of rights, and little memory a full disk."""

    class Refusal(psycopg2.OperationalError):
        pgcode = "42501" if "Read-only" in said else "53100"

    sentence = explain_trouble(DBAPIError("", {}, Refusal(said)))

    assert meaning in sentence
    assert said in sentence


def test_a_password_with_a_bare_at_sign_is_noticed_and_not_shown() -> None:
    """Its end would be taken for the host, and shown as such."""
    with pytest.raises(InvalidDatabaseUrl) as caught:
        parse_database_url("postgresql://me:sec@ret@localhost/yts")

    assert "%40" in str(caught.value)
    assert "ret" not in str(caught.value)
