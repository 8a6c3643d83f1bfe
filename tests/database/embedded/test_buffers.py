"""Memory of an embedded server: an eighth of what there is, within bounds."""

from pathlib import Path

import pytest

from database.embedded.buffers import buffers_mb
from database.embedded.server import open_embedded
from tests.support.servers.embedded_world import query
from tests.support.servers.shared_server import copy_home


@pytest.mark.parametrize(
    ("limits", "megabytes"),
    [
        ([str(2 * 2**30)], 256),
        (["max", str(2 * 2**30)], 256),
        ([str(2**29)], 128),
    ],
)
def test_a_container_has_an_eighth_of_its_limit(tmp_path: Path, limits: list[str], megabytes: int):
    """But not less than PostgreSQL takes by itself."""
    files = [tmp_path / "none", *(tmp_path / str(place) for place in range(len(limits)))]
    for file, limit in zip(files[1:], limits, strict=True):
        file.write_text(f"{limit}\n")

    assert buffers_mb(files) == megabytes


def test_no_machine_gives_more_than_half_a_gigabyte(monkeypatch: pytest.MonkeyPatch):
    """More would help hardly any mirror."""
    monkeypatch.setattr("os.sysconf", lambda _name: 2**20)

    assert buffers_mb([]) == 512


def test_a_setting_of_the_user_comes_first(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
):
    """ALTER SYSTEM changes what the program has chosen."""
    home = copy_home(tmp_path_factory, tmp_path / "home")
    shown = "SELECT setting::bigint * 8 / 1024 FROM pg_settings WHERE name = 'shared_buffers'"
    with open_embedded(home) as server:
        assert query(server.url, shown) == [buffers_mb()]
    with (home / "data" / "postgresql.auto.conf").open("a") as settings:
        settings.write("shared_buffers = 64MB\n")

    with open_embedded(home) as server:
        assert query(server.url, shown) == [64]
