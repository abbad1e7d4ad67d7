"""The tables of PostgreSQL's sessions: who blocks whom, who is connected, what runs long; and their buttons."""

from __future__ import annotations

from typing import Any

from core.format import bytes_, duration, number, percent
from core.kinds.postgresql import spec
from core.kinds.postgresql.spec import Actions
from core.kinds.postgresql.tables import BlockingNode, ConnectionGroup, Progress, Session
from dashboard.kinds.postgresql.cells import query_text, some
from dashboard.sources.actions import action_button
from dashboard.sources.limits import tone_of
from dashboard.sources.shown import Shown
from dashboard.sources.table import Field, Rows, words
from status.instances import Instance

Signalled = Session | BlockingNode
NOBODY = "No connection but our own at the last reading."


def _who(row: Signalled) -> str:
    return f"pid {row.pid} ({row.application or row.user or 'unnamed'})"


def _cancel(shown: Shown, instance: Instance, row: Signalled) -> Any:
    """Return the button that cancels the query of a session; nothing where none runs."""
    if not row.target or row.state != "active":
        return None
    question = f"Cancel the query of {_who(row)} on {instance.title}? pg_cancel_backend({row.pid})."
    return action_button(shown, instance.collector, Actions.CANCEL, row.target, "Cancel query", question)


def _terminate(shown: Shown, instance: Instance, row: Signalled) -> Any:
    """Return the button that ends a session; nothing where there is none."""
    if not row.target:
        return None
    question = (
        f"End the session of {_who(row)} on {instance.title}? Its transaction is rolled back. "
        f"pg_terminate_backend({row.pid})."
    )
    return action_button(shown, instance.collector, Actions.TERMINATE, row.target, "End", question)


BUTTONS = (
    Field("cancel", "", button=_cancel, numeric=False),
    Field("terminate", "", button=_terminate, numeric=False),
)


def _branch(row: BlockingNode) -> str:
    space = "\u2003" * (row.depth - 1)
    return f"{space}{'└ ' if row.depth else ''}{row.name}"


def _waiting(row: BlockingNode) -> str:
    return tone_of(spec.BLOCKED, row.waiting_seconds)


def _idle(row: Signalled) -> str:
    return "warning" if row.state in spec.IDLE_STATES else ""


BLOCKING = Rows(
    BlockingNode,
    (
        Field("pid", "Pid", definition="The session that blocks others, and below it those that wait", numeric=False,
              value=_branch),
        Field("blocks", "Blocks", number, "Sessions that wait for it, directly or not"),
        Field("waiting_seconds", "Waiting", duration, "For its lock; before 14 since its query began", _waiting),
        words("lock", "Lock", "Mode and object of the lock that it waits for"),
        words("state", "State", tone=_idle),
        Field("transaction_seconds", "Transaction", duration),
        words("user", "User"),
        words("application", "Application"),
        Field("query", "Current or last query", query_text, numeric=False),
        *BUTTONS,
    ),
    nothing="Nobody waited for a lock at the last reading.",
)  # fmt: skip


def _idle_for_long(row: Session) -> str:
    return tone_of(spec.IDLE_IN_TRANSACTION, row.state_seconds) if row.state in spec.IDLE_STATES else ""


def _open(row: Session) -> str:
    return tone_of(spec.TRANSACTION, row.transaction_seconds)


def _running(row: Session) -> str:
    return tone_of(spec.QUERY, row.query_seconds) if row.state == "active" else ""


def _blocked(row: Session) -> str:
    return "critical" if row.blocked_by else ""


def _blocks(row: Session) -> str:
    return "warning" if row.blocks else ""


SESSIONS = Rows(
    Session,
    (
        Field("pid", "Pid"),
        words("state", "State", tone=_idle_for_long),
        Field("transaction_seconds", "Transaction", duration, "", _open),
        Field("query_seconds", "Query", duration, "Of an active session, since it began", _running),
        Field("state_seconds", "In this state", duration),
        words("wait", "Waits for", "wait_event_type: wait_event"),
        words("blocked_by", "Blocked by", tone=_blocked),
        Field("blocks", "Blocks", some, "Sessions that wait for it, directly or not", _blocks),
        words("user", "User"),
        words("database", "Database"),
        words("application", "Application"),
        words("client", "Client"),
        Field("query", "Current or last query", query_text, numeric=False),
        *BUTTONS,
    ),
    nothing=NOBODY,
)


def _has_idle_transactions(row: ConnectionGroup) -> str:
    return "warning" if row.idle_in_transaction else ""


CONNECTIONS = Rows(
    ConnectionGroup,
    (
        words("user", "User"),
        words("application", "Application"),
        words("client", "Client"),
        words("database", "Database"),
        Field("connections", "Connections", number),
        Field("active", "Active", some),
        Field("idle", "Idle", some),
        Field("idle_in_transaction", "Idle in transaction", some, "", _has_idle_transactions),
    ),
    nothing=NOBODY,
)


def _amount(row: Progress) -> str:
    show = bytes_ if row.unit == "bytes" else number
    total = f" of {show(row.total)}" if row.total else ""
    return f"{show(row.done)}{total}{' blocks' if row.unit == 'blocks' else ''}"


PROGRESS = Rows(
    Progress,
    (
        Field("pid", "Pid"),
        words("command", "Command"),
        words("relation", "On"),
        words("phase", "Phase"),
        Field("ratio", "Done", percent, "Of this phase"),
        Field("amount", "Amount", value=_amount),
        Field("seconds", "Running", duration),
        Field("left_seconds", "Left", duration, "At the pace so far"),
    ),
    nothing="No vacuum, index, copy or backup ran at the last reading.",
)
