"""The tables of PostgreSQL's sessions: who blocks whom, who is connected, what runs long; and their buttons."""

from __future__ import annotations

from functools import partial
from typing import Any

from dash import html

from core.format import bytes_, duration, number, percent
from core.kinds.registry import collector_title
from dashboard.kinds.postgresql.cells import beyond, query_text, some, table_of
from dashboard.sources.actions import action_button
from dashboard.sources.shown import Shown
from dashboard.sources.table import Field, source_rows, words
from status.instances import Row

QUERY_SECONDS, TRANSACTION_SECONDS, IDLE_SECONDS = 60.0, 120.0, 300.0


def blocking(shown: Shown) -> html.Div:
    """Return the tree of who waits for whom, with the buttons that end the wait."""
    fields = (
        Field("pid", "Pid", _branch, "Who holds up others, and beneath who waits for it", numeric=False),
        Field("blocks", "Holds up", number, "Sessions behind it, directly or not"),
        Field(
            "waiting_seconds",
            "Waits",
            duration,
            "For its lock; before 14 since its query began",
            beyond("waiting_seconds", 10.0, 30.0),
        ),
        words("lock", "For", "Mode and object of the lock that it waits for"),
        words("state", "State", "", _idle),
        Field("transaction_seconds", "Transaction", duration),
        words("user", "User"),
        words("application", "Application"),
        Field("query", "Query, or the last one", query_text, numeric=False),
        Field("cancel", "", button=partial(_signal, shown, "cancel"), numeric=False),
        Field("terminate", "", button=partial(_signal, shown, "terminate"), numeric=False),
    )
    rows = [{**row, "pid": (row["depth"], row["pid"])} for row in source_rows(shown.chosen, "blocking")]
    return table_of(shown, "blocking", fields, "Who blocks whom", "Nobody waited for a lock at the last reading.", rows)


def sessions(shown: Shown) -> html.Div:
    """Return the sessions with the buttons that cancel their query or end them."""
    fields = (
        Field("pid", "Pid", str),
        words("state", "State", "", _idle_for_long),
        Field("transaction_seconds", "Transaction", duration, "", beyond("transaction_seconds", TRANSACTION_SECONDS)),
        Field("query_seconds", "Query", duration, "Of an active session, since it began", _running),
        Field("state_seconds", "In this state", duration),
        words("wait", "Waits for", "wait_event_type: wait_event"),
        words("blocked_by", "Blocked by", "", lambda row: "critical" if row["blocked_by"] else ""),
        Field("blocks", "Holds up", some, "Sessions behind it", lambda row: "warning" if row["blocks"] else ""),
        words("user", "User"),
        words("database", "Database"),
        words("application", "Application"),
        words("client", "Client"),
        Field("query", "Query, or the last one", query_text, numeric=False),
        Field("cancel", "", button=partial(_signal, shown, "cancel"), numeric=False),
        Field("terminate", "", button=partial(_signal, shown, "terminate"), numeric=False),
    )
    return table_of(shown, "sessions", fields, "Sessions", "Nobody but us was connected at the last reading.")


def parties(shown: Shown) -> html.Div:
    """Return the connections by who holds them."""
    fields = (
        words("user", "User"),
        words("application", "Application"),
        words("client", "Client"),
        words("database", "Database"),
        Field("connections", "Connections", number),
        Field("active", "Active", some),
        Field("idle", "Idle", some),
        Field(
            "idle_in_transaction",
            "Idle in transaction",
            some,
            "",
            lambda row: "warning" if row["idle_in_transaction"] else "",
        ),
    )
    return table_of(shown, "parties", fields, "Connections", "Nobody but us was connected at the last reading.")


def progress(shown: Shown) -> html.Div:
    """Return what runs long and tells how far it is."""
    fields = (
        Field("pid", "Pid", str),
        words("command", "Command"),
        words("relation", "On"),
        words("phase", "Phase"),
        Field("ratio", "Done", percent, "Of this phase"),
        Field("amount", "", str),
        Field("seconds", "Running", duration),
        Field("rest_seconds", "Left", duration, "At the pace so far"),
    )
    rows = [{**row, **_pace(row)} for row in source_rows(shown.chosen, "progress")]
    return table_of(
        shown, "progress", fields, "Progress", "No vacuum, index, copy or backup ran at the last reading.", rows
    )


def _signal(shown: Shown, action: str, row: Row) -> Any:
    """Return the button that cancels the query of a session, or ends the session; nothing where there is none."""
    pid = row["pid"][1] if isinstance(row["pid"], tuple) else row["pid"]
    if not row.get("target") or (action == "cancel" and row["state"] != "active"):
        return None
    who = f"pid {pid} ({row.get('application') or row.get('user') or 'unnamed'})"
    does, done = (
        ("Cancel query", f"Cancel the query of {who} on {collector_title(row['source'])}? pg_cancel_backend({pid}).")
        if action == "cancel"
        else ("End", f"End the session of {who} on {collector_title(row['source'])}? Its transaction is rolled back. "
              f"pg_terminate_backend({pid}).")
    )  # fmt: skip
    return action_button(shown, row["source"], action, row["target"], does, done)


def _pace(row: Row) -> Row:
    done, total, seconds = row["done"], row["total"], row["seconds"]
    ratio = done / total if total else None
    show = bytes_ if row["unit"] == "bytes" else number
    amount = f"{show(done)}{f' of {show(total)}' if total else ''}{' blocks' if row['unit'] == 'blocks' else ''}"
    rest = seconds * (1 - ratio) / ratio if ratio and seconds else None
    return {"ratio": ratio, "amount": amount, "rest_seconds": rest}


def _branch(place: tuple[int, int]) -> str:
    depth, pid = place
    space = "\u2003" * (depth - 1)
    return f"{space}{'└ ' if depth else ''}{pid or 'prepared transaction'}"


def _idle(row: Row) -> str:
    return "warning" if str(row["state"] or "").startswith("idle in transaction") else ""


def _idle_for_long(row: Row) -> str:
    return _idle(row) if (row["state_seconds"] or 0) >= IDLE_SECONDS else ""


def _running(row: Row) -> str:
    return "warning" if row["state"] == "active" and (row["query_seconds"] or 0) > QUERY_SECONDS else ""
