"""The tables of jobs that ping: every job, and the newest runs of all."""

from __future__ import annotations

from typing import Any

from dash import html

from core.format import bytes_, duration, number
from core.kinds.heartbeat import spec
from core.kinds.heartbeat.spec import JobState, RunOutcome
from core.model import SEVERITY, Status
from dashboard.components.age import age, local_time
from dashboard.components.card import state_badge
from dashboard.components.table import Cell, Column, cut_cell, data_table, or_none
from dashboard.sources.shown import Shown
from dashboard.sources.table import Field, Rows, words
from status.instances import Instance
from storage.state.pings import KEPT

NEWEST_PINGS = f"newest {KEPT} pings"
OUTCOME_TONES: dict[str, str] = {
    RunOutcome.SUCCESS: "ok",
    RunOutcome.FAIL: "critical",
    RunOutcome.NO_END: "warning",
}
COLUMNS = (
    Column("state", "State", numeric=False),
    Column("job", "Job", numeric=False),
    Column("success", "Last success"),
    Column(
        "due",
        "Expected next",
        definition="The last success and the period, or the next time of the schedule.",
    ),
    Column("grace", "Grace", definition="How late it may be before it counts as down.", unit="s"),
    Column("took", "Duration", definition="Of the newest run that ended.", unit="s"),
    Column("median", "Median", definition=f"Duration of the successes among the {NEWEST_PINGS}.", unit="s"),
    Column("left", "Left", definition="Running now: the median less the time that it has run.", unit="s"),
    Column("rows", "Rows", definition="Reported by the newest run that ended, of those expected."),
    Column("bytes", "Bytes", unit="bytes"),
    Column("files", "Files"),
    Column("failures", "Failed", definition=f"Failed runs among the {NEWEST_PINGS}."),
    Column("why", "Why", numeric=False),
)


def jobs(shown: Shown, id: str, title: str) -> html.Div:
    """Return every job, those in trouble first."""
    ordered = sorted(shown.chosen, key=lambda each: (-SEVERITY[each.status], each.name))
    return data_table(id, COLUMNS, [_job(each) for each in ordered], caption=title, nothing="No job is watched.")


def state_word(instance: Instance, about: spec.About | None) -> str | None:
    """Return the job's own word for its state, except where it says less than the status: a warning that is "up"."""
    word = about.state if about else None
    is_more = instance.status in (Status.WARNING, Status.UNKNOWN) and word != JobState.UP
    return word if instance.status is Status.OK or is_more else None


def _job(instance: Instance) -> dict[str, Any]:
    status, about = instance.status, instance.first(spec.About)
    return {
        "state": Cell(state_badge(status, state_word(instance, about)), SEVERITY[status]),
        "job": instance.name,
        **(_cells(instance, about) if about else {}),
        "why": cut_cell(instance.component.why),
    }


def _cells(instance: Instance, about: spec.About) -> dict[str, Any]:
    due, last, median = about.due, about.last_success, about.median_seconds
    left = _left(about, instance.now)
    return {
        "success": Cell(age(last, prefix="") if last else None, last),
        "due": Cell(local_time(due) if due else None, due, hint=_schedule(about)),
        "grace": Cell(duration(about.grace_seconds), about.grace_seconds),
        "took": Cell(or_none(duration(about.last_seconds)), about.last_seconds),
        "median": Cell(or_none(duration(median)), median),
        "left": Cell(or_none(duration(left)), left),
        "rows": Cell(_rows(about), about.last_rows, tone="warning" if about.is_short_of_rows else ""),
        "bytes": Cell(or_none(bytes_(about.last_bytes)), about.last_bytes),
        "files": Cell(or_none(number(about.last_files)), about.last_files),
        "failures": Cell(f"{about.failures} of {about.runs}", about.failures),
    }


def _left(about: spec.About, now: float) -> float | None:
    """Return how long the present run will still take, if it takes as long as most do."""
    if about.running_since is None or not about.median_seconds:
        return None
    return max(about.median_seconds - (now - about.running_since), 0.0)


def _rows(about: spec.About) -> str | None:
    got, wanted = about.last_rows, about.expected_rows
    return f"{number(got)} of {number(wanted)}" if got is not None and wanted else or_none(number(got))


def _schedule(about: spec.About) -> str:
    every = about.schedule or f"every {duration(about.period_seconds)}"
    return f"{every}, on sessions of {about.calendar}" if about.calendar else every


def _outcome_tone(row: spec.Run) -> str:
    return OUTCOME_TONES.get(row.outcome, "")


def _newest_first(row: spec.Run) -> float:
    return -row.at


RUNS = Rows(
    spec.Run,
    (
        Field("at", "When", local_time, "When it ended, or began where no end was reported", numeric=False),
        words("outcome", "Outcome", tone=_outcome_tone),
        Field("seconds", "Duration", duration),
        Field("rows", "Rows", number),
        Field("bytes", "Bytes", bytes_),
        Field("files", "Files", number),
        words("message", "Message"),
    ),
    nothing="No job has pinged yet.",
    sort=_newest_first,
    instance_title="Job",
)
