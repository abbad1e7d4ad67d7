"""Jobs: Fundwatch's collectors and all that pings. Feeds: IQFeed, Interactive Brokers, freshness of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from api.models import Aged, Answered, Number, Page, Time, age, aged_reading, at, newest_of
from api.operation import Ask, Operation
from api.paging import part_of
from api.parameters import Listed
from api.problem import Refused
from api.readings import readings_of
from core.checks import Check
from core.kinds.heartbeat.spec import About
from core.kinds.registry import collector_title
from core.model import Status
from core.pipeline.spec import PIPELINE, CollectorRuns
from core.tables import rows_of
from status.freshness import is_stale, why_unknown
from status.instances import instances
from status.row_importers import with_refused_rows
from storage.state.pulled import read_refused

if TYPE_CHECKING:
    from core.settings.model import Settings

TAG = "Pipeline"
FEEDS = ("iqfeed", "ib", "freshness")
HEARTBEAT = "heartbeat"


class Job(Aged):
    """Something that runs again and again."""

    id: str
    kind: Literal["collector", "heartbeat"] = Field(
        description="collector: of Fundwatch; heartbeat: a job of somebody's that pings."
    )
    name: str
    status: Status
    why: str
    last_success: Time | None
    next_due: Time | None = Field(description="Its next run, or when its next success is due.")
    duration_seconds: Number = Field(description="Of the newest run.")
    interval_seconds: Number
    failures: int = Field(description="In a row of a collector; among the runs that are kept of a heartbeat.")


class Feed(Aged):
    """A feed and how it is."""

    id: str
    kind: str
    name: str
    status: Status
    why: str
    value: Number
    unit: str
    checks: list[str] = Field(description="Each thing it is judged by: name, state and why.")


class RefusedRow(Answered):
    """A row of a query or topic that could not be taken."""

    at: Time | None
    importer: str = Field(description="What brought it: pull-fills, consume-orders.")
    kind: str = Field(description="Of the row; empty: the settings list the importer no more.")
    reason: str = Field(description="Why, and of a topic where it stands: topic, partition, offset.")
    row: str = Field(description="As JSON; of a message that could not be read its beginning.")


class OfRefused(Listed):
    """Which refused rows."""

    importer: str = Field("", max_length=80, description="Only those that this one brought.")


def _jobs(ask: Ask[Listed]) -> Page[Job]:
    found = sorted([*_collectors(ask), *_heartbeats(ask)], key=lambda job: job.id)
    part, following = part_of(found, lambda job: (job.id,), ask.begins)
    age = newest_of(readings_of(ask.stores, [PIPELINE, HEARTBEAT], ask.viewer.portfolios), ask.now)
    units = {"duration_seconds": "seconds", "interval_seconds": "seconds", "failures": "count"}
    return Page[Job](items=part, next=following, units=units, **age.model_dump())


def _collectors(ask: Ask[Listed]) -> list[Job]:
    found = []
    pulls = readings_of(ask.stores, ask.stores.settings.row_importers, ask.viewer.portfolios)
    for reading in readings_of(ask.stores, [PIPELINE], ask.viewer.portfolios):
        unknown = why_unknown(reading, ask.now)
        for run in rows_of(with_refused_rows(reading, pulls, ask.now).tables, CollectorRuns):
            found.append(
                Job(
                    id=f"collector/{reading.host}/{run.collector}", kind="collector",
                    name=collector_title(run.collector), status=Status.UNKNOWN if unknown else Status(run.status),
                    why=unknown or run.why, last_success=at(run.last_success), next_due=at(run.next_run),
                    duration_seconds=run.duration_seconds, interval_seconds=run.interval_seconds,
                    failures=run.failures_in_a_row, **aged_reading(reading, ask.now).model_dump(),
                )
            )  # fmt: skip
    return found


def _heartbeats(ask: Ask[Listed]) -> list[Job]:
    found = []
    for each in instances(ask.stores, HEARTBEAT):
        about, part = each.first(About), each.component
        age = aged_reading(each.reading, ask.now) if each.reading else Aged(stale=True, source=each.collector)
        found.append(
            Job(
                id=f"heartbeat/{each.name}", kind="heartbeat", name=each.name, status=part.status, why=part.why,
                last_success=at(about.last_success) if about else None, next_due=at(about.due) if about else None,
                duration_seconds=about.last_seconds if about else None,
                interval_seconds=about.period_seconds if about else None, failures=about.failures if about else 0,
                **age.model_dump(),
            )
        )  # fmt: skip
    return found


def _feeds(ask: Ask[Listed]) -> Page[Feed]:
    found = sorted(instances(ask.stores, *FEEDS), key=lambda each: each.collector)
    part, following = part_of(found, lambda each: (each.collector,), ask.begins)
    items = []
    for each in part:
        state = each.component
        age = aged_reading(each.reading, ask.now) if each.reading else Aged(stale=True, source=each.collector)
        is_known = each.reading is not None and not is_stale(each.reading, ask.now)
        checks = [f"{check.name}: {check.status}: {check.why}" for check in each.rows(Check)] if is_known else []
        items.append(
            Feed(
                id=each.collector, kind=each.kind, name=each.name, status=state.status, why=state.why,
                value=state.value, unit=state.unit, checks=checks, **age.model_dump(),
            )
        )  # fmt: skip
    age = newest_of([each.reading for each in found if each.reading], ask.now)
    return Page[Feed](items=items, next=following, **age.model_dump())


def _refused_rows(ask: Ask[OfRefused]) -> Page[RefusedRow]:
    after = ask.begins.after
    if after is not None and [*map(type, after)] != [float, str, str]:
        raise Refused(422, "cursor is none of this list.", field="cursor", fix="Leave it out.")
    place = (float(after[0]), str(after[1]), str(after[2])) if after else None
    sees_all = ask.viewer.portfolios is None  # a row may be of any portfolio
    found = (
        read_refused(ask.stores.state, ask.query.importer, after=place, limit=ask.query.limit + 1) if sees_all else []
    )
    kinds = ask.stores.settings.kinds_of_rows
    part = found[: ask.query.limit]
    items = [
        RefusedRow(
            at=at(each.at), importer=each.source, kind=kinds.get(each.source, ""), reason=each.reason, row=each.content
        )
        for each in part
    ]
    last = part[-1] if len(found) > ask.query.limit else None
    following = ask.begins.next((last.at, last.source, last.digest)) if last else None
    newest = found[0].at if found else None
    return Page[RefusedRow](
        items=items, next=following, as_of=at(newest), age_seconds=age(newest, ask.now), source="state database"
    )


def _job_data(settings: Settings) -> tuple[str, ...]:
    return (PIPELINE, HEARTBEAT, *settings.row_importers)


def _feed_data(_settings: Settings) -> tuple[str, ...]:
    return FEEDS


OPERATIONS = (
    Operation(path="/pipeline/jobs", summary="Fundwatch's collectors and every job that pings.", answer=_jobs,
              model=Page[Job], query=Listed, tag=TAG, datasets=_job_data),
    Operation(path="/pipeline/refused-rows", summary="Refused rows of queries and topics; none for who is limited.",
              answer=_refused_rows, model=Page[RefusedRow], query=OfRefused, tag=TAG),
    Operation(path="/feeds", summary="IQFeed, Interactive Brokers and the freshness of tables.", answer=_feeds,
              model=Page[Feed], query=Listed, tag=TAG, datasets=_feed_data),
)  # fmt: skip
