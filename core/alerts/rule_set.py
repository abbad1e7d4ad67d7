"""The rules in force: those that come with Fundwatch, those of files, those of fundwatch.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from core.alerts.check import CheckFigure, check, hints, nearest
from core.alerts.figures import Vocabulary, named, vocabulary_of
from core.alerts.files import PlacedRule, RuleFault, RuleFile, read_rule_file, read_rules, rule_files_in
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
    """Shipped ones that are not wanted."""

    def in_force(self) -> list[Rule]:
        """Return the rules that are evaluated."""
        return [each.rule for each in self.rules if each.rule.is_enabled and each.rule.name not in self.disabled]


@cache
def shipped_text() -> str:
    """Return the file of the rules that come with Fundwatch."""
    return Path(__file__).with_name("shipped.yaml").read_text(encoding="utf-8")


def load_rules(settings: Settings, config: Path, vocabulary: Vocabulary, check_figure: CheckFigure) -> RuleSet:
    """Return every rule of the settings and their files; `config` is the file that the settings are of.

    Raises SettingsError: the folder of rules cannot be read.
    """
    files = [read_rule_file(path, vocabulary, check_figure) for path in rule_files_in(settings.rules_dir)]
    return assemble([*files, _configured(settings, config, vocabulary, check_figure)], vocabulary, check_figure)


def require(found: RuleSet) -> RuleSet:
    """Return the rules. Raises SettingsError with a line a mistake: nothing starts on rules that cannot be."""
    if found.faults:
        raise SettingsError("\n".join(map(str, found.faults)))
    return found


def assemble(files: Sequence[RuleFile], vocabulary: Vocabulary, check_figure: CheckFigure) -> RuleSet:
    """Return the shipped rules with those of files beside them, or in their place."""
    shipped = read_rules(shipped_text(), SHIPPED, vocabulary, check_figure)
    own = [each for file in files for each in file.rules]
    disabled = tuple(dict.fromkeys(name for file in files for name in file.disabled))
    names = {each.rule.name for each in shipped.rules}
    instead = {each.rule.name for each in own}
    faults = [fault for file in (shipped, *files) for fault in file.faults]
    faults += _twice(own)
    faults += [
        RuleFault(
            SHIPPED, 1, name, f"disabled: no rule that comes with Fundwatch has this name. {nearest(name, names)}"
        )
        for name in disabled
        if name not in names
    ]
    return RuleSet(
        rules=(*(each for each in shipped.rules if each.rule.name not in instead), *own),
        metrics=tuple(dict.fromkeys(name for file in files for name in file.metrics)),
        faults=tuple(faults),
        hints=tuple(hint for file in files for hint in file.hints),
        disabled=tuple(name for name in disabled if name not in instead),
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
    return RuleFile(tuple(rules), settings.rules_disabled, settings.rule_metrics, tuple(faults), tuple(told))


def _twice(rules: Iterable[PlacedRule]) -> list[RuleFault]:
    """Return the rules of different files that have one name; those of one file are told by it."""
    first: dict[str, PlacedRule] = {}
    found = []
    for each in rules:
        before = first.setdefault(each.rule.name, each)
        if before.file != each.file:
            reason = f"name: another rule has it, in {before.file}:{before.line}"
            found.append(RuleFault(each.file, each.line, each.rule.name, reason))
    return found
