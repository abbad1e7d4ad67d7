"""Jobs that ping, on the pipeline tab: downloaders, cron jobs, back-ups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from core.format import NOT_AVAILABLE, bytes_, duration, number
from core.model import SEVERITY, Status
from dashboard.components.age import age, local_time
from dashboard.components.card import card, state_badge
from dashboard.components.table import Cell, Column, data_table
from dashboard.sources.charts import Chart
from dashboard.sources.section import OldPanel, old_section
from dashboard.sources.shown import Shown
from dashboard.sources.strip import cut, first_cards, thinned
from dashboard.sources.table import LONGEST_TEXT, Field, source_rows, source_table, words
from status.freshness import reading_stale_after_seconds
from status.instances import Instance, Row
from storage.clickhouse.reads.sources import SourceSeries

KIND = "heartbeat"
ROWS_ID, RUNS_ID = "pipeline-heartbeat-rows", "pipeline-heartbeat-runs-rows"
TONES = {"fail": "critical", "no end told": "warning", "running": "", "success": "ok"}
PANEL = "pipeline-sources-heartbeat-jobs"

CHARTS = (
    Chart("heartbeat-duration", "Jobs, duration", "of the last success", {"heartbeat_duration_seconds": ""},
          "From the ping start to the ping that told success; none without a start."),
    Chart("heartbeat-rows", "Jobs, rows", "of the last success", {"heartbeat_rows": ""},
          "Rows that the last success told: /ping/<name>?rows=…."),
    Chart("heartbeat-age", "Jobs, since the last success", "", {"heartbeat_age_seconds": ""},
          "Now less the last ping that told success."),
)  # fmt: skip
COLUMNS = (
    Column("state", "State", numeric=False),
    Column("job", "Job", numeric=False),
    Column("success", "Last success"),
    Column("due", "Expected next", definition="The last success and the period, or the next time of the schedule."),
    Column("grace", "Grace", definition="How late it may be before it counts as down."),
    Column("took", "Took", definition="The newest run that ended."),
    Column("median", "Median", definition="Of the successes among the newest 200 pings."),
    Column("left", "Left", definition="Running now: the median less the time that it has run."),
    Column("rows", "Rows", definition="Told by the newest run that ended, of those expected."),
    Column("bytes", "Bytes"),
    Column("files", "Files"),
    Column("failures", "Failed", definition="Failed runs among the newest 200 pings."),
    Column("why", "Why", numeric=False),
)


def cards(shown: Shown) -> Sequence[Any]:
    """Return the cards of jobs, those in trouble first."""
    return first_cards(shown.chosen, lambda each: _card(each, shown.series), "jobs", PANEL)


def _card(instance: Instance, series: SourceSeries) -> Any:
    about = instance.about
    last = about.get("last_success")
    text = duration(instance.now - last) if last else "–"
    due, period = about.get("due"), about.get("period_seconds")
    used = None
    if last and due and due > last:
        used = (instance.now - last) / (due - last)
    return card(
        f"card-{KIND}-{instance.name}",
        instance.title,
        text,
        "ago" if last else "",
        state=instance.status,
        word=_word(instance),
        why=cut(instance.component.why),
        bar_ratio=used,
        spark=thinned(series.one("heartbeat_duration_seconds", instance=instance.name)),
        as_of=instance.reading.ts if instance.reading else None,
        stale_after_seconds=reading_stale_after_seconds(instance.reading),
        definition=f"Time since the last success; the bar is how much of the time until the next one is due has passed "
        f"(every {duration(period)}, or by its schedule {about.get('schedule') or 'none'}). "
        f"curl -fsS 'http://HOST:PORT/ping/{instance.name}?token=TOKEN&rows=N'",
    )


def jobs(shown: Shown) -> html.Div:
    """Return every job, those in trouble first."""
    ordered = sorted(shown.chosen, key=lambda each: (-SEVERITY[each.status], each.name))
    nothing = "No job is watched."
    return data_table(ROWS_ID, COLUMNS, [_job(each) for each in ordered], caption="Jobs", nothing=nothing)


def _job(instance: Instance) -> Row:
    about, status = instance.about, instance.status
    due, last, rows = about.get("due"), about.get("last_success"), about.get("last_rows")
    began, median = about.get("running_since"), about.get("median_seconds")
    wanted = about.get("expected_rows")
    why = instance.component.why
    left = max(median - (instance.now - began), 0.0) if began and median else None
    return {
        "state": Cell(state_badge(status, _word(instance)), SEVERITY[status]),
        "job": instance.name,
        "success": Cell(age(last, prefix="") if last else None, last),
        "due": Cell(local_time(due) if due else None, due, hint=_expected(about)),
        "grace": Cell(_text(duration(about.get("grace_seconds"))), about.get("grace_seconds")),
        "took": Cell(_text(duration(about.get("last_seconds"))), about.get("last_seconds")),
        "median": Cell(_text(duration(median)), median),
        "left": Cell(_text(duration(left)), left),
        "rows": Cell(
            f"{number(rows)} of {number(wanted)}" if rows is not None and wanted else _text(number(rows)), rows,
            tone="warning" if rows is not None and wanted and rows < wanted else "",
        ),
        "bytes": Cell(_text(bytes_(about.get("last_bytes"))), about.get("last_bytes")),
        "files": Cell(_text(number(about.get("last_files"))), about.get("last_files")),
        "failures": Cell(f"{about['failures']} of {about['runs']}" if about else None, about.get("failures")),
        "why": Cell(why) if len(why) <= LONGEST_TEXT else Cell(f"{why[: LONGEST_TEXT - 1]}…", hint=why),
    }  # fmt: skip


def _word(instance: Instance) -> str | None:
    """Return the job's own word for how it is, except where it says less than the state: a warning that is "up"."""
    status, word = instance.status, instance.about.get("state")
    if status is Status.OK or (status in (Status.WARNING, Status.UNKNOWN) and word != "up"):
        return word
    return None


def _expected(about: Row) -> str:
    every = about.get("schedule") or f"every {duration(about.get('period_seconds'))}"
    return f"{every}{', on sessions of ' + about['calendar'] if about.get('calendar') else ''}"


def _text(shown: str) -> str | None:
    return None if shown == NOT_AVAILABLE else shown


def runs(shown: Shown) -> html.Div:
    """Return the newest runs of all jobs."""
    fields = (
        words("job", "Job"),
        Field("at", "When", local_time, "When it ended, or began where no end was told", numeric=False),
        words("outcome", "Outcome", tone=lambda row: TONES.get(row["outcome"], "")),
        Field("seconds", "Took", duration),
        Field("rows", "Rows", number),
        Field("bytes", "Bytes", bytes_),
        Field("files", "Files", number),
        words("message", "Message"),
    )
    rows = [
        {**row, "job": row["source"].partition(":")[2], "at": row["ended"] or row["began"], "source": KIND}
        for row in source_rows(shown.chosen, "runs")
    ]
    rows.sort(key=lambda row: -row["at"])
    return source_table(RUNS_ID, fields, rows, caption="Runs of jobs", nothing="Nobody has pinged yet.")


SECTION = old_section(
    KIND,
    CHARTS,
    cards,
    {"heartbeat-jobs": jobs, "heartbeat-runs": runs},
    (
        OldPanel("heartbeat-jobs", "Jobs", "in trouble first", 12, "Pings to /ping/<name>, table pings.", ROWS_ID),
        OldPanel("heartbeat-runs", "Runs of jobs", "newest first", 12, "The newest 200 pings of each job.", RUNS_ID),
    ),
)
