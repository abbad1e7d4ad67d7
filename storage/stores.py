"""The three stores of one process, opened together and closed together."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from core.clock import Clock, SystemClock
from core.errors import FundwatchError, StorageUnavailable
from core.memory import leave_pandas
from core.settings.model import Settings
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.insert import insert_in_turn, settle_in_turn
from storage.clickhouse.migrate import apply_retention, bound_threads, migrate
from storage.clickhouse.portfolio_rows import MADE_TABLES, TABLES
from storage.clickhouse.pushing import Pushing
from storage.clickhouse.query_log import QueryLog
from storage.clickhouse.reconcile import reconcile
from storage.clickhouse.spool import Spool
from storage.clickhouse.spools import adopt, claim
from storage.clickhouse.writer import Writer
from storage.damage import damage_told, open_expendable
from storage.folder import FolderLock, check_writable, keep_private
from storage.live.embedded import Valkey, socket_path
from storage.live.redis import Live
from storage.missing import find_missing
from storage.state.database import State

log = logging.getLogger(__name__)

VALKEY_FOLDER = "valkey"
OF_PORTFOLIOS = frozenset(TABLES + MADE_TABLES)
AGAIN_SECONDS, SELDOM_SECONDS = 2.0, 30.0
"""After how long storage that was away at the start is asked again: at first, and after a while."""
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
    told: Sequence[str] = ()
    """What was found missing or damaged, a sentence each; of a ClickHouse that comes later as soon as it is there."""
    lock: FolderLock | None = None
    """Of the data folder, where this process owns it."""
    pushing: Pushing = field(default_factory=Pushing)
    """The way of samples that programs send."""
    _closing: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def at_close(self, do: Callable[[], None]) -> None:
        """Call `do` when they are closed, before they are."""
        self._closing.callback(do)

    def close(self) -> None:
        """Flush the writer, close the stores, end the bundled Valkey, give the folder back."""
        self._closing.close()


def open_stores(
    settings: Settings, *, clock: Clock | None = None, step: Step = lambda text: None, may_wait: bool = False
) -> Stores:
    """Open the stores that `settings` name and bring their schemas up to date.

    `step` hears what is being done. may_wait: a ClickHouse server that is away is waited for in the background; until
    then every statement raises StorageUnavailable. Raises StartError or StorageUnavailable; what was opened is closed
    again.
    """
    leave_pandas()
    with contextlib.ExitStack() as stack:
        step("data folder")
        told: list[str] = []
        lock = FolderLock(settings.data_dir) if settings.is_embedded else None
        if lock is not None:
            stack.callback(lock.release)
        else:
            check_writable(settings.data_dir)
        if tightened := keep_private(settings.data_dir):
            log.warning("%s", tightened)
        step("live readings (Valkey)" if not settings.redis_url else "live readings (Redis)")
        live = Live(settings.redis_url or _start_valkey(settings, stack, told), settings.clickhouse_database)
        stack.callback(live.close)
        step("state database")
        state, is_state_new = _open_state(settings, stack)
        step("ClickHouse (in this process)" if settings.is_embedded else "ClickHouse server")
        clickhouse = open_clickhouse(settings)
        stack.callback(clickhouse.close)
        prepare = partial(prepare_clickhouse, clickhouse, settings)
        try:
            clickhouse.prepare(prepare)
        except StorageUnavailable as error:
            if not may_wait or settings.is_embedded:
                raise
            log.warning("started without ClickHouse, which is waited for: %s", error)
            look = partial(_tell_missing, clickhouse, state, is_state_new, told)
            stack.callback(_keep_preparing(clickhouse, prepare, look).set)
        else:
            told += find_missing(clickhouse, state, is_state_new)
        writer = _open_writer(settings, clickhouse, live, stack, told)
        for sentence in [*told]:
            log.warning("%s", sentence)
        opened = settings, clickhouse, live, state, writer, clock or SystemClock()
        return Stores(*opened, told, lock, _closing=stack.pop_all())


def _tell_missing(clickhouse: ClickHouse, state: State, is_state_new: bool, told: list[str]) -> None:
    """Tell what the stores lack of each other, now that ClickHouse is there."""
    for sentence in find_missing(clickhouse, state, is_state_new):
        log.warning("%s", sentence)
        told.append(sentence)


def open_clickhouse(settings: Settings) -> ClickHouse:
    """Return ClickHouse, which `prepare_clickhouse` has to prepare."""
    return ClickHouse(
        settings.clickhouse_dsn,
        settings.clickhouse_database,
        timeout_seconds=settings.query.timeout_seconds,
        memory_bytes=settings.query.memory_bytes,
        cluster=settings.clickhouse_cluster,
        query_log=QueryLog(),
    )


def prepare_clickhouse(clickhouse: ClickHouse, settings: Settings) -> None:
    """Bring the schema up to date, and what a kill left in part. Raises StartError or StorageUnavailable."""
    with _clickhouse_told(settings):
        migrate(clickhouse)
        apply_retention(clickhouse, settings.retention)
        if settings.is_embedded:
            bound_threads(clickhouse)
    reconcile(clickhouse, settings.retention.raw_days)


def pauses() -> Iterator[float]:
    """Yield how long to wait before each further attempt, in seconds: ever longer, up to SELDOM_SECONDS."""
    seconds = AGAIN_SECONDS
    while True:
        yield seconds
        seconds = min(2 * seconds, SELDOM_SECONDS)


def _keep_preparing(clickhouse: ClickHouse, prepare: Callable[[], None], then: Callable[[], None]) -> threading.Event:
    """Prepare ClickHouse as soon as it answers, in a thread, and do what comes then; return what ends that."""
    stopping = threading.Event()

    def loop() -> None:
        said = ""
        for seconds in pauses():
            if stopping.wait(seconds):
                return
            try:
                clickhouse.prepare(prepare)
            except StorageUnavailable:
                continue
            except FundwatchError as error:
                if str(error) != said:
                    said = str(error)
                    log.error("ClickHouse is back and cannot be used: %s", said)
            else:
                log.info("ClickHouse is back")
                then()
                return

    threading.Thread(target=loop, name="clickhouse", daemon=True).start()
    return stopping


def _clickhouse_told(settings: Settings) -> contextlib.AbstractContextManager[None]:
    """Return what makes a folder of ClickHouse that cannot be opened a StartError; a server may come back."""
    if not settings.is_embedded:
        return contextlib.nullcontext()
    way_out = "restore the folder from a copy, or move it away to begin with an empty one"
    return damage_told(Path(settings.clickhouse_dsn.removeprefix("chdb://")), way_out)


def _open_state(settings: Settings, stack: contextlib.ExitStack) -> tuple[State, bool]:
    """Return the state database, and whether it was empty."""
    state = State(settings.state_dsn)
    stack.callback(state.close)
    if state.file is None:
        return state, state.migrate()
    way_out = "restore it from a copy of the data folder, or move it away: portfolios, settings and imports begin anew"
    with damage_told(state.file, way_out):
        return state, state.migrate()


def running_valkey_url(settings: Settings) -> str:
    """Return where the live readings of the Fundwatch that runs on these settings are."""
    return settings.redis_url or f"unix://{socket_path(settings.data_dir / VALKEY_FOLDER)}"


def _start_valkey(settings: Settings, stack: contextlib.ExitStack, told: list[str]) -> str:
    folder = settings.data_dir / VALKEY_FOLDER

    def start() -> Valkey:
        valkey = Valkey(folder)
        stack.callback(valkey.stop)
        valkey.start()
        return valkey

    return open_expendable(folder, "newest readings come again with the next ones", start, told).url


def tell_arrived(live: Live, table: str) -> None:
    """Say that the fund's own rows changed, where rows of `table` are such: those that had to wait come unasked."""
    if table in OF_PORTFOLIOS:
        live.bump("portfolio")


def _open_writer(
    settings: Settings, clickhouse: ClickHouse, live: Live, stack: contextlib.ExitStack, told: list[str]
) -> Writer:
    own, most_bytes = claim(settings.data_dir), settings.writer.spool_bytes
    stack.callback(own.release)
    without = "rows that waited in it for ClickHouse, if any, are missing"
    spool = open_expendable(own.path, without, lambda: Spool(own.path, most_bytes), told)
    stack.callback(spool.close)
    writer = Writer(
        partial(insert_in_turn, clickhouse, settings),
        spool,
        clickhouse.query_log,
        settle=partial(settle_in_turn, clickhouse, settings),
        adopt=lambda: adopt(settings.data_dir, own, spool, most_bytes),
        arrived=partial(tell_arrived, live),
        flush_seconds=settings.writer.flush_seconds,
        queue_rows=settings.writer.queue_rows,
    )
    writer.start()
    stack.callback(writer.stop)
    return writer
