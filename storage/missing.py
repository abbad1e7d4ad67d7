"""What the stores lack of each other, found when they are opened: counted, with what to do.

Nothing here repairs: what is missing is told at the start, and on the Pipeline tab until the next one.
"""

from __future__ import annotations

from pathlib import Path

from core.errors import StorageError
from core.format import count, number
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.portfolio_rows import reported_portfolios
from storage.state.database import State
from storage.state.imports import TAKEN, recent_imports
from storage.state.portfolios import OWN

MOST_IMPORTS = 100_000
OF_NAV = ("nav", "returns")
_IMPORT_AGAIN = "restore a copy of the data folder, or import the files again"


def find_missing(clickhouse: ClickHouse, state: State, is_state_new: bool) -> list[str]:
    """Return a sentence for each thing that is missing; where ClickHouse does not answer, that it is not known."""
    try:
        stored = reported_portfolios(clickhouse, OWN)
    except StorageError as error:
        return [f"ClickHouse does not tell what it holds, so what is missing is not known ({error})"]
    return [
        *_damaged_parts(clickhouse),
        *(_emptied(stored) if stored and is_state_new else []),
        *([] if stored else _lost(state)),
    ]


def _damaged_parts(clickhouse: ClickHouse) -> list[str]:
    """Return what ClickHouse has set aside since it could not read it: the parts, and their rows where it is told."""
    sql = """
        SELECT table, path FROM system.detached_parts
        WHERE database = currentDatabase() AND reason LIKE 'broken%' ORDER BY table
    """
    try:
        found = clickhouse.rows(sql, kind="missing")
    except StorageError as error:
        return [f"ClickHouse does not tell which damaged parts it set aside ({error})"]
    if not found:
        return []
    parts: dict[str, int] = {}
    for table, _ in found:
        parts[str(table)] = parts.get(str(table), 0) + 1
    listed = ", ".join(f"{table} {number(parts[table])}" for table in parts)
    rows = sum(_rows(Path(str(path))) for _, path in found)
    of = f" of {count(rows, 'row')}" if rows else ""
    return [
        f"ClickHouse set aside {count(len(found), 'damaged part')}{of} ({listed}): their rows are missing; "
        f"{_IMPORT_AGAIN}; then remove the folders detached/broken* in {Path(str(found[0][1])).parents[3]}"
    ]


def _rows(part: Path) -> int:
    """Return how many rows a part had by its own count; 0 where that cannot be read, or the part is on a server."""
    try:
        return int((part / "count.txt").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _emptied(stored: list[str]) -> list[str]:
    """Return that the state database was empty; a single portfolio that it lacks is put back (portfolio/tree/lost)."""
    return [
        f"the state database was empty, and ClickHouse holds NAV of {count(len(stored), 'portfolio')}: "
        "names, settings and imports are missing; "
        "restore state.sqlite from a copy, or import the files again"
    ]


def _lost(state: State) -> list[str]:
    """Return that ClickHouse has no NAV at all although files of it were imported."""
    taken = [item for item in recent_imports(state, MOST_IMPORTS) if item.outcome == TAKEN and item.kind in OF_NAV]
    rows = sum(item.added for item in taken)
    if not rows:
        return []
    return [
        f"ClickHouse holds no NAV, and {count(len(taken), 'import')} brought {count(rows, 'row')}: "
        f"they are missing; {_IMPORT_AGAIN}"
    ]
