"""Rules that people make here: checked as those of files are, saved, switched off and on, deleted, exported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from core.alerts.check import nearest
from core.alerts.files import RuleFault, RuleFile, read_rules
from core.alerts.kept import MOST_CHARACTERS, STATE_DATABASE, KeptRule
from core.alerts.rule import Rule
from core.alerts.rule_set import SHIPPED, RuleSet
from core.alerts.spec import ALERTS
from core.alerts.written import written
from core.errors import ChangeRejected
from core.format import count
from portfolio.rule_files import rule_set
from portfolio.vocabulary import query_of, vocabulary
from storage.state import rules as kept
from storage.state.rules import NOT_DELETED, NOT_SAVED, NOT_SWITCHED

if TYPE_CHECKING:
    from storage.stores import Stores

FILE = "rule"
"""What stands for the file of a text that is checked."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a text says, and what is wrong with it."""

    text: str
    rule: Rule | None
    """None: there is none without a mistake."""
    metrics: tuple[str, ...] = ()
    """That exporters or programs name, of the text and of all rules."""
    faults: tuple[RuleFault, ...] = ()
    hints: tuple[str, ...] = ()
    """What can be and is hardly meant, a sentence each."""

    @property
    def wrong(self) -> str:
        """Return the mistakes, each with its line; empty: there are none."""
        return "; ".join(f"line {each.line}: {each.reason}" for each in self.faults)


def checked(stores: Stores, text: str, name: str = "") -> Checked:
    """Return what the text of a rule says; name: of the kept rule that it would change, empty for a new one."""
    if len(text) > MOST_CHARACTERS:
        reason = f"has {count(len(text), 'character')}, {MOST_CHARACTERS:,} at most; shorten it"
        return Checked(text, None, faults=(RuleFault(FILE, 1, "", reason),))
    if (line := _line_of_alias(text)) is not None:
        return Checked(text, None, faults=(RuleFault(FILE, line, "", "has an alias of YAML (*name); write it out"),))
    found = rule_set(stores)
    file = read_rules(text, FILE, vocabulary(), query_of)
    faults = file.faults or _not_one(file)
    rule = file.rules[0].rule if len(file.rules) == 1 else None
    if rule is not None and not faults:
        faults = _wrong_name(found, rule, name, file.rules[0].line)
    told = [each.reason for each in file.hints]
    if rule is not None and not name and _is_shipped(found, rule.name):
        told.append(f"name: it takes the place of the rule {rule.name} that comes with Fundwatch")
    metrics = tuple(dict.fromkeys((*file.metrics, *found.metrics)))
    return Checked(text, None if faults else rule, metrics, tuple(faults), tuple(told))


def save(stores: Stores, text: str, who: str, *, name: str = "", version: int = 0) -> KeptRule:
    """Keep a rule: a new one, or another text of the rule `name` that was seen at `version`.

    Raises ChangeRejected with the mistakes beside `text`, StorageUnavailable.
    """
    text = text.replace("\r\n", "\n").strip() + "\n"
    found = checked(stores, text, name)
    if found.rule is None:
        raise ChangeRejected(NOT_SAVED, {"text": found.wrong})
    now = stores.clock.now()
    if name:
        done = kept.change_rule(stores.state, name, version, text, who, now)
    else:
        done = kept.add_rule(stores.state, found.rule.name, text, who, now)
    stores.live.bump(ALERTS)
    return done


def delete(stores: Stores, name: str, who: str) -> None:
    """Delete a rule that was made here. Raises ChangeRejected: it stands in a file, or there is none."""
    found = rule_set(stores)
    placed = found.placed(name)
    if placed is not None and found.kept.rule(name) is None:
        where = "comes with Fundwatch" if placed.file == SHIPPED else f"stands in {placed.file}:{placed.line}"
        raise ChangeRejected(NOT_DELETED, {"name": f"{name} {where}; switch it off instead"})
    kept.delete_rule(stores.state, name, who, stores.clock.now())
    stores.live.bump(ALERTS)


