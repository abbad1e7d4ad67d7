"""The state database: what was decided, in transactions. SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from core.errors import StartError, StorageRejected, StorageUnavailable
from storage.sqlite import prepare

Transaction = Connection
"""An open transaction, handed to functions that are part of it."""
metadata = sa.MetaData()

portfolios = sa.Table(
    "portfolios",
    metadata,
    sa.Column("origin", sa.String(16), primary_key=True),
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("parent", sa.String(64), nullable=False, server_default=""),
    sa.Column("benchmark", sa.String(64), nullable=False, server_default=""),
    sa.Column("currency", sa.String(3), nullable=False, server_default="USD"),
    sa.Column("note", sa.String(500), nullable=False, server_default=""),
    sa.Column("position", sa.Integer, nullable=False, server_default="0"),
    sa.Column("periods_per_year", sa.Integer, nullable=False, server_default="0"),
    sa.Column("inception", sa.String(10), nullable=False, server_default=""),
    sa.Column("ended", sa.String(10), nullable=False, server_default=""),
    sa.Column("frequency", sa.String(1), nullable=False, server_default=""),
    sa.Column("calendar", sa.String(24), nullable=False, server_default=""),
    sa.Column("strategy", sa.String(64), nullable=False, server_default=""),
    sa.Column("colour", sa.String(1), nullable=False, server_default=""),
    sa.Column("management_fee", sa.String(12), nullable=False, server_default=""),
    sa.Column("management_accrual", sa.String(16), nullable=False, server_default=""),
    sa.Column("performance_fee", sa.String(12), nullable=False, server_default=""),
    sa.Column("hurdle", sa.String(12), nullable=False, server_default=""),
    sa.Column("high_water_mark", sa.String(3), nullable=False, server_default=""),
    sa.Column("crystallisation", sa.String(8), nullable=False, server_default=""),
    sa.Column("nav_is", sa.String(5), nullable=False, server_default=""),
)

known_names = sa.Table(
    "known_names",
    metadata,
    sa.Column("name", sa.String(120), primary_key=True),
    sa.Column("portfolio", sa.String(64), nullable=False),
)

portfolio_changes = sa.Table(
    "portfolio_changes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("who", sa.String(80), nullable=False, server_default=""),
    sa.Column("portfolio", sa.String(64), nullable=False),
    sa.Column("what", sa.String(16), nullable=False),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Column("into", sa.String(64), nullable=False, server_default=""),
    sa.Column("wins", sa.String(64), nullable=False, server_default=""),
    sa.Column("stage", sa.String(16), nullable=False),
)

imports = sa.Table(
    "imports",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("imported", sa.Float, nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Column("who", sa.String(80), nullable=False, server_default=""),
    sa.Column("kind", sa.String(16), nullable=False, server_default=""),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("first", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("last", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("names", sa.Text, nullable=False, server_default="[]"),
    sa.Column("created", sa.Text, nullable=False, server_default="[]"),
    sa.Column("added", sa.Integer, nullable=False, server_default="0"),
    sa.Column("restated", sa.Integer, nullable=False, server_default="0"),
    sa.Column("doubts", sa.Text, nullable=False, server_default="[]"),
    sa.Column("undone", sa.Float, nullable=False, server_default="0"),
    sa.Column("undone_by", sa.String(80), nullable=False, server_default=""),
)

mappings = sa.Table(
    "mappings",
    metadata,
    sa.Column("header", sa.String(64), primary_key=True),
    sa.Column("stem", sa.String(255), primary_key=True),
    sa.Column("mapping", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("who", sa.String(80), nullable=False, server_default=""),
)

ingest_answers = sa.Table(
    "ingest_answers",
    metadata,
    sa.Column("who", sa.String(160), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("answer", sa.Text, nullable=False, server_default=""),
)

looked_at = sa.Table(
    "looked_at",
    metadata,
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("stamp", sa.String(64), primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("who", sa.String(80), nullable=False, server_default=""),
)

actions = sa.Table(
    "actions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("source", sa.String(80), nullable=False),
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("target", sa.String(500), nullable=False, server_default=""),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("result", sa.Text, nullable=False, server_default=""),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Column("finished_at", sa.Float, nullable=True),
    sa.Column("who", sa.String(80), nullable=False, server_default=""),
)

pings = sa.Table(
    "pings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("job", sa.String(64), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=True),
    sa.Column("bytes", sa.BigInteger, nullable=True),
    sa.Column("files", sa.BigInteger, nullable=True),
    sa.Column("expected", sa.BigInteger, nullable=True),
    sa.Column("message", sa.String(500), nullable=False, server_default=""),
    sa.Index("pings_by_job", "job", "id"),
)

series = sa.Table(
    "series",
    metadata,
    sa.Column("origin", sa.String(16), primary_key=True),
    sa.Column("symbol", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("currency", sa.String(3), nullable=False, server_default=""),
    sa.Column("day_count", sa.String(16), nullable=False, server_default=""),
    sa.Column("note", sa.String(500), nullable=False, server_default=""),
    sa.Column("asset_class", sa.String(16), nullable=False, server_default=""),
    sa.Column("sector", sa.String(64), nullable=False, server_default=""),
    sa.Column("industry", sa.String(64), nullable=False, server_default=""),
    sa.Column("country", sa.String(2), nullable=False, server_default=""),
    sa.Column("multiplier", sa.Float, nullable=False, server_default="1"),
    sa.Column("tags", sa.String(200), nullable=False, server_default=""),
    sa.Column("daily_volume", sa.Float, nullable=True),
)

blends = sa.Table(
    "blends",
    metadata,
    sa.Column("origin", sa.String(16), primary_key=True),
    sa.Column("id", sa.String(48), primary_key=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("parts", sa.Text, nullable=False),
    sa.Column("rebalancing", sa.String(16), nullable=False),
    sa.Column("currency", sa.String(3), nullable=False, server_default=""),
)

risk_free = sa.Table(
    "risk_free",
    metadata,
    sa.Column("origin", sa.String(16), primary_key=True),
    sa.Column("currency", sa.String(3), primary_key=True),
    sa.Column("percent", sa.Float, nullable=False, server_default="0"),
    sa.Column("series", sa.String(64), nullable=False, server_default=""),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("until", sa.Float, nullable=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("tags", sa.Text, nullable=False, server_default="[]"),
    sa.Column("portfolio", sa.String(80), nullable=False, server_default=""),
    sa.Column("component", sa.String(160), nullable=False, server_default=""),
    sa.Column("who", sa.String(80), nullable=False, server_default=""),
    sa.Column("made_at", sa.Float, nullable=False),
    sa.Column("changed_at", sa.Float, nullable=False, server_default="0"),
    sa.Column("deleted_at", sa.Float, nullable=False, server_default="0"),
    sa.Index("events_by_time", "at"),
)

pulled = sa.Table(
    "pulled",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("mark", sa.Text, nullable=False, server_default=""),
    sa.Column("rows", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("refused", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("refused_at", sa.Float, nullable=False, server_default="0"),
)

refused_rows = sa.Table(
    "refused_rows",
    metadata,
    sa.Column("source", sa.String(80), primary_key=True),
    sa.Column("digest", sa.String(32), primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

VERSIONS = "alembic_version"
SILENT_SERVER_SECONDS = 15
"""After so long without a sign of life a connection to PostgreSQL is given up."""
LONGEST_STATEMENT_SECONDS = 60
_NOT_OURS = "it is damaged, or no file of ours; restore it from a copy, or move it away"
MIGRATION_LOCK, TREE_LOCK, AUDIT_LOCK, ACCOUNTS_LOCK = 7_305_112_017, 7_305_112_018, 7_305_112_019, 7_305_112_020
HISTORY_LOCK = 7_305_112_021
"""PostgreSQL advisory locks: one process at a time migrates; one decides what becomes of portfolios and their files;
one adds to the audit; one decides who has an account and what it may; one adds to the history of alerts."""


class State:
    """The state database. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(_with_driver(url))
        self.engine = _engine(self.url)
        self._reads = self.engine.execution_options(reads=True)

    @property
    def file(self) -> Path | None:
        """The SQLite file, None for a server."""
        is_file = self.url.get_backend_name() == "sqlite" and self.url.database not in (None, "", ":memory:")
        return Path(str(self.url.database)) if is_file else None

    def migrate(self) -> bool:
        """Bring the schema to the newest version; harmless when it is there or when two processes try.

        Return whether there was nothing before. Raises StartError when a newer Fundwatch made it.
        """
        from alembic import command
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "alembic"))
        with self.begin() as connection:
            if self.url.get_backend_name() == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            config.attributes["connection"] = connection
            tables = sa.inspect(connection).get_table_names()
            made_by = _revision(connection) if VERSIONS in tables else ""
            known = [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()]
            where = self.file or f"the state database at {self.url.host}"
            if made_by and made_by not in known:
                raise StartError(
                    f"{where}: made by a newer Fundwatch (schema {made_by}, this one knows {known[0]}); "
                    "start that one, or restore a copy from before"
                )
            if not made_by and portfolios.name in tables:
                raise StartError(f"{where}: has tables and no schema version: {_NOT_OURS}")
            command.upgrade(config, "head")
        return not tables

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction; it is committed at the end or rolled back on any error.

        Raises StorageUnavailable when the database is away, StorageRejected when it refuses a statement.
        """
        with _told(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads: on SQLite it waits for no write, however long that takes.

        Raises as `begin` does.
        """
        with _told(), self._reads.begin() as connection:
            yield connection

    @contextmanager
    def deciding(self) -> Iterator[Connection]:
        """Open a transaction like `begin`, alone among those that decide what becomes of portfolios and their files.

        SQLite lets one write at a time anyway.
        """
        with self._alone(TREE_LOCK) as connection:
            yield connection

    @contextmanager
    def deciding_accounts(self) -> Iterator[Connection]:
        """Open a transaction like `begin`, alone among those that decide who has an account and what it may."""
        with self._alone(ACCOUNTS_LOCK) as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def _alone(self, key: int) -> Iterator[Connection]:
        """Open a transaction like `begin`, once every other one with this key has ended."""
        with self.begin() as connection:
            if self.url.get_backend_name() == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
            yield connection


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise StorageUnavailable(_one_line(error)) from error
    except DBAPIError as error:
        raise (StorageUnavailable if error.connection_invalidated else StorageRejected)(_one_line(error)) from error
    except SQLAlchemyError as error:
        raise StorageRejected(_one_line(error)) from error


