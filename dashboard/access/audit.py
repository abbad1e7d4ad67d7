"""The audit as a table, the choices that filter it, and the file of what they leave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dash import html

from access.audit import Outcome
from access.viewer import Viewer
from core.csv_file import csv_file, harmless
from core.format import count, number
from core.roles import Role
from dashboard.components.age import local_time
from dashboard.components.choices import choice_button
from dashboard.components.table import Cell, Column, cut_cell, data_table
from dashboard.views.route import CSV, Answer, Route
from dashboard.views.tab import Choices
from storage.state.audit import Entry, Wanted, count_entries, read_entries

if TYPE_CHECKING:
    from storage.stores import Stores

ID = "audit"
PATH = "/audit"
ANY_OUTCOME = "any"
PAGE_ROWS = 100
MOST_FILE_ROWS = 200_000
TONES = {Outcome.DONE: "", Outcome.REFUSED: "warning", Outcome.FAILED: "critical"}
SIGNS = {Outcome.DONE: "", Outcome.REFUSED: "▲ ", Outcome.FAILED: "✕ "}
_COLUMNS = (
    Column("at", "When", numeric=False),
    Column("who", "Who", numeric=False),
    Column("what", "What", numeric=False),
    Column("target", "On what", numeric=False),
    Column("outcome", "Outcome", numeric=False),
    Column("address", "From", numeric=False, definition="Address; empty: Fundwatch itself or a command on its machine"),
    Column("detail", "Detail", numeric=False),
)
FILE_COLUMNS = ("number", "time (UTC)", "who", "what", "on what", "outcome", "from", "detail")


def wanted_of(choices: Choices) -> tuple[Wanted, str]:
    """Return which rows the choices want, and what is wrong with them, empty for nothing."""
    since, until = _day(choices.get("since", "")), _day(choices.get("until", ""))
    wrong = [name for name, day in (("from", since), ("to", until)) if day is None]
    wanted = Wanted(
        who=choices.get("who", ""),
        what=choices.get("what", ""),
        outcome=outcome if (outcome := choices.get("outcome", "")) in list(Outcome) else "",
        since=since or 0.0,
        until=until + timedelta(days=1).total_seconds() if until else 0.0,
    )
    if wrong:
        return wanted, f"No day in “{wrong[0]}”: give one as 2026-01-31."
    return wanted, "From is after To: choose an earlier day." if since and until and since > until else ""


def _day(text: str) -> float | None:
    """Return the start of a day in UTC, epoch seconds; 0 for none, None for what is no day."""
    if not text:
        return 0.0
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def audit_table(entries: Sequence[Entry]) -> html.Div:
    """Return a row an entry, in the order given."""
    nothing = "Nothing in the audit is like that."
    return data_table(
        f"{ID}-rows", _COLUMNS, [_row(each) for each in entries], caption="Audit", nothing=nothing, is_page=True
    )


def turning(entries: Sequence[Entry], total: int, before: int) -> html.Div:
    """Return how much is shown, and the buttons that turn to newer and older rows."""
    shown = f"{number(len(entries))} of {number(total)}" + (" · older ones" if before else "")
    has_older = len(entries) == PAGE_ROWS and entries[-1].id > 1
    older = str(entries[-1].id) if has_older else None
    return html.Div(
        [
            html.Span(shown),
            choice_button(ID, {"before": None}, "‹ Newest", off="" if before else "These are the newest."),
            choice_button(ID, {"before": older}, "Older ›", off="" if has_older else "These are the oldest."),
        ],
        className="fw-turning",
    )


def before_of(choices: Choices) -> int:
    """Return the number of the row before which those of the page were added; 0: from the newest."""
    text = choices.get("before", "")
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def routes(stores: Stores) -> list[Route]:
    """Return the route of the file of what is filtered."""

    def file(choices: Choices, _viewer: Viewer) -> Answer | None:
        wanted, _ = wanted_of(choices)
        entries = read_entries(stores.state, wanted, limit=MOST_FILE_ROWS)
        left = count_entries(stores.state, wanted) - len(entries) if len(entries) == MOST_FILE_ROWS else 0
        return Answer(as_csv(entries, left), CSV, "audit.csv")

    return [Route(f"{PATH}.csv", file, Role.ADMIN)]


def as_csv(entries: Sequence[Entry], left: int = 0) -> bytes:
    """Return entries as CSV, times in UTC to the millisecond. left: how many older rows it lacks, told at its end."""
    cut = f"Cut here: {count(left, 'older row')} left out. Choose fewer days." if left > 0 else ""
    last = [[*[""] * (len(FILE_COLUMNS) - 1), cut]] if cut else []
    return csv_file([FILE_COLUMNS, *(_file_row(each) for each in entries), *last])


def _file_row(entry: Entry) -> list[str | float | None]:
    texts = (entry.who, entry.what, entry.target, entry.outcome, entry.address, entry.detail)
    return [entry.id, _utc(entry.at), *map(harmless, texts)]


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _row(entry: Entry) -> dict[str, Any]:
    outcome = Outcome(entry.outcome)
    return {
        "at": Cell(local_time(entry.at), sort=float(entry.id), hint=_utc(entry.at)),
        "who": entry.who,
        "what": entry.what,
        "target": cut_cell(entry.target),
        "outcome": Cell(f"{SIGNS[outcome]}{outcome}", tone=TONES[outcome]),
        "address": entry.address or None,
        "detail": cut_cell(entry.detail, 96),
    }