def switch(stores: Stores, name: str, who: str, *, on: bool) -> None:
    """Switch a rule off, wherever it stands, or on again.

    Raises ChangeRejected: there is none, it is so already, or its own text or a file says that it is off.
    """
    found = rule_set(stores)
    placed = found.placed(name)
    if placed is None and found.kept.rule(name) is None:
        there = [each.rule.name for each in found.rules]
        raise ChangeRejected(NOT_SWITCHED, {"name": f"there is no rule {name}. {nearest(name, there)}".strip()})
    if placed is not None and found.kept.switched_off(name) is None:
        if not placed.rule.is_enabled:
            where = "its own text" if placed.file == STATE_DATABASE else f"{placed.file}:{placed.line}"
            raise ChangeRejected(NOT_SWITCHED, {"name": f"{name} is off by {where} (enabled: false); change it there"})
        if name in found.disabled:
            told = f"{name} is off by a file of rules or fundwatch.yaml (disabled); change it there"
            raise ChangeRejected(NOT_SWITCHED, {"name": told})
    do = kept.switch_on if on else kept.switch_off
    do(stores.state, name, who, stores.clock.now())
    stores.live.bump(ALERTS)


def exported(found: RuleSet, names: Sequence[str] = ()) -> str:
    """Return the text of a file with the rules of these names; without any, with all that was decided here: own rules,
    and which that come with Fundwatch are switched off.

    Raises ChangeRejected: there is no rule of a name.
    """
    known = {each.rule.name: each for each in found.rules}
    for name in names:
        if name not in known:
            raise ChangeRejected("Nothing was exported.", {"name": f"there is no rule {name}. {nearest(name, known)}"})
    wanted = names or [name for name, each in known.items() if each.file == STATE_DATABASE]
    rules = [_as_it_is(found, known[name].rule) for name in wanted]
    metrics = [each for rule in rules for each in rule.figures if each not in vocabulary()]
    off = [] if names else [each.name for each in found.kept.off if _is_shipped(found, each.name)]
    return written(rules, off, list(dict.fromkeys(metrics)))


def _as_it_is(found: RuleSet, rule: Rule) -> Rule:
    is_off = found.kept.switched_off(rule.name) is not None
    return rule.model_copy(update={"is_enabled": False}) if is_off else rule


def _is_shipped(found: RuleSet, name: str) -> bool:
    placed = found.placed(name)
    return placed is not None and placed.file == SHIPPED


def _line_of_alias(text: str) -> int | None:
    """Return the line of the first alias: a few of them in each other are as long as one likes, or without an end."""
    try:
        return next((each.start_mark.line + 1 for each in yaml.scan(text) if isinstance(each, yaml.AliasToken)), None)
    except (ValueError, yaml.YAMLError):
        return None  # what cannot be read is told where it is read


def _not_one(file: RuleFile) -> tuple[RuleFault, ...]:
    if file.disabled:
        return (RuleFault(FILE, 1, "", "disabled: belongs into files; here rules are switched off on their own"),)
    if len(file.rules) != 1:
        told = "has no rule; write one under rules:" if not file.rules else "has several rules; make one at a time"
        return (RuleFault(FILE, 1, "", told),)
    return ()


def _wrong_name(found: RuleSet, rule: Rule, name: str, line: int) -> tuple[RuleFault, ...]:
    if name:
        told = f"name: it is {name} for ever; copy the rule to give it another name"
        return (RuleFault(FILE, line, rule.name, told),) if rule.name != name else ()
    other = found.placed(rule.name)
    where = f"in {other.file}:{other.line}" if other is not None and other.file != SHIPPED else ""
    mine = found.kept.rule(rule.name)
    if mine is not None:
        where = f"made here by {mine.made_by}"
    return (RuleFault(FILE, line, rule.name, f"name: another rule has it, {where}"),) if where else ()
