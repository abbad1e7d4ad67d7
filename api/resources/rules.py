"""Rules of alerts: where each stands, what it watches for, its state and cost; making, changing and trying them."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from api.body import Body
from api.models import Answered, Number, Page, Time
from api.models import at as told_time
from api.operation import ADMIN, Ask, Operation
from api.paging import part_of
from api.parameters import Listed, Parameters
from api.problem import Refused
from api.resources.alerts import TAG, age_of, told_beside
from core.alerts.files import PlacedRule
from core.alerts.kept import MOST_CHARACTERS, STATE_DATABASE, KeptRules
from core.alerts.rule_set import RuleSet
from core.alerts.spec import RuleCost
from core.alerts.written import written
from core.roles import Role
from portfolio.alerts import Sight, sight_of
from portfolio.own_rules import checked, delete, save, switch
from portfolio.rule_figures import past_of_portfolios
from portfolio.rule_files import rule_set
from portfolio.vocabulary import vocabulary
from portfolio.withheld import WITHHELD
from status.alerts import AlertsNow, alerts_now
from status.at_once import AtOnce
from status.back_test import back_test, with_metrics

FIRING, OK, FAILING, NO_DATA, OFF, UNKNOWN = "firing", "ok", "failing", "no data", "off", "unknown"
WRONG = "A rule is wrong: those that were in force before it stay so."
LEFT_OUT = "A rule that was made here is wrong: it is left out."


class Rule(Answered):
    """What is watched for, how long it must hold, how much it matters, and how it stands."""

    name: str
    title: str
    state: str = Field(
        description="firing, ok, failing (problem says why), no data (of nothing that it watches), off, or unknown: "
        "nobody evaluates."
    )
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
    file: str = Field(description="Where it stands; shipped: it comes with Fundwatch; state database: made here.")
    line: int
    cost_seconds: Number = Field(description="Of its last evaluation.")
    evaluated_at: Time | None = Field(description="When it was evaluated last; null: not yet, or it is off.")
    conditions: int | None = Field(description="Sets of labels that it is evaluated for; null: not known, or not told.")
    firing: int | None
    problem: str = Field(description="Why its last evaluation failed.")
    version: int = Field(description="Of a rule that was made here: send it to change it. Else 0.")
    changed_by: str = Field(description="Of a rule that was made here: who saved it last.")
    changed_at: Time | None
    switched_off_by: str = Field(description="Who switched it off; empty: nobody did.")
    switched_off_at: Time | None


class RuleText(Rule):
    """A rule with its text."""

    text: str = Field(description="A file of rules with this one in it.")


class NewRule(Body):
    """A rule as it is sent."""

    text: str = Field(min_length=1, max_length=MOST_CHARACTERS, description="A file of rules with one rule in it, as "
                      "docs/rules.md has it: YAML, or JSON.")  # fmt: skip


class Checks(NewRule):
    """A rule that is to be checked."""

    name: str = Field("", max_length=80, description="Of the rule that was made here and that it would change.")


class Changed(NewRule):
    """Another text of a rule."""

    version: int = Field(ge=1, description="As it was read: who has changed it meanwhile is not overwritten.")


class Switch(Body):
    """Whether a rule is evaluated."""

    on: bool


class Gone(Answered):
    """A rule that was deleted."""

    name: str


class Mistake(Answered):
    """What is wrong with a rule."""

    line: int = Field(description="Of the text, counted from 1.")
    reason: str = Field(description="Begins with the field, and says what to write instead.")


class WouldFire(Answered):
    """A time in which one set of labels would have fired."""

    labels: dict[str, str]
    begins: Time | None
    ends: Time | None
    severity: str
    lacks_data: bool = Field(description="It would have fired because there were no data.")
    fires_on: bool = Field(description="It would still fire.")


class FiresAtOnce(Answered):
    """What a rule would find if it was saved now."""

    sentence: str
    series: int = Field(description="Sets of labels that are reported now, of those that were looked at.")
    holds: int = Field(description="It holds for so many of them: it would fire after wait_seconds.")
    wait_seconds: float = Field(description="How long it must hold before it fires; 0: at once.")
    lacks_data: int = Field(description="Of so many there are no data, and the rule tells that.")
    labels: list[dict[str, str]] = Field(description="Of those that it holds for, the first 20.")


class Tried(Answered):
    """A rule tried on the last seven days."""

    sentence: str = Field(description="How often it would have fired, how long in all; or why that is not known.")
    is_known: bool
    begins: Time | None = Field(description="From here on it was looked: history may reach back less than seven days.")
    ends: Time | None
    step_seconds: float = Field(description="Between two evaluations.")
    series: int = Field(description="Series that it means.")
    times: int
    fired_seconds: float = Field(description="How long all of it lasted.")
    fired: list[WouldFire] = Field(description="The first 200, oldest first.")
    notes: list[str] = Field(description="What was looked at less than asked, a sentence each.")
    at_once: FiresAtOnce | None = Field(description="If it was saved now; null: nothing could be looked at.")


class CheckedRule(Answered):
    """What a text says, and what it would have told."""

    is_right: bool
    mistakes: list[Mistake]
    hints: list[str] = Field(description="What can be and is hardly meant.")
    back_test: Tried | None = Field(description="null: there is a mistake.")


MOST_FIRED, MOST_NAMED = 200, 20


def _list(ask: Ask[Listed]) -> Page[Rule]:
    known, sight = alerts_now(ask.stores), sight_of(ask.stores, ask.viewer.portfolios)
    found = rule_set(ask.stores)
    seen = [each for each in found.rules if sight.sees_rule(each.rule)]
    part, following = part_of(sorted(seen, key=_key), _key, ask.begins)
    costs = {each.rule: each for each in known.rules}
    fires = sight.fires(known.rules, known.firing)
    names = {rule.name for rule in found.in_force()}
    items = [
        _told(
            each,
            costs.get(each.rule.name),
            fires.get(each.rule.name),
            known,
            sight,
            each.rule.name in names,
            found.kept,
        )
        for each in part
    ]
    faults = [WRONG, *map(_fault, map(str, found.faults))] if found.faults and sight.is_whole else []
    faults += [LEFT_OUT, *map(str, found.left_out)] if found.left_out and sight.is_whole else []
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
    placed: PlacedRule, cost: RuleCost | None, fires: int | None, known: AlertsNow, sight: Sight, is_in_force: bool,
    kept: KeptRules,
) -> Rule:  # fmt: skip
    rule, is_limited = placed.rule, not sight.is_whole
    problem = (WITHHELD if is_limited else cost.problem) if cost and cost.problem else ""
    is_known = cost is not None and fires is not None and not known.is_stale
    state = _state(cost, fires or 0) if is_in_force and is_known else UNKNOWN if is_in_force else OFF
    mine = kept.rule(rule.name) if placed.file == STATE_DATABASE else None
    off = kept.switched_off(rule.name)
    return Rule(
        name=rule.name, title=rule.title or rule.name, state=state,
        levels={severity.word: str(expression) for severity, expression in rule.conditions}, clear=rule.clear,
        for_seconds=rule.for_, keep_firing_seconds=rule.keep_firing_for, every_seconds=rule.every,
        no_data=rule.no_data.value, error=rule.error.value, category=rule.category.value, labels=dict(rule.labels),
        message=rule.message, runbook=rule.runbook, file=Path(placed.file).name, line=placed.line,
        cost_seconds=cost.cost_seconds if cost else None,
        evaluated_at=told_time(cost.evaluated_at) if cost and cost.evaluated_at else None,
        conditions=cost.conditions if cost and not is_limited else None,
        firing=fires if is_in_force and is_known else None, problem=problem,
        version=mine.version if mine else 0, changed_by=mine.changed_by if mine else "",
        changed_at=told_time(mine.changed_at) if mine else None,
        switched_off_by=off.who if off and not is_limited else "",
        switched_off_at=told_time(off.at) if off else None,
    )  # fmt: skip


def _state(cost: RuleCost | None, fires: int) -> str:
    """Return the state of a rule that is evaluated."""
    if cost is not None and cost.problem:
        return FAILING
    if fires:
        return FIRING
    return NO_DATA if cost is not None and cost.lacks else OK


def _one(ask: Ask[Parameters]) -> RuleText:
    return _told_whole(ask, ask.parts["name"])


def _told_whole(ask: Ask[Parameters], name: str) -> RuleText:
    known, sight = alerts_now(ask.stores), sight_of(ask.stores, ask.viewer.portfolios)
    found = rule_set(ask.stores)
    placed = found.placed(name)
    if placed is None or not sight.sees_rule(placed.rule):
        raise _missing(name)
    cost = next((each for each in known.rules if each.rule == name), None)
    fires = sight.fires(known.rules, known.firing).get(name)
    told = _told(placed, cost, fires, known, sight, not found.is_off(placed.rule), found.kept)
    return RuleText(**told.model_dump(), text=_text(found, placed))


def _text(found: RuleSet, placed: PlacedRule) -> str:
    mine = found.kept.rule(placed.rule.name)
    return mine.text if mine is not None and placed.file == STATE_DATABASE else written([placed.rule])


def _add(ask: Ask[Parameters]) -> RuleText:
    done = save(ask.stores, ask.sent(NewRule).text, ask.viewer.name)
    return _told_whole(ask, done.name)


def _change(ask: Ask[Parameters]) -> RuleText:
    body, name = ask.sent(Changed), ask.parts["name"]
    if rule_set(ask.stores).kept.rule(name) is None:
        raise _missing(name, "that was made here")
    done = save(ask.stores, body.text, ask.viewer.name, name=name, version=body.version)
    return _told_whole(ask, done.name)


def _delete(ask: Ask[Parameters]) -> Gone:
    name = ask.parts["name"]
    found = rule_set(ask.stores)
    if found.placed(name) is None and found.kept.rule(name) is None:
        raise _missing(name)
    delete(ask.stores, name, ask.viewer.name)
    return Gone(name=name)


def _switch(ask: Ask[Parameters]) -> RuleText:
    name = ask.parts["name"]
    if rule_set(ask.stores).placed(name) is None:
        raise _missing(name)
    switch(ask.stores, name, ask.viewer.name, on=ask.sent(Switch).on)
    return _told_whole(ask, name)


def _check(ask: Ask[Parameters]) -> CheckedRule:
    body = ask.sent(Checks)
    found = checked(ask.stores, body.text, body.name)
    mistakes = [Mistake(line=each.line, reason=each.reason) for each in found.faults]
    tried = None
    if found.rule is not None:
        result = back_test(
            ask.stores, found.rule, with_metrics(vocabulary(), found.metrics), past_of_portfolios(ask.stores)
        )
        tried = Tried(
            sentence=result.sentence, is_known=not result.why_not, begins=told_time(result.start),
            ends=told_time(result.end), step_seconds=result.step_seconds, series=result.matched,
            times=len(result.fired), fired_seconds=result.fired_seconds, notes=[*result.notes],
            fired=[
                WouldFire(
                    labels=dict(each.labels), begins=told_time(each.start), ends=told_time(each.end),
                    severity=each.severity.word, lacks_data=each.lacks_data, fires_on=each.is_open,
                )
                for each in result.fired[:MOST_FIRED]
            ],
            at_once=_at_once(result.at_once) if result.at_once else None,
        )  # fmt: skip
    return CheckedRule(is_right=found.rule is not None, mistakes=mistakes, hints=[*found.hints], back_test=tried)


def _at_once(found: AtOnce) -> FiresAtOnce:
    return FiresAtOnce(
        sentence=found.sentence, series=found.looked, holds=len(found.holds), wait_seconds=found.wait_seconds,
        lacks_data=len(found.lacks), labels=[dict(each) for each in found.holds[:MOST_NAMED]],
    )  # fmt: skip


def _missing(name: str, which: str = "") -> Refused:
    return Refused(404, f"There is no rule {name[:80]!r} {which}".strip() + ".", field="name",
                   fix="Give a `name` that /rules lists.")  # fmt: skip


OF_RULES = {"name": "As `name` in /rules says."}
OPERATIONS = (
    Operation(path="/rules", summary="Rules of alerts, by name: what they watch for, where they stand, their state and "
              "what they cost.", answer=_list, model=Page[Rule], query=Listed, tag=TAG),
    Operation(path="/rules/{name}", summary="One rule, with its text.", answer=_one, model=RuleText, parts=OF_RULES,
              tag=TAG),
    Operation(path="/rules", method="POST", summary="Make a rule. It is in force within seconds.", answer=_add,
              model=RuleText, body=NewRule, status=201, tag=TAG, role=Role.ADMIN, scope=ADMIN, is_shared=True),
    Operation(path="/rules/check", method="POST", summary="Say what is wrong with a rule, when it would have fired in "
              "the last seven days, and whether it would at once. Nothing is saved.", answer=_check,
              model=CheckedRule, body=Checks, tag=TAG, role=Role.ADMIN, scope=ADMIN, is_shared=True),
    Operation(path="/rules/{name}", method="PUT", summary="Change a rule that was made here.", answer=_change,
              model=RuleText, body=Changed, parts=OF_RULES, tag=TAG, role=Role.ADMIN, scope=ADMIN, is_shared=True),
    Operation(path="/rules/{name}", method="DELETE", summary="Delete a rule that was made here: what it told is "
              "resolved.", answer=_delete, model=Gone, parts=OF_RULES, tag=TAG, role=Role.ADMIN, scope=ADMIN,
              is_shared=True),
    Operation(path="/rules/{name}/switch", method="POST", summary="Switch a rule off, wherever it stands, or on again.",
              answer=_switch, model=RuleText, body=Switch, parts=OF_RULES, tag=TAG, role=Role.ADMIN, scope=ADMIN,
              is_shared=True),
)  # fmt: skip