def upsert(connection: Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert `rows`, replacing those whose primary key is there."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        statement: Any = postgresql_insert(table)
    else:
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        statement = sqlite_insert(table)
    keys = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def _with_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1) if url.startswith("postgresql://") else url


def _engine(url: sa.URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        deadlines = _deadlines(url)
        return sa.create_engine(url, pool_pre_ping=True, pool_size=5, connect_args=deadlines, hide_parameters=True)
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    is_in_memory = url.database in (None, "", ":memory:")
    # Each connection to memory is a database of its own: there all threads share one.
    pool = {"poolclass": sa.StaticPool} if is_in_memory else {}
    # What is written may be secrets: they stand in no error, and so in no traceback of the log.
    engine = sa.create_engine(
        url, connect_args={"timeout": 5, "check_same_thread": False}, hide_parameters=True, **pool
    )

    @sa.event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling would commit before DDL; BEGIN IMMEDIATE below takes over.
        connection.isolation_level = None
        prepare(connection)
        connection.execute("PRAGMA foreign_keys = ON")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("reads") else "BEGIN IMMEDIATE")

    return engine


def _deadlines(url: sa.URL) -> dict[str, Any]:
    """Return what ends a question to PostgreSQL that hangs: whoever asks would hang as well."""
    deadlines: dict[str, Any] = {"connect_timeout": 5, "tcp_user_timeout": SILENT_SERVER_SECONDS * 1_000}
    if "options" not in url.query:
        deadlines["options"] = f"-c statement_timeout={LONGEST_STATEMENT_SECONDS * 1_000}"
    return deadlines


def _revision(connection: Connection) -> str:
    return str(connection.execute(sa.text(f"SELECT version_num FROM {VERSIONS}")).scalar() or "")


def _one_line(error: BaseException) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())[:500]
