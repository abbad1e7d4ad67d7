"""The rules in force: those that come with Fundwatch, those of files, of fundwatch.yaml and of the state database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from core.alerts.check import CheckFigure, check, hints, nearest
from core.alerts.figures import Vocabulary, named, vocabulary_of
from core.alerts.files import PlacedRule, RuleFault, RuleFile, Unwanted, read_rule_file, read_rules, rule_files_in
from core.alerts.kept import NOTHING_KEPT, STATE_DATABASE, KeptRules
from core.alerts.rule import Rule
from core.errors import RuleRejected, SettingsError
from core.settings.lines import line_of

if TYPE_CHECKING:
    from core.settings.model import Settings

SUFFIXES = (".yaml", ".yml")
SHIPPED = "shipped"
"""What stands for the file of the rules that come with Fundwatch."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules by where they stand, later ones in place of shipped ones of the same name."""

    rules: tuple[PlacedRule, ...]
    metrics: tuple[str, ...]
    """That exporters or programs name, of all files."""
    faults: tuple[RuleFault, ...]
    hints: tuple[RuleFault, ...]
    disabled: tuple[str, ...] = ()
    """Shipped ones that files or the settings do not want."""
    kept: KeptRules = NOTHING_KEPT
    """What the state database has of rules."""
    left_out: tuple[RuleFault, ...] = ()
    """What is wrong with rules of the state database: each is left out alone, the others are in force."""

    def is_off(self, rule: Rule) -> bool:
        """Return whether a rule is not evaluated: its text says so, a file or the settings, or a person."""
        is_unwanted = rule.name in self.disabled or self.kept.switched_off(rule.name) is not None
        return is_unwanted or not rule.is_enabled

    def in_force(self) -> list[Rule]:
        """Return the rules that are evaluated."""
        return [each.rule for each in self.rules if not self.is_off(each.rule)]

    def told_off(self) -> list[Rule]:
        """Return every rule, those that are not evaluated with `is_enabled` False."""
        return [
            each.rule.model_copy(update={"is_enabled": False}) if self.is_off(each.rule) else each.rule
            for each in self.rules
        ]

    def placed(self, name: str) -> PlacedRule | None:
        """Return the rule of a name and where it stands; None: there is none."""
        return next((each for each in self.rules if each.rule.name == name), None)


@cache
def shipped_text() -> str:
    """Return the file of the rules that come with Fundwatch."""
    return Path(__file__).with_name("shipped.yaml").read_text(encoding="utf-8")


def load_rules(settings: Settings, config: Path, vocabulary: Vocabulary, check_figure: CheckFigure) -> RuleSet:
    """Return every rule of the settings and their files; `config` is the file that the settings are of.

    Raises SettingsError: the folder of rules cannot be read.
    """
    files = [read_rule_file(path, vocabulary, check_figure) for path in rule_files_in(settings.rules_dir)]
    every = [*files, _configured(settings, config, vocabulary, check_figure)]
    return assemble(every, vocabulary, check_figure)


def with_kept(found: RuleSet, kept: KeptRules, read: Callable[[str], RuleFile]) -> RuleSet:
    """Return rules with those of the state database, which take the place of shipped ones of the same name.

    One with a mistake, or with the name of a rule of a file, is left out. read: returns what the text of one says.
    """
    elsewhere = {each.rule.name: each for each in found.rules if each.file != SHIPPED}
    own: list[PlacedRule] = []
    metrics, left_out, told = [*found.metrics], [*found.left_out], [*found.hints]
    for each in kept.rules:
        file = read(each.text)
        faults = [*file.faults] or _not_this(file, each.name)
        if not faults and each.name in elsewhere:
            faults = [_second(file.rules[0], elsewhere[each.name])]
        if faults:
            left_out += [replace(fault, rule=each.name) for fault in faults]
            continue
        own += file.rules
        metrics += file.metrics
        told += file.hints
    instead = {each.rule.name for each in own}
    return replace(
        found,
        rules=(*(each for each in found.rules if each.rule.name not in instead), *own),
        metrics=tuple(dict.fromkeys(metrics)),
        hints=tuple(told),
        disabled=tuple(name for name in found.disabled if name not in instead),
        kept=kept,
        left_out=tuple(left_out),
    )


def _not_this(file: RuleFile, name: str) -> list[RuleFault]:
    if len(file.rules) == 1 and file.rules[0].rule.name == name and not file.disabled:
        return []
    return [RuleFault(STATE_DATABASE, 1, name, f"must hold the rule {name} and no other")]


def require(found: RuleSet) -> RuleSet:
    """Return the rules. Raises SettingsError with a line a mistake: nothing starts on rules that cannot be."""
    if found.faults:
        raise SettingsError("\n".join(map(str, found.faults)))
    return found


def assemble(files: Sequence[RuleFile], vocabulary: Vocabulary, check_figure: CheckFigure) -> RuleSet:
    """Return the shipped rules with those of files beside them, or in their place."""
    shipped = read_rules(shipped_text(), SHIPPED, vocabulary, check_figure)
    own = [each for file in files for each in file.rules]
    unwanted = [each for file in files for each in file.disabled]
    names = {each.rule.name for each in shipped.rules}
    instead = {each.rule.name for each in own}
    faults = [fault for file in (shipped, *files) for fault in file.faults]
    faults += _twice(own)
    without = "disabled: no rule that comes with Fundwatch has this name."
    faults += [
        RuleFault(each.file, each.line, each.name, f"{without} {nearest(each.name, names)}".strip())
        for each in unwanted
        if each.name not in names
    ]
    return RuleSet(
        rules=(*(each for each in shipped.rules if each.rule.name not in instead), *own),
        metrics=tuple(dict.fromkeys(name for file in files for name in file.metrics)),
        faults=tuple(faults),
        hints=tuple(hint for file in files for hint in file.hints),
        disabled=tuple(name for name in dict.fromkeys(each.name for each in unwanted) if name not in instead),
    )


def _configured(settings: Settings, config: Path, vocabulary: Vocabulary, check_figure: CheckFigure) -> RuleFile:
    """Return the rules that stand in the settings themselves; that they are rules is known."""
    known = vocabulary_of([*vocabulary.values(), *named(settings.rule_metrics)])
    rules, faults, told = [], [], []
    for number, rule in enumerate(settings.rules):
        file, line = str(config), line_of(config, ("rules", number)) or 1
        try:
            check(rule, known, check_figure)
        except RuleRejected as error:
            at = line_of(config, ("rules", number, *error.field.split("."))) or line
            faults.append(RuleFault(file, at, rule.name, str(error)))
            continue
        rules.append(PlacedRule(rule, file, line))
        told += [RuleFault(file, line, rule.name, each) for each in hints(rule, known)]
    disabled = tuple(
        Unwanted(name, str(config), line_of(config, ("rules_disabled", number)) or 1)
        for number, name in enumerate(settings.rules_disabled)
    )
    return RuleFile(tuple(rules), disabled, settings.rule_metrics, tuple(faults), tuple(told))


def _twice(rules: Iterable[PlacedRule]) -> list[RuleFault]:
    """Return the rules of different files that have one name; those of one file are told by it."""
    first: dict[str, PlacedRule] = {}
    found = []
    for each in rules:
        before = first.setdefault(each.rule.name, each)
        if before.file != each.file:
            found.append(_second(each, before))
    return found


def _second(each: PlacedRule, before: PlacedRule) -> RuleFault:
    reason = f"name: another rule has it, in {before.file}:{before.line}"
    return RuleFault(each.file, each.line, each.rule.name, reason)
