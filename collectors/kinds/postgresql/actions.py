"""What can be done to a PostgreSQL: cancel a query, end a session, measure the bloat of a table."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from collectors.base import Done
from collectors.kinds.postgresql.connection import Refused, Server, SqlState
from core.errors import SourceRejected
from core.format import bytes_, percent
from core.kinds.postgresql.source import PostgresqlSource
from core.kinds.postgresql.spec import BLOAT_SECONDS, Actions
from core.kinds.postgresql.tables import Bloat
from core.literals import without_values
from core.net.reach import Deadline
from core.tables import table_of

WAIT_SECONDS, LOOK_SECONDS = 1.0, 0.05
"""A signalled session is looked at again so long and so often: a signal that was sent is not yet heeded."""
TARGET = re.compile(r"(\d+)@(\d+\.\d+)")
TABLE = re.compile(r"\d+")
SIGNAL = (
    "SELECT {}(pid) AS was_sent, extract(epoch FROM query_start)::numeric(20,6)::text AS query_start, usename AS user, "
    "application_name AS application, left(query, 200) AS query "
    "FROM pg_stat_activity WHERE pid = $1::int AND extract(epoch FROM backend_start)::numeric(20,6)::text = $2"
)
STILL = {
    "pg_cancel_backend": (
        "SELECT 1 FROM pg_stat_activity WHERE pid = $1::int AND state = 'active' "
        "AND extract(epoch FROM query_start)::numeric(20,6)::text = $2"
    ),
    "pg_terminate_backend": (
        "SELECT 1 FROM pg_stat_activity WHERE pid = $1::int "
        "AND extract(epoch FROM backend_start)::numeric(20,6)::text = $2"
    ),
}
"""Whether what was signalled goes on: the same query, the same session."""


def act(source: PostgresqlSource, action: str, target: str) -> Done:
    """Do one action: cancel, terminate (target: pid@start of the session), measure_bloat (target: a table's oid)."""
    todo = ACTS.get(action)
    if todo is None:
        raise SourceRejected(f"a PostgreSQL knows no action {action}")
    server = Server(source, Deadline(source.timeout_seconds))
    try:
        return todo(server, target)
    except Refused as error:
        if error.state == SqlState.INSUFFICIENT_PRIVILEGE:
            why = f" ({error.detail.rstrip('.')})" if error.detail else ""
            raise SourceRejected(f"our role may not: {error}{why}") from error
        raise SourceRejected(f"refused: {error}") from error
    finally:
        server.close()


def _cancel(server: Server, target: str) -> Done:
    pid, who, query, goes_on = _signal(server, "pg_cancel_backend", target)
    return Done(f"query of pid {pid} ({who}) {_came('cancelled', goes_on)}: {query}")


def _terminate(server: Server, target: str) -> Done:
    pid, who, query, goes_on = _signal(server, "pg_terminate_backend", target)
    return Done(f"session of pid {pid} ({who}) {_came('ended', goes_on)}, its last query: {query}")


def _came(of_it: str, goes_on: bool) -> str:
    return "was signalled and still runs" if goes_on else of_it


def _signal(server: Server, function: str, target: str) -> tuple[str, str, str, bool]:
    """Signal a session, if it is still the one that was meant: the number alone may belong to another by now.

    Return its pid, whose it is, its query without values (it is kept for good), and whether it goes on all the same.
    """
    match = TARGET.fullmatch(target)
    if match is None:
        raise SourceRejected(f"{target} is no session")
    found = server.ask(SIGNAL.format(function), *match.groups())
    if not found:
        raise SourceRejected(f"the session of pid {match[1]} is gone")
    if not found[0]["was_sent"]:
        raise SourceRejected(f"the server could not signal pid {match[1]}")
    who = found[0]["application"] or found[0]["user"] or "unnamed"
    since = match[2] if function == "pg_terminate_backend" else str(found[0]["query_start"])
    goes_on = _goes_on(server, STILL[function], match[1], since)
    return match[1], who, " ".join((without_values(found[0]["query"]) or "").split()), goes_on


def _goes_on(server: Server, still: str, pid: str, since: str) -> bool:
    ends = time.monotonic() + min(WAIT_SECONDS, server.left() / 2)
    while server.ask(still, pid, since):
        if time.monotonic() > ends:
            return True
        time.sleep(LOOK_SECONDS)
    return False


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
    server.renew(Deadline(BLOAT_SECONDS))
    server.tell(f"SET statement_timeout = {BLOAT_SECONDS * 900:.0f}")
    schema = str(found[0]["schema"]).replace('"', '""')
    try:
        row = server.ask(
            "SELECT $1::oid::regclass::text AS table, table_len AS bytes, dead_tuple_percent / 100 AS dead_ratio, "
            "approx_free_percent / 100 AS free_ratio "
            f'FROM "{schema}".pgstattuple_approx($1::oid::regclass)',
            target,
        )[0]
    except Refused as error:
        if error.state == SqlState.QUERY_CANCELED:
            raise SourceRejected(f"took longer than {BLOAT_SECONDS:g} s and was cancelled") from error
        raise
    bloat = Bloat(**row)
    share = (bloat.free_ratio or 0) + (bloat.dead_ratio or 0)
    return Done(f"{bloat.table}: {percent(share)} of {bytes_(bloat.bytes)} free or dead", table_of(Bloat, [bloat]))


ACTS: dict[str, Callable[[Server, str], Done]] = {
    Actions.CANCEL: _cancel,
    Actions.TERMINATE: _terminate,
    Actions.MEASURE_BLOAT: _measure_bloat,
}
