"""The three stores of one process, opened together and closed together."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from core.clock import Clock, SystemClock
from core.settings.model import Settings
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import apply_retention, migrate
from storage.clickhouse.nav_rows import insert_facts
from storage.clickhouse.query_log import QueryLog
from storage.clickhouse.reconcile import reconcile
from storage.clickhouse.settle import settle
from storage.clickhouse.spool import Spool
from storage.clickhouse.writer import Writer
from storage.folder import FolderLock
from storage.live.embedded import Valkey, socket_path
from storage.live.redis import Live
from storage.state.database import State

VALKEY_FOLDER = "valkey"
Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stores:
    """What every part below the collectors and above the pages needs."""

    settings: Settings
    clickhouse: ClickHouse
    live: Live
    state: State
    writer: Writer
    clock: Clock
    _closing: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def close(self) -> None:
        """Flush the writer, close the stores, end the bundled Valkey, give the folder back."""
        self._closing.close()


def open_stores(settings: Settings, *, clock: Clock | None = None, step: Step = lambda text: None) -> Stores:
    """Open the stores that `settings` name and bring their schemas up to date.

    `step` hears what is being done. Raises StartError or StorageUnavailable; what was opened is closed again.
    """
    with contextlib.ExitStack() as stack:
        step("data folder")
        lock = FolderLock(settings.data_dir) if settings.is_embedded else None
        if lock is not None:
            stack.callback(lock.release)
        step("live readings (Valkey)" if not settings.redis_url else "live readings (Redis)")
        live = Live(settings.redis_url or _start_valkey(settings, stack), settings.clickhouse_database)
        stack.callback(live.close)
        step("state database")
        state = State(settings.state_dsn)
        stack.callback(state.close)
        state.migrate()
        step("ClickHouse (in this process)" if settings.is_embedded else "ClickHouse server")
        clickhouse = open_clickhouse(settings)
        stack.callback(clickhouse.close)
        reconcile(clickhouse)
        writer = _open_writer(settings, clickhouse, stack)
        return Stores(settings, clickhouse, live, state, writer, clock or SystemClock(), stack.pop_all())


def open_clickhouse(settings: Settings) -> ClickHouse:
    """Return ClickHouse with its schema up to date."""
    clickhouse = ClickHouse(
        settings.clickhouse_dsn,
        settings.clickhouse_database,
        timeout_seconds=settings.query.timeout_seconds,
        memory_bytes=settings.query.memory_bytes,
        cluster=settings.clickhouse_cluster,
        query_log=QueryLog(),
    )
    migrate(clickhouse)
    apply_retention(clickhouse, settings.retention)
    return clickhouse


def running_valkey_url(settings: Settings) -> str:
    """Return where the live readings of the Fundwatch that runs on these settings are."""
    return settings.redis_url or f"unix://{socket_path(settings.data_dir / VALKEY_FOLDER)}"


def _start_valkey(settings: Settings, stack: contextlib.ExitStack) -> str:
    valkey = Valkey(settings.data_dir / VALKEY_FOLDER)
    stack.callback(valkey.stop)
    valkey.start()
    return valkey.url


def _open_writer(settings: Settings, clickhouse: ClickHouse, stack: contextlib.ExitStack) -> Writer:
    spool = Spool(settings.data_dir / "spool.sqlite", settings.writer.spool_bytes)
    stack.callback(spool.close)
    writer = Writer(
        partial(insert_facts, clickhouse),
        spool,
        clickhouse.query_log,
        settle=partial(settle, clickhouse),
        flush_seconds=settings.writer.flush_seconds,
        queue_rows=settings.writer.queue_rows,
    )
    writer.start()
    stack.callback(writer.stop)
    return writer
