"""Files of rules: what stands in one, and each mistake with its line.

rules:                a list of rules
disabled: [name]      rules that come with Fundwatch and are not wanted
metrics: [name]       metrics that exporters or programs name and that rules here use
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from core.alerts.check import CheckFigure, check, hints, nearest
from core.alerts.figures import Vocabulary, named, vocabulary_of
from core.alerts.rule import Rule
from core.errors import RuleRejected, SettingsError
from core.settings.lines import Place, lines_of, upwards
from core.settings.plain import must_be

SUFFIXES = (".yaml", ".yml")
KEYS = ("rules", "disabled", "metrics")
FIELDS = {field.alias or name: name for name, field in Rule.model_fields.items()}
"""Names of a rule's fields as they are written."""
MOST_BYTES = 2_097_152


@dataclass(frozen=True, slots=True)
class RuleFault:
    """A mistake in a file of rules."""

    file: str
    line: int
    """Counted from 1."""
    rule: str
    """Name of the rule; empty: it is none of a rule."""
    reason: str

    def __str__(self) -> str:
        where = f"{self.rule}: " if self.rule else ""
        return f"{self.file}:{self.line}: {where}{self.reason}"


@dataclass(frozen=True, slots=True)
class PlacedRule:
    """A rule and where it stands."""

    rule: Rule
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Unwanted:
    """A rule that comes with Fundwatch and is not to be in force, and where that stands."""

    name: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class RuleFile:
    """What a file says. With faults it is taken whole or not at all: the caller refuses it."""

    rules: tuple[PlacedRule, ...] = ()
    disabled: tuple[Unwanted, ...] = ()
    metrics: tuple[str, ...] = ()
    faults: tuple[RuleFault, ...] = ()
    hints: tuple[RuleFault, ...] = ()
    """What can be and is hardly meant."""


