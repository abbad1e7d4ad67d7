"""Who is told next if nobody acts: the plans of the settings, and where each open incident stands in its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from dash import html
from pydantic import TypeAdapter

from core.alerts.plan import Plan
from core.alerts.spec import OpenIncident
from core.format import coarse_duration, count, first_of
from core.settings.routes import Route
from dashboard.alerts.incidents import MUTED, SNOOZED
from dashboard.alerts.known import severity_of
from dashboard.alerts.parts import ahead, severity_cell
from dashboard.components.age import local_time
from dashboard.components.table import Cell, Column, data_table, whole_cell
from storage.state.alerts import KeptIncident

ID = "escalation"
NOBODY = "nobody"
_PLANS = (
    Column("route", "Route", definition="In the order in which they are looked at; the first that fits counts"),
    Column("fits", "Which alerts", numeric=False),
    Column("first", "Told first", numeric=False),
    Column("then", "Then, if nobody acknowledges", numeric=False),
    Column("rounds", "Rounds", definition="How often all steps are gone through"),
    Column("repeat", "Told again", numeric=False, definition="After so long without a message"),
)
_STANDING = (
    Column("incident", "Incident"),
    Column("title", "What", numeric=False),
    Column("severity", "Severity", numeric=False),
    Column("told", "Told", numeric=False),
    Column("taken", "Steps taken", numeric=False),
    Column("next", "Next step", numeric=False, definition="If nobody acknowledges, and it goes on at its severity"),
    Column("due", "Due", numeric=False),
    Column("after", "After that", numeric=False),
)
_PLAN: TypeAdapter[Plan] = TypeAdapter(Plan)


@dataclass(frozen=True, slots=True)
class Step:
    """A step that is to come. Epoch seconds."""

    receivers: tuple[str, ...]
    """Empty: nobody is left to tell."""
    due_at: float


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an incident stands in the plan that it opened with."""

    incident: OpenIncident
    title: str
    steps: int
    """Of its plan, over all rounds."""
    taken: int
    coming: Sequence[Step]
    """In order; none: it has no further step."""
    held: str
    """Why none is taken now; empty: the next one comes."""


def standing(incident: OpenIncident, title: str, kept: KeptIncident) -> Standing:
    """Return where an incident stands. title: what it is called. kept: its row, whose body has the plan it keeps."""
    body = orjson.loads(kept.body)
    plan = _PLAN.validate_python(body["plan"]).at(severity_of(incident.severity))
    step_at = float(body["step_at"]) + _ahead_seconds(incident, kept, body)
    held = incident.reason if incident.reason.startswith(MUTED) else ""
    if incident.acknowledged_until:
        by = incident.acknowledged_by or "somebody"
        held = f"it is snoozed by {by}" if incident.stage == SNOOZED else f"{by} has it in hand"
        # The step that was under way begins anew when that ends.
        step_at = max(step_at, incident.acknowledged_until)
    steps = len(plan.steps) * plan.rounds
    coming = steps_ahead(plan, incident.steps_taken, step_at)
    return Standing(incident, title, steps, min(incident.steps_taken, steps), coming, held)


def _ahead_seconds(incident: OpenIncident, kept: KeptIncident, body: Mapping[str, Any]) -> float:
    """Return how far the clock, as it is set now, is ahead of the engine's own time, which the body has."""
    told_at = body.get("told_at")
    if incident.told_at is not None and told_at is not None:
        return incident.told_at - float(told_at)
    return kept.opened_at - float(body["opened_at"])


def steps_ahead(plan: Plan, taken: int, step_at: float) -> list[Step]:
    """Return the steps that are to come after so many, and that nobody is left at the end; step_at: of the last one."""
    last = len(plan.steps) * plan.rounds
    if not plan.steps or taken > last:
        return []
    found, due = [], step_at
    for number in range(taken, last):
        step = plan.steps[number % len(plan.steps)]
        due += step.wait_seconds
        found.append(Step(step.receivers, due))
    return [*found, Step((), due + plan.steps[-1].wait_seconds)]


def plans_table(routes: Sequence[Route]) -> html.Div:
    """Return a row a route, in the order in which they are looked at."""
    rows = [_plan(number, each) for number, each in enumerate(routes, 1)]
    return data_table(f"{ID}-plans-rows", _PLANS, rows, caption="Plans")


def standing_table(found: Sequence[Standing], now: float) -> html.Div:
    """Return a row an open incident: those whose next step is due first stand first."""
    rows = sorted(
        found, key=lambda each: (not each.coming, bool(each.held), each.coming[0].due_at if each.coming else 0)
    )
    nothing = "No incident is open."
    return data_table(
        f"{ID}-standing-rows", _STANDING, [_row(each, now) for each in rows], caption="Open incidents", nothing=nothing
    )


def _plan(number: int, route: Route) -> dict[str, Any]:
    then = "; ".join(f"after {coarse_duration(each.after)} {', '.join(each.receivers)}" for each in route.escalation)
    goes_on = ["and those of the next routes"] if route.goes_on else []
    return {
        "route": Cell(str(number), sort=float(number)),
        "fits": whole_cell(_fits(route)),
        "first": whole_cell(", ".join([*route.receivers, *goes_on]) or NOBODY),
        "then": whole_cell(then or "nobody else"),
        "rounds": Cell(str(route.rounds), sort=float(route.rounds)) if route.escalation else None,
        "repeat": Cell(f"after {coarse_duration(route.repeat)}" if route.repeat else "never", sort=route.repeat),
    }


def _fits(route: Route) -> str:
    labels = [f"{name} {pattern}" for name, pattern in route.labels.items()]
    when = [first_of(route.days, most=7), route.hours, route.time_zone if route.days or route.hours else ""]
    parts = [", ".join(route.severities), ", ".join(route.categories), *labels, " ".join(each for each in when if each)]
    return " · ".join(each for each in parts if each) or "every alert"


def _row(each: Standing, now: float) -> dict[str, Any]:
    of = each.incident
    first = each.coming[0] if each.coming else None
    after = [f"{_who(step)} {ahead(step.due_at, now)}" for step in each.coming[1:]]
    return {
        "incident": Cell(html.A(f"#{of.incident}", href=f"/alerts?incident={of.incident}"), sort=float(of.incident)),
        "title": whole_cell(each.title),
        "severity": severity_cell(severity_of(of.severity)),
        "told": whole_cell(first_of(of.told) or NOBODY),
        "taken": f"{each.taken} of {count(each.steps, 'step')}" if each.steps else "its plan has none",
        "next": whole_cell(_who(first) if first else _without_steps(of, now)),
        "due": _due(each, first, now) if first else None,
        "after": whole_cell("; ".join(after) or None),
    }


def _due(each: Standing, step: Step, now: float) -> Cell:
    if each.held.startswith(MUTED):
        return Cell(f"not while it is {each.held}", tone="muted", mark="fw-wraps")
    due: list[Any] = [ahead(step.due_at, now), ", ", local_time(step.due_at, "span")]
    held = [f", as {each.held} until then"] if each.held else []
    return Cell(html.Span([*due, *held]), sort=step.due_at, mark="fw-wraps")


def _who(step: Step) -> str:
    return f"{', '.join(step.receivers)} told" if step.receivers else "nobody left to tell"


def _without_steps(of: OpenIncident, now: float) -> str:
    return f"none: told again {ahead(of.next_at, now)}" if of.next_about == "reminded" else "none"
