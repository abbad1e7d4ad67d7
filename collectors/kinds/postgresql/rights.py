"""What a role without pg_monitor is not shown: the server gives NULL instead, which is no value and must not look so.

pg_stat_activity, pg_stat_replication, pg_stat_wal_receiver and pg_stat_progress_* have the rows of others with their
pid and nothing else; pg_stat_statements has statements of others without a number; pg_database_size, pg_ls_waldir()
and the last values of sequences are refused. It is known by columns that always have a value where they are shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from collectors.judging.checks import Check, bad_if
from collectors.kinds.postgresql.connection import Row
from collectors.kinds.postgresql.results import PeriodicResults, PresentResults
from core.format import count, number
from core.kinds.postgresql import spec
from core.kinds.postgresql.spec import NOT_VISIBLE, Checks
from core.model import Status

FIRST_READ_ALL_DATA = 140_000
"""The first version that has the role pg_read_all_data."""
PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def grant(role: str, given: str = spec.MONITOR_ROLE) -> str:
    """Return the statement that lets `role` see: "GRANT pg_monitor TO monitor"."""
    return f"GRANT {given} TO {role if PLAIN_NAME.fullmatch(role) else quoted(role)}"


def quoted(role: str) -> str:
    """Return a name as SQL wants it."""
    return '"' + role.replace('"', '""') + '"'


def hidden(what: str, role: str, given: str = spec.MONITOR_ROLE) -> str:
    """Return the sentence for `what` the role is not shown, with the grant that shows it."""
    return f"{what} {NOT_VISIBLE}: {grant(role, given)}"


def others_hidden(overview: Row) -> str:
    """Return the sentence for the sessions of others; empty where the role sees them."""
    return "" if overview["may_see_all"] else hidden("sessions of others are", overview["role"])


def rights_check(present: PresentResults) -> Check:
    """Return the check of what the role may see: without it blocking, long queries and standbys are not known."""
    why = others_hidden(present.overview)
    return bad_if(Checks.RIGHTS, bool(why), why)


def unseen(check: Check, overview: Row) -> Check:
    """Return a check of sessions: unknown, when nothing is wrong with those that the role is shown."""
    why = others_hidden(overview)
    return Check(check.name, Status.UNKNOWN, why) if why and check.status is Status.OK else check


def sessions(rows: Sequence[Row]) -> list[Row]:
    """Return the sessions; of one that the role is not shown, its state and its query say so."""
    blank = {"state": NOT_VISIBLE, "query": NOT_VISIBLE, "client": None}
    return [row if row["backend_type"] else {**row, **blank} for row in rows]


def standbys(rows: Sequence[Row]) -> list[Row]:
    """Return the standbys; of one that the role is not shown, its state says so."""
    return [row if row["state"] else {**row, "state": NOT_VISIBLE, "client": None} for row in rows]


def progress(rows: Sequence[Row], overview: Row) -> list[Row]:
    """Return what runs long; of what the role is not shown, its phase says so."""
    if overview["may_see_all"]:
        return list(rows)
    return [
        row if row["done"] is not None else {**row, "command": row["command"] or "", "phase": NOT_VISIBLE}
        for row in rows
    ]


def notes(present: PresentResults, periodic: PeriodicResults, version: int) -> dict[str, str]:
    """Return what of a reading the role is not shown, by what it is about."""
    role, found = str(present.overview["role"]), {}
    if not present.overview["may_see_all"]:
        found["sessions"] = hidden("sessions, standbys and progress of others are", role)
        found[spec.STATEMENTS_VIEW] = hidden("statements of others are", role)
    sizes = sum(row["bytes"] is None for row in periodic.databases)
    if sizes:
        found["databases"] = hidden(f"the size of {number(sizes)} of {_of(periodic.databases, 'database')} is", role)
    if why := sequences_hidden(periodic, role, version):
        found["sequences"] = why
    return found


def sequences_hidden(periodic: PeriodicResults, role: str, version: int) -> str:
    """Return the sentence for sequences whose value the role may not see; empty where it sees all."""
    dark = sum(not row["is_visible"] for row in periodic.sequences)
    if not dark:
        return ""
    what = f"the value of {number(dark)} of {_of(periodic.sequences, 'sequence')} is"
    if version >= FIRST_READ_ALL_DATA:
        return hidden(what, role, "pg_read_all_data")
    return hidden(what, role, "SELECT ON ALL SEQUENCES IN SCHEMA …")


def _of(rows: Sequence[Row], what: str) -> str:
    return count(len(rows), what)
