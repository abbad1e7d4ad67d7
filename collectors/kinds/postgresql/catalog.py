"""Which columns the statistics views of a server have, and queries built from those alone.

The views differ from version to version: PostgreSQL 14 brings pg_stat_wal, 16 pg_stat_io, 17 pg_stat_checkpointer and
other names in pg_stat_statements, 18 moves the times of pg_stat_wal to pg_stat_io. Nothing here asks for a version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from collectors.kinds.postgresql.connection import Server
from core.kinds.postgresql.spec import STATEMENTS_VIEW

VIEWS = (
    "pg_locks", "pg_prepared_xacts", "pg_replication_slots", "pg_sequences", "pg_settings", "pg_stat_activity",
    "pg_stat_archiver", "pg_stat_bgwriter", "pg_stat_checkpointer", "pg_stat_database", "pg_stat_io",
    "pg_stat_progress_analyze", "pg_stat_progress_basebackup", "pg_stat_progress_cluster", "pg_stat_progress_copy",
    "pg_stat_progress_create_index", "pg_stat_progress_vacuum", "pg_stat_replication", "pg_stat_user_indexes",
    "pg_stat_user_tables", "pg_stat_wal", "pg_stat_wal_receiver", "pg_statio_user_tables",
)  # fmt: skip
STATEMENTS_INFO = "pg_stat_statements_info"


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and the expression to take where the view has it."""

    name: str
    expression: str


Wanted = str | Column | tuple[str | Column, ...]
"""A column of that name, or the first of several that exists."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """Columns by view, and the schema that pg_stat_statements lies in (empty: it is not installed here)."""

    columns: Mapping[str, frozenset[str]]
    statements_schema: str = ""

    def has(self, view: str, column: str = "") -> bool:
        """Return whether there is such a view, with that column if one is named."""
        return column in self.columns[view] if column and view in self.columns else view in self.columns

    def pick(self, view: str, wanted: Mapping[str, Wanted]) -> str:
        """Return the list of a SELECT from `view`: for each name the first candidate that exists, else NULL."""
        return ", ".join(f"{self._first(view, each)} AS {name}" for name, each in wanted.items())

    def _first(self, view: str, wanted: Wanted) -> str:
        for candidate in wanted if isinstance(wanted, tuple) else (wanted,):
            column = Column(candidate, candidate) if isinstance(candidate, str) else candidate
            if self.has(view, column.name):
                return column.expression
        return "NULL"


def read_catalog(server: Server) -> Catalog:
    """Return what the server has: one query, asked once a connection."""
    found = server.ask(
        "SELECT c.relname AS view, n.nspname AS schema, array_agg(a.attname) AS columns FROM pg_attribute a "
        "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE a.attnum > 0 AND NOT a.attisdropped AND (n.nspname = 'pg_catalog' AND c.relname = ANY($1::text[]) "
        "OR c.relname = ANY($2::text[]) AND c.relkind = 'v') GROUP BY 1, 2",
        f"{{{','.join(VIEWS)}}}",
        f"{{{STATEMENTS_VIEW},{STATEMENTS_INFO}}}",
    )
    schema = next((str(row["schema"]) for row in found if row["view"] == STATEMENTS_VIEW), "")
    return Catalog({str(row["view"]): frozenset(row["columns"]) for row in found}, schema)
