"""Databases of users: unusable ones give one message and exit code 5; settings in URLs apply."""

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
from tests.support.data.movies import read
from tests.support.databases import run_sql
from tests.support.processes.commands import call
from tests.support.servers.other_server import PASSWORD, OtherServer, open_other_server
from tests.support.servers.shared_server import shared_folder

#: Forms of the password that no message may have.
SECRETS = (PASSWORD, "p%2540", "p%40@", "'/:$x")


@pytest.fixture(scope="module")
def other_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherServer]:
    """Start a server with passwords. Its user `guest` may connect, and has no other rights."""
    with open_other_server(shared_folder(tmp_path_factory)) as server:
        quoted = PASSWORD.replace("'", "''").replace(":", r"\:")
        run_sql(server.url, f"CREATE ROLE guest LOGIN PASSWORD '{quoted}'")
        yield server


@pytest.fixture
def refusal() -> Callable[[URL], str]:
    """Return a function that returns the message of both the library and the command."""

    def refuse(url: URL) -> str:
        with pytest.raises(DatabaseNotReady) as caught:
            get_db_manager(database_url=url)
        done = call("fetch_yts_data.py", "--ids", "1", url=url)

        assert done.returncode == 5, done.stderr
        assert done.stdout == ""
        assert done.stderr == f"Error: {caught.value}\n"
        assert len(done.stderr.splitlines()) == 1
        assert not [secret for secret in SECRETS if secret in done.stderr]
        return str(caught.value)

    return refuse


Refusal = Callable[[URL], str]


def test_a_server_with_pgvector_and_a_password_is_fine(other_server: OtherServer) -> None:
    """The server and the password of these tests are good, as long as no test changes them."""
    url = other_server.make_database("fine")

    with get_db_manager(database_url=url.render_as_string(hide_password=False)) as db:
        assert db.get_stats()["total_movies"] == 0


def test_without_pgvector(other_server: OtherServer, refusal: Refusal) -> None:
    """The message says how to install it on the server, and how to use the embedded one instead."""
    url = other_server.make_database("no_pgvector")

    with other_server.offering_pgvector(None):
        message = refusal(url)

    assert "no pgvector" in message
    assert "apt install postgresql-18-pgvector" in message
    assert "unset DATABASE_URL" in message


def test_with_a_pgvector_that_is_too_old(other_server: OtherServer, refusal: Refusal) -> None:
    """Half-precision vectors came with 0.7."""
    url = other_server.make_database("old_pgvector")

    with other_server.offering_pgvector("0.5.1"):
        message = refusal(url)

    assert "pgvector 0.5.1" in message
    assert "0.7.0 or newer" in message


