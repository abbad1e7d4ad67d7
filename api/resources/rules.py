"""Rules of alerts: those that are known, where each stands, what it watches for, its state and what it costs."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from api.models import Answered, Number, Page
from api.operation import Ask, Operation
from api.paging import part_of
from api.parameters import Listed
from api.resources.alerts import TAG, age_of, told_beside
from core.alerts.files import PlacedRule
from core.alerts.spec import RuleCost
from portfolio.alerts import Sight, sight_of
from portfolio.rule_files import rule_set
from portfolio.withheld import WITHHELD
from status.alerts import AlertsNow, alerts_now

FIRING, OK, FAILING, OFF, UNKNOWN = "firing", "ok", "failing", "off", "unknown"
WRONG = "A rule is wrong: those that were in force before it stay so."


class Rule(Answered):
    """What is watched for, how long it must hold, how much it matters, and how it stands."""

    name: str
    title: str
    state: str = Field(description="firing, ok, failing (problem says why), off, or unknown: nobody evaluates.")
    levels: dict[str, str] = Field(description="What it watches for at each severity, the gravest first.")
    clear: str = Field(description="When it is clear again; empty: when it does not hold.")
    for_seconds: float
    keep_firing_seconds: float
    every_seconds: float
    no_data: str = Field(description="Without data: alert, keep or ok.")
    error: str = Field(description="When it cannot be evaluated: alert, keep or ok.")
    category: str
    labels: dict[str, str]
    message: str
    runbook: str
    file: str = Field(description="Where it stands; shipped: it comes with Fundwatch.")
    line: int
    cost_seconds: Number = Field(description="Of its last evaluation.")
    conditions: int | None = Field(description="Sets of labels that it is evaluated for; null: not known, or not told.")
    firing: int | None
    problem: str = Field(description="Why its last evaluation failed.")


def _list(ask: Ask[Listed]) -> Page[Rule]:
    known, sight = alerts_now(ask.stores), sight_of(ask.stores, ask.viewer.portfolios)
    found = rule_set(ask.stores.settings)
    seen = [each for each in found.rules if sight.sees_rule(each.rule)]
    part, following = part_of(sorted(seen, key=_key), _key, ask.begins)
    costs = {each.rule: each for each in known.rules}
    fires = sight.fires(known.rules, known.firing)
    names = {rule.name for rule in found.in_force()}
    items = [
        _told(each, costs.get(each.rule.name), fires.get(each.rule.name), known, sight, each.rule.name in names)
        for each in part
    ]
    faults = [WRONG, *map(_fault, map(str, found.faults))] if found.faults and sight.is_whole else []
    return Page[Rule](
        items=items, next=following, told=[*told_beside(known, sight), *faults],
        units={"cost_seconds": "seconds"}, **dict(age_of(known, ask.now)),
    )  # fmt: skip


def _key(each: PlacedRule) -> tuple[str]:
    return (each.rule.name,)


def _fault(text: str) -> str:
    """Return a mistake with the name of its file, and not the folder of this machine."""
    file, _, rest = text.partition(":")
    return f"{Path(file).name}:{rest}"


def _told(
    placed: PlacedRule, cost: RuleCost | None, fires: int | None, known: AlertsNow, sight: Sight, is_in_force: bool
) -> Rule:
    rule, is_limited = placed.rule, not sight.is_whole
    problem = (WITHHELD if is_limited else cost.problem) if cost and cost.problem else ""
    is_known = cost is not None and fires is not None and not known.is_stale
    state = OFF if not is_in_force else UNKNOWN if not is_known else FAILING if problem else FIRING if fires else OK
    return Rule(
        name=rule.name, title=rule.title or rule.name, state=state,
        levels={severity.word: str(expression) for severity, expression in rule.conditions}, clear=rule.clear,
        for_seconds=rule.for_, keep_firing_seconds=rule.keep_firing_for, every_seconds=rule.every,
        no_data=rule.no_data.value, error=rule.error.value, category=rule.category.value, labels=dict(rule.labels),
        message=rule.message, runbook=rule.runbook, file=Path(placed.file).name, line=placed.line,
        cost_seconds=cost.cost_seconds if cost else None,
        conditions=cost.conditions if cost and not is_limited else None,
        firing=fires if is_in_force and is_known else None, problem=problem,
    )  # fmt: skip


OPERATIONS = (
    Operation(path="/rules", summary="Rules of alerts, by name: what they watch for, where they stand, their state and "
              "what they cost.", answer=_list, model=Page[Rule], query=Listed, tag=TAG),
)  # fmt: skip
