"""The section of jobs that ping: downloaders, cron jobs, back-ups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.format import duration
from core.kinds.heartbeat import spec
from core.model import Status
from dashboard.components.age import local_time
from dashboard.components.card import card
from dashboard.kinds.heartbeat import pings, tables
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section, TablePanel
from dashboard.sources.shown import Shown
from dashboard.sources.strip import first_cards, on_card, thinned
from status.freshness import reading_stale_after_seconds
from status.instances import Instance
from storage.clickhouse.reads.sources import SourceSeries

JOBS = "jobs"

CHARTS = (
    Chart("duration", "Jobs, duration", "of the last success", {spec.DURATION: ""},
          "From the ping of the start to the ping of the success; none without a start.",
          nothing="No job has told of its start in this window: a duration "
                  "needs /ping/<name>/start before the success."),
    Chart("rows", "Jobs, rows", "of the last success", {spec.ROWS: ""},
          "Rows that the last success reported: /ping/<name>?rows=….",
          nothing="No job has told of its rows in this window: /ping/<name>?rows=1204."),
    Chart("age", "Jobs, since the last success", "", {spec.AGE: ""}, "Now less the last ping of a success."),
)  # fmt: skip


def cards(shown: Shown) -> Sequence[Any]:
    """Return the cards of jobs, those in trouble first."""
    panel = SECTION.id(shown.tab, JOBS)
    return first_cards(shown.chosen, lambda each: _card(each, shown.series), "jobs", panel)


def _card(instance: Instance, series: SourceSeries) -> Any:
    about = instance.first(spec.About)
    last = about.last_success if about else None
    return card(
        f"card-{instance.kind}-{instance.name}",
        instance.title,
        duration(max(instance.read_at - last, 0.0)) if last else "–",
        "ago" if last else "",
        state=instance.status,
        word=tables.state_word(instance, about),
        why=_why(instance, about),
        bar_ratio=_passed(about, instance.read_at) if about else None,
        spark=thinned(series.one(spec.DURATION, instance=instance.name)),
        as_of=instance.reading.ts if instance.reading else None,
        stale_after_seconds=reading_stale_after_seconds(instance.reading),
        definition=f"Time since the last success; the bar is how much of the time until the next one is due has passed"
        f"{_expected(about) if about else ''}. curl -fsS 'http://HOST:PORT/ping/{instance.name}?token=TOKEN&rows=N'",
    )


def _why(instance: Instance, about: spec.About | None) -> Any:
    """Return what the card says under its figure: what is wrong, or when the job is due; not the figure once more."""
    if instance.status is Status.OK and about is not None and about.due:
        return ["due ", local_time(about.due, "span")]
    return on_card(instance.component.why)


def _passed(about: spec.About, now: float) -> float | None:
    """Return the share of the time from the last success to the next one that has passed."""
    last, due = about.last_success, about.due
    return (now - last) / (due - last) if last and due and due > last else None


def _expected(about: spec.About) -> str:
    return f" (schedule {about.schedule})" if about.schedule else f" (every {duration(about.period_seconds)})"


SECTION = Section(
    kind="heartbeat",
    charts=CHARTS,
    cards=cards,
    tables=(
        TablePanel(JOBS, "Jobs", "in trouble first", 12, "Pings to /ping/<name>, table pings.", tables.jobs,
                   is_filtered=True),
        TablePanel("runs", "Runs of jobs", "newest first", 12, f"The {tables.NEWEST_PINGS} of each job.", tables.RUNS,
                   is_filtered=True),
    ),
    install=pings.install,
)  # fmt: skip