def rule_files_in(folder: Path) -> list[Path]:
    """Return the files of rules in a folder, by name; none where there is no folder.

    Hidden ones are none: editors keep theirs so. Raises SettingsError: the folder cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and not path.name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SettingsError(
            f"{folder}: cannot be read: {error.strerror or error}; it is the folder of rules"
        ) from error


def read_rule_file(path: Path, vocabulary: Vocabulary, check_figure: CheckFigure = lambda figure: None) -> RuleFile:
    """Return what a file says and what is wrong with it."""
    try:
        content = path.read_bytes()
        if len(content) > MOST_BYTES:
            return _refused(str(path), f"is larger than {MOST_BYTES} bytes; make several files of it")
        return read_rules(content.decode(), str(path), vocabulary, check_figure)
    except OSError as error:
        return _refused(str(path), f"cannot be read: {error.strerror or error}")
    except UnicodeDecodeError:
        return _refused(str(path), "is no text in UTF-8")


NO_YAML = (ValueError, LookupError, AttributeError, TypeError, RecursionError, yaml.YAMLError)
"""What the parser raises of texts that are none: of a tag that a value does not fit, of a node within itself."""


def read_rules(
    text: str, file: str, vocabulary: Vocabulary, check_figure: CheckFigure = lambda figure: None
) -> RuleFile:
    """Return what the text of a file says and what is wrong with it."""
    try:
        tree, content = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
        lines = lines_of(tree)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return _refused(file, f"cannot be read as YAML: {error.problem or error.context}", mark.line + 1 if mark else 1)
    except NO_YAML as error:
        return _refused(file, f"cannot be read as YAML: {' '.join(str(error).split()) or type(error).__name__}")
    if content is None:
        return RuleFile()
    if not isinstance(content, Mapping):
        return _refused(file, f"must hold lists named {', '.join(KEYS)}")
    faults = [*_twice(tree, file), *_wrong_keys(content, lines, file)]
    metrics = _names(content, "metrics", lines, file, faults)
    unwanted = enumerate(_names(content, "disabled", lines, file, faults))
    disabled = tuple(Unwanted(name, file, lines[("disabled", number)]) for number, name in unwanted)
    known = vocabulary_of([*vocabulary.values(), *named(metrics)])
    items = content.get("rules") or []
    if not isinstance(items, list):
        faults.append(RuleFault(file, lines[("rules",)], "", "rules: must be a list"))
        items = []
    rules, told = [], []
    for number, item in enumerate(items):
        place: Place = ("rules", number)
        rule = _rule(item, place, lines, file, faults)
        if rule is None:
            continue
        try:
            check(rule, known, check_figure)
        except RuleRejected as error:
            faults.append(_at(error, place, lines, file, rule.name))
            continue
        rules.append(PlacedRule(rule, file, lines[place]))
        told += [RuleFault(file, lines[place], rule.name, each) for each in hints(rule, known)]
    faults += _same_names(rules)
    return RuleFile(tuple(rules), disabled, metrics, tuple(sorted(faults, key=lambda each: each.line)), tuple(told))


def _rule(item: Any, place: Place, lines: Mapping[Place, int], file: str, faults: list[RuleFault]) -> Rule | None:
    """Return a rule, or None and what is wrong with it among the faults."""
    if not isinstance(item, Mapping):
        faults.append(RuleFault(file, lines[place], "", "must be a rule: `name: value` lines"))
        return None
    name = str(item.get("name", ""))
    try:
        return Rule.model_validate(item)
    except ValidationError as error:
        for problem in error.errors():
            path = tuple(problem["loc"])
            told = ".".join(map(str, path)) or _field_of(problem["msg"])
            at = next((lines[key] for key in upwards((*place, *(path or (told,)))) if key in lines), lines[place])
            faults.append(RuleFault(file, at, name, _told(problem, told, path)))
    return None


def _told(problem: Any, field: str, path: Place) -> str:
    reason = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        return f"{field}: is no field of a rule. {nearest(str(path[-1]), FIELDS)}".strip()
    if problem["type"] == "missing":
        return f"{field}: is missing"
    if not path:
        return reason
    return f"{field}: {must_be(problem) if problem['type'] != 'value_error' else reason}"


def _field_of(message: str) -> str:
    """Return the field that a message about a whole rule begins with; empty for none."""
    field, colon, _ = message.removeprefix("Value error, ").partition(":")
    return field if colon and field.partition(".")[0] in FIELDS else ""


def _at(error: RuleRejected, place: Place, lines: Mapping[Place, int], file: str, name: str) -> RuleFault:
    path = (*place, *error.field.split("."))
    line = next(lines[key] for key in upwards(path) if key in lines)
    return RuleFault(file, line, name, str(error))


def _twice(node: yaml.Node | None, file: str) -> Iterator[RuleFault]:
    """Yield what stands twice in one place: YAML takes the last without a word."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield RuleFault(file, key.start_mark.line + 1, "", f"{key.value}: stands here twice")
            seen.add(str(key.value))
            yield from _twice(value, file)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _twice(value, file)


def _wrong_keys(content: Mapping[Any, Any], lines: Mapping[Place, int], file: str) -> Iterator[RuleFault]:
    for key in content:
        if key not in KEYS:
            line = lines.get((str(key),), 1)
            there = f"There are {', '.join(KEYS)}."
            yield RuleFault(file, line, "", f"{key}: is nothing that a file of rules has. {there}")


def _names(
    content: Mapping[Any, Any], key: str, lines: Mapping[Place, int], file: str, faults: list[RuleFault]
) -> tuple[str, ...]:
    given = content.get(key) or []
    if isinstance(given, list) and all(isinstance(each, str) for each in given):
        return tuple(given)
    faults.append(RuleFault(file, lines[(key,)], "", f"{key}: must be a list of names"))
    return ()


def _same_names(rules: Sequence[PlacedRule]) -> Iterator[RuleFault]:
    first: dict[str, PlacedRule] = {}
    for each in rules:
        before = first.setdefault(each.rule.name, each)
        if before is not each:
            where = f"line {before.line}" if before.file == each.file else f"{before.file}:{before.line}"
            yield RuleFault(each.file, each.line, each.rule.name, f"name: another rule has it, in {where}")


def _refused(file: str, reason: str, line: int = 1) -> RuleFile:
    return RuleFile(faults=(RuleFault(file, line, "", reason),))
