"""Numbered ClickHouse migrations: `schema/NNNN_name.sql`, each applied once, each safe to apply twice.

Every statement says IF NOT EXISTS or IF EXISTS, so that two processes starting at once do no harm. The files are
written once for both worlds with these words that this module fills in:

{{table NAME}}         embedded: NAME                 cluster: NAME_local ON CLUSTER …
{{local NAME}}         embedded: NAME                 cluster: NAME_local
{{engine E(args)}}     embedded: E(args)              cluster: ReplicatedE(args)
{{view NAME}}          embedded: NAME                 cluster: NAME ON CLUSTER …
{{dedup}}              the deduplication window setting of the engine
{{distributed NAME KEY}}   a statement of its own: nothing, or the Distributed table over the shards
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import StartError, StorageError
from core.settings.stores import Retention
from storage.clickhouse.client import ClickHouse, redacted

FOLDER = Path(__file__).parent / "schema"
DEDUPLICATION_WINDOW = 10_000
"""Batches remembered for exactly-once replay: at one batch every two seconds, five hours."""

MIGRATIONS_TABLE = """
CREATE TABLE IF NOT EXISTS {{table schema_migrations}} (
    number UInt32, name String, checksum String, applied DateTime('UTC') DEFAULT now()
) ENGINE = {{engine ReplacingMergeTree(applied)}} ORDER BY number
"""

REMOVED_BY_ONE_THREAD = "concurrent_part_removal_threshold = 1000000"
"""Setting of a table. From 100 merged parts on, as three open pages make in minutes, the engine would remove them with
128 threads at once, and keep those."""

RENAMED = re.compile(r"RENAME TABLE IF EXISTS \S+ TO (\S+)")
"""A statement that gives a table another name, and that name."""

TTL_DAYS = {
    "samples": ("ts", "raw_days"),
    "samples_1m": ("ts", "minute_days"),
    "samples_1h": ("ts", "hour_days"),
    "state_changes": ("toDateTime(ts)", "hour_days"),
    "readiness_changes": ("ts", "hour_days"),
    "runs": ("toDateTime(ts)", "run_days"),
    "queries": ("toDateTime(ts)", "run_days"),
}


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of the schema folder."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()[:16]


def migrations() -> list[Migration]:
    """Return every migration in order."""
    files = sorted(FOLDER.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return [Migration(int(file.name[:4]), file.stem[5:], file.read_text(encoding="utf-8")) for file in files]


def migrate(clickhouse: ClickHouse) -> int:
    """Apply what is missing and return how many were applied.

    Raises StartError when an applied migration is not known here, or was edited since: tables may differ from the code.
    """
    clickhouse.create_database()
    for statement in statements(MIGRATIONS_TABLE, clickhouse.cluster):
        clickhouse.command(statement, kind="migrate")
    applied = {
        int(number): str(checksum)
        for number, checksum in clickhouse.rows("SELECT number, checksum FROM schema_migrations FINAL", kind="migrate")
    }
    known = migrations()
    newest = max(applied, default=0)
    if newest > known[-1].number:
        raise StartError(
            f"ClickHouse at {redacted(clickhouse.url)}: made by a newer Fundwatch (schema {newest:04d}, this one knows "
            f"{known[-1].number:04d}); start that one, or restore a copy from before"
        )
    missing = [each for each in known if each.number not in applied]
    for each in known:
        if applied.get(each.number, each.checksum) != each.checksum:
            raise StartError(
                f"ClickHouse at {redacted(clickhouse.url)}: migration {each.number:04d}_{each.name} was applied in "
                "another form than this code has; start the Fundwatch that made it, or restore a copy from before"
            )
    for each in missing:
        for statement in statements(each.sql, clickhouse.cluster):
            _apply(clickhouse, statement)
        row = f"({each.number}, '{each.name}', '{each.checksum}')"
        clickhouse.command(f"INSERT INTO schema_migrations (number, name, checksum) VALUES {row}", kind="migrate")
    return len(missing)


def _apply(clickhouse: ClickHouse, statement: str) -> None:
    """Run a statement. A table that another process has renamed meanwhile is no failure."""
    try:
        clickhouse.command(statement, kind="migrate")
    except StorageError:
        renamed = RENAMED.match(statement)
        if renamed is None or clickhouse.rows(f"EXISTS TABLE {renamed[1]}", kind="migrate") != [(1,)]:
            raise


def apply_retention(clickhouse: ClickHouse, retention: Retention) -> None:
    """Set each table's TTL to the settings, where it differs."""
    suffix = "_local" if clickhouse.cluster else ""
    on_cluster = f" ON CLUSTER `{clickhouse.cluster}`" if clickhouse.cluster else ""
    sql = "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()"
    engines = {str(name): str(engine) for name, engine in clickhouse.rows(sql, kind="migrate")}
    for table, (expression, field) in TTL_DAYS.items():
        days = getattr(retention, field)
        if f"TTL {expression} + toIntervalDay({days})" in engines.get(table + suffix, ""):
            continue
        clickhouse.command(
            f"ALTER TABLE {table}{suffix}{on_cluster} MODIFY TTL {expression} + toIntervalDay({days})",
            kind="migrate",
            settings={"materialize_ttl_after_modify": 0},
        )


def bound_threads(clickhouse: ClickHouse) -> None:
    """Let one thread remove the merged parts of each table of the engine inside this process; a server has its own."""
    sql = (
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' "
        f"AND position(engine_full, '{REMOVED_BY_ONE_THREAD}') = 0"
    )
    for (table,) in clickhouse.rows(sql, kind="migrate"):
        clickhouse.command(f"ALTER TABLE `{table}` MODIFY SETTING {REMOVED_BY_ONE_THREAD}", kind="migrate")


def statements(sql: str, cluster: str) -> Iterator[str]:
    """Yield the statements of a migration, written out for the embedded engine or for `cluster`."""
    without_comments = re.sub(r"^\s*--.*$", "", sql, flags=re.MULTILINE)
    for part in without_comments.split(";"):
        text = re.sub(r"\{\{(\w+)\s*(.*?)\}\}", lambda match: _word(match[1], match[2], cluster), part.strip())
        if text.strip():
            yield text.strip()


def _word(word: str, argument: str, cluster: str) -> str:
    on_cluster = f" ON CLUSTER `{cluster}`"
    match word:
        case "table":
            return f"{argument}_local{on_cluster}" if cluster else argument
        case "local":
            return f"{argument}_local" if cluster else argument
        case "view":
            return f"{argument}{on_cluster}" if cluster else argument
        case "engine":
            return f"Replicated{argument}" if cluster else argument
        case "dedup":
            kind = "replicated" if cluster else "non_replicated"
            return f"{kind}_deduplication_window = {DEDUPLICATION_WINDOW}"
        case "distributed":
            return _distributed(argument, cluster) if cluster else ""
    raise ValueError(f"unknown word in a migration: {word}")


def _distributed(argument: str, cluster: str) -> str:
    table, key = argument.split(maxsplit=1)
    return (
        f"CREATE TABLE IF NOT EXISTS {table} ON CLUSTER `{cluster}` AS {table}_local "
        f"ENGINE = Distributed(`{cluster}`, currentDatabase(), {table}_local, {key})"
    )
