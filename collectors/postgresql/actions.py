"""What can be done to a PostgreSQL: cancel a query, end a session, measure the bloat of a table."""

from __future__ import annotations

import re

from collectors.base import Done
from collectors.postgresql.wire import DENIED, TIMED_OUT, Refused, Server
from collectors.reach import Deadline
from core.errors import SourceRejected
from core.model import Table
from core.watch.postgresql import PostgresqlSource

MEASURE_SECONDS = 10.0
TARGET = re.compile(r"(\d+)@(\d+\.\d+)")
TABLE = re.compile(r"\d+")
SIGNAL = (
    "SELECT {}(pid) AS was_sent, usename AS user, application_name AS application, left(query, 200) AS query "
    "FROM pg_stat_activity WHERE pid = $1::int AND extract(epoch FROM backend_start)::numeric(20,6)::text = $2"
)
BLOAT_COLUMNS = ("table", "bytes", "dead_ratio", "free_ratio", "free_bytes", "scanned_ratio")


def act(source: PostgresqlSource, action: str, target: str) -> Done:
    """Do one action: cancel, terminate (target: pid@start of the session), measure_bloat (target: a table's oid)."""
    todo = {"cancel": _cancel, "terminate": _terminate, "measure_bloat": _measure_bloat}.get(action)
    if todo is None:
        raise SourceRejected(f"a PostgreSQL knows no action {action}")
    server = Server(source, Deadline(source.timeout_seconds))
    try:
        return todo(server, target)
    except Refused as error:
        if error.state == DENIED:
            raise SourceRejected(f"our role may not: {error}") from error
        raise SourceRejected(f"refused: {error}") from error
    finally:
        server.close()


def _cancel(server: Server, target: str) -> Done:
    pid, who, query = _signal(server, "pg_cancel_backend", target)
    return Done(f"query of pid {pid} ({who}) cancelled: {query}")


def _terminate(server: Server, target: str) -> Done:
    pid, who, query = _signal(server, "pg_terminate_backend", target)
    return Done(f"session of pid {pid} ({who}) ended, its last query: {query}")


def _signal(server: Server, function: str, target: str) -> tuple[str, str, str]:
    """Signal a session, if it is still the one that was meant: the number alone may belong to another by now."""
    match = TARGET.fullmatch(target)
    if match is None:
        raise SourceRejected(f"{target} is no session")
    found = server.ask(SIGNAL.format(function), *match.groups())
    if not found:
        raise SourceRejected(f"the session of pid {match[1]} is gone")
    if not found[0]["was_sent"]:
        raise SourceRejected(f"the server could not signal pid {match[1]}")
    who = found[0]["application"] or found[0]["user"] or "unnamed"
    return match[1], who, " ".join((found[0]["query"] or "").split())


def _measure_bloat(server: Server, target: str) -> Done:
    """Measure the free and dead space of a table with pgstattuple_approx, for at most 10 seconds."""
    if TABLE.fullmatch(target) is None:
        raise SourceRejected(f"{target} is no table")
    found = server.ask(
        "SELECT n.nspname AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
        "WHERE e.extname = 'pgstattuple'"
    )
    if not found:
        raise SourceRejected("needs the extension pgstattuple in this database: CREATE EXTENSION pgstattuple")
    server.renew(Deadline(MEASURE_SECONDS))
    server.tell(f"SET statement_timeout = {MEASURE_SECONDS * 900:.0f}")
    schema = str(found[0]["schema"]).replace('"', '""')
    try:
        row = server.ask(
            "SELECT $1::oid::regclass::text AS table, table_len AS bytes, dead_tuple_percent / 100 AS dead_ratio, "
            "approx_free_percent / 100 AS free_ratio, approx_free_space AS free_bytes, "
            "scanned_percent / 100 AS scanned_ratio "
            f'FROM "{schema}".pgstattuple_approx($1::oid::regclass)',
            target,
        )[0]
    except Refused as error:
        if error.state == TIMED_OUT:
            raise SourceRejected(f"took longer than {MEASURE_SECONDS:g} s and was cancelled") from error
        raise
    table = Table("bloat", BLOAT_COLUMNS, (tuple(row[name] for name in BLOAT_COLUMNS),))
    share = (row["free_ratio"] or 0) + (row["dead_ratio"] or 0)
    return Done(f"{row['table']}: {share * 100:.1f} % of {row['bytes']} bytes free or dead", table)