def test_too_old_a_server(
    new_database: Callable[..., URL], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The server's version is compared before anything is written.

    No old server is installed here, so the test raises the lowest version that is accepted.
    """
    url = new_database(is_empty=True)
    monkeypatch.setattr(schema, "MIN_SERVER_VERSION", 990_000)

    with pytest.raises(DatabaseNotReady, match=r"is version \d\d, but at least 99 is needed"):
        get_db_manager(database_url=url)


def test_a_port_where_nothing_listens(other_server: OtherServer, refusal: Refusal) -> None:
    """The message tells the user to start the server, the most frequent reason."""
    message = refusal(other_server.url.set(port=1))

    assert "nothing listens there. Start the server" in message


def test_an_unknown_host(other_server: OtherServer, refusal: Refusal) -> None:
    """The reason is a typing error, or there is no network."""
    assert "host name is unknown" in refusal(other_server.url.set(host="nowhere.invalid"))


def test_a_wrong_password(other_server: OtherServer, refusal: Refusal) -> None:
    """The message asks whether special characters are encoded; no password is shown."""
    run_sql(other_server.url, "CREATE ROLE reader LOGIN PASSWORD 'other'")

    message = refusal(other_server.url.set(username="reader"))

    assert "refuses the user name or password" in message
    assert "percent-encoded" in message


def test_no_password(other_server: OtherServer, refusal: Refusal) -> None:
    """libpq has another message for it; ours is the same as for a wrong password."""
    url = other_server.url
    without = URL.create(url.drivername, "postgres", None, url.host, url.port, "postgres")

    assert "refuses the user name or password" in refusal(without)


def test_a_database_that_does_not_exist(other_server: OtherServer, refusal: Refusal) -> None:
    """The message tells the user to create it."""
    assert "createdb" in refusal(other_server.url.set(database="nothing_here"))


def test_no_tls_although_the_url_requires_it(other_server: OtherServer, refusal: Refusal) -> None:
    """Settings in the query of the URL reach the driver."""
    assert "sslmode" in refusal(other_server.url.update_query_dict({"sslmode": "require"}))


def test_settings_in_the_url_win_over_ours(other_server: OtherServer) -> None:
    """Our settings are added where the URL has none; times are always in UTC."""
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
    """PGOPTIONS is added to our settings; PGTZ does not change our UTC."""
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=5MB -c TimeZone=Asia/Tokyo")
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")

    with get_db_manager(database_url=other_server.make_database("with_options")) as db:
        names = ("work_mem", "tcp_keepalives_idle", "timezone")
        shown = [read(db, f"SHOW {name}") for name in names]

    assert shown == [["5MB"], ["30"], ["UTC"]]


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has this option")
def test_a_network_that_falls_silent_counts_as_cut_after_a_minute(other_server: OtherServer):
    """
    The system probes an idle connection, and gives up if sent data is not acknowledged.
    """
    with DatabaseManager(other_server.url) as db, db.engine.connect() as connection:
        handle = connection.connection.dbapi_connection
        with socket.socket(fileno=os.dup(handle.fileno())) as probe:
            keepalive = [
                probe.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            ]
            unanswered = probe.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    assert keepalive[0] + keepalive[1] * keepalive[2] == 60
    assert unanswered == 60_000


def test_newer_tables(database_url: URL, refusal: Refusal) -> None:
    """The message tells the user to update the program."""
    run_sql(database_url, "UPDATE alembic_version SET version_num = '9999'")

    message = refusal(database_url)

    assert "9999" in message
    assert "Update the program" in message


def test_no_right_to_create_the_extension(other_server: OtherServer, refusal: Refusal) -> None:
    """The user owns the database, but only an administrator can create the extension, once."""
    url = other_server.make_database("own", "ALTER DATABASE own OWNER TO guest")

    message = refusal(url.set(username="guest"))

    assert "CREATE EXTENSION vector" in message
    assert "administrator" in message


def test_no_right_to_create_tables(other_server: OtherServer, refusal: Refusal) -> None:
    """The extension exists, but the schema belongs to another user."""
    url = other_server.make_database("no_tables", "CREATE EXTENSION vector")

    message = refusal(url.set(username="guest"))

    assert "permission denied for schema public" in message


def test_no_right_to_read_the_tables(other_server: OtherServer, refusal: Refusal) -> None:
    """The tables of another user, who has migrated the database, are refused."""
    url = other_server.make_database("not_ours")
    get_db_manager(database_url=url).close_all()

    assert "permission denied" in refusal(url.set(username="guest"))


def test_a_database_that_takes_no_writes(other_server: OtherServer, refusal: Refusal) -> None:
    """A standby, for example, cannot be migrated."""
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
    """A foreign version of alembic, or a table of the same name, does not count as ours."""
    url = other_server.make_database(name, f"CREATE TABLE {table}")

    message = refusal(url)

    assert "another program" in message
    assert "createdb" in message


def test_pgvector_outside_the_search_path(other_server: OtherServer, refusal: Refusal) -> None:
    """The extension exists, but its types are not found: the message names its schema."""
    url = other_server.make_database(
        "hidden", "CREATE SCHEMA ext", "CREATE EXTENSION vector SCHEMA ext"
    )

    assert "in the schema ext, which is not in the search_path" in refusal(url)


def test_a_role_that_may_only_read(other_server: OtherServer, refusal: Refusal) -> None:
    """The message does not suggest to own the database, because that would not help."""
    url = other_server.make_database("readable", "ALTER DATABASE readable OWNER TO guest")
    run_sql(url, "ALTER ROLE guest IN DATABASE readable SET default_transaction_read_only = on")

    message = refusal(url.set(username="guest"))

    assert "it is read-only" in message
    assert "own the database" not in message


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("postgresql://", r"at /\S+/\.s\.PGSQL\.5432 "),
        ("postgresql://me@/x?host=/nowhere", r"me@/x at /nowhere/\.s\.PGSQL\.5432 "),
        ("postgresql://me@127.0.0.1:1,127.0.0.1:2/x", r"me@/x at 127.0.0.1 port 1 and 127"),
    ],
)
def test_the_location_of_the_database_is_named(text: str, location: str) -> None:
    """That holds also for a URL without a host, or with several."""
    with pytest.raises(DatabaseNotReady, match=f"The database {location}"):
        get_db_manager(database_url=text)


@pytest.mark.parametrize(
    ("original", "meaning"),
    [
        ('could not write to file "base/1": Read-only file system', "file system is read-only"),
        ('could not resize shared memory segment "/P": No space left on device', "shared memory"),
        ('could not extend file "base/1": No space left on device', "its disk is full"),
    ],
)
def test_the_message_of_the_system_goes_before_the_code(original: str, meaning: str) -> None:
    """For a read-only file system or little memory, the code of PostgreSQL is misleading."""

    class Refusal(psycopg2.OperationalError):
        pgcode = "42501" if "Read-only" in original else "53100"

    message = explain_trouble(DBAPIError("", {}, Refusal(original)))

    assert meaning in message
    assert original in message


def test_a_password_with_a_bare_at_sign_is_noticed_and_not_shown() -> None:
    """The rest of the password would be read as the host, and shown."""
    with pytest.raises(InvalidDatabaseUrl) as caught:
        parse_database_url("postgresql://me:sec@ret@localhost/yts")

    assert "%40" in str(caught.value)
    assert "ret" not in str(caught.value)
