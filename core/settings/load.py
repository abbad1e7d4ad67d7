"""Reading the settings so that every mistake is one line: its name, what is allowed, where it was read."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from core.alerts.rule import Rule
from core.errors import SettingsError
from core.kinds.base import NAME_PATTERN
from core.kinds.registry import KINDS
from core.settings.channels import KINDS as CHANNEL_KINDS
from core.settings.consume import Consume
from core.settings.lines import line_of
from core.settings.model import CONFIG_VARIABLE, PREFIX, Settings, config_file
from core.settings.plain import must_be
from core.settings.portfolios import SetPortfolio
from core.settings.pull import Pull
from core.settings.routes import Route

REFUSED_VARIABLES = ("DASH_DEBUG", "DASH_UI", "DASH_MCP_ENABLED", "DASH_HOT_RELOAD")
"""Dash reads these itself and would open debug tools or an unguarded endpoint."""

Path_ = tuple[str, ...]
WATCH, PORTFOLIOS, PULL, RULES = "watch", "portfolios", "pull", "rules"
CHANNELS, ROUTES, CONSUME = "channels", "routes", "consume"
LISTS: Mapping[Path_, type[BaseModel]] = {
    (PORTFOLIOS,): SetPortfolio,
    (PULL,): Pull,
    (CONSUME,): Consume,
    (RULES,): Rule,
    (ROUTES,): Route,
    **{(CHANNELS, kind): model for kind, model in CHANNEL_KINDS.items()},
}
"""Settings that are lists, beside watched sources, and what an item of each is."""


def load_settings() -> Settings:
    """Return the settings of this process.

    Raises SettingsError whose message has one line a problem: name, allowed values, where it was read.
    """
    file = config_file()
    in_file = _read_file(file)
    problems = [*_refused(), *_unknown_in_environment(), *_broken_lists(), *_unknown_in_file(in_file, file)]
    if problems:
        raise SettingsError("\n".join(problems))
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(error, in_file, file))) from error


def leaves(model: type[BaseModel] = Settings, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Yield every setting as (path, field), groups opened."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from leaves(field.annotation, (*path, name))
        else:
            yield (*path, name), field


def variable(path: Path_) -> str:
    """Return the environment variable of the setting at `path`."""
    return PREFIX + "__".join(path).upper()


@cache
def _schema() -> dict[str, Any]:
    return Settings.model_json_schema()


def allowed(path: Path_) -> str:
    """Return in words what the setting at `path` may be."""
    schema = _schema()
    node: Mapping[str, Any] = schema
    for name in path:
        node = node.get("properties", {}).get(name, {})
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node
    return in_words(node, schema["$defs"])


def in_words(node: Mapping[str, Any], groups: Mapping[str, Any]) -> str:
    """Return in words what a value may be whose JSON schema is `node`; groups: the schemas of groups by name."""
    if "anyOf" in node:
        return " or ".join(in_words(each, groups) for each in node["anyOf"])
    if "enum" in node:
        return "one of " + ", ".join(str(value) for value in node["enum"])
    kind = {
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "object": "a group",
        "null": "left out",
    }.get(str(node.get("type")), "text")
    if node.get("type") == "array":
        return "a list of " + _items(node["items"], groups)
    return kind + _bounds(node) + (f" matching {node['pattern']}" if "pattern" in node else "")


def _items(node: Mapping[str, Any], groups: Mapping[str, Any]) -> str:
    if "$ref" not in node:
        return "texts" if node.get("type") == "string" else in_words(node, groups)
    of = groups[node["$ref"].rsplit("/", 1)[1]]
    return ", ".join(of["properties"]) if "properties" in of else in_words(of, groups)


def _bounds(node: Mapping[str, Any]) -> str:
    low = (
        f"≥ {node['minimum']:g}"
        if "minimum" in node
        else f"> {node['exclusiveMinimum']:g}"
        if "exclusiveMinimum" in node
        else ""
    )
    high = f"≤ {node['maximum']:g}" if "maximum" in node else ""
    text = " and ".join(part for part in (low, high) if part)
    return f" {text}" if text else ""


def _read_file(file: Path) -> dict[str, Any]:
    if not file.exists():
        if os.environ.get(CONFIG_VARIABLE):
            raise SettingsError(f"{CONFIG_VARIABLE}={file} (environment): there is no such file")
        return {}
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SettingsError(f"{file}{place}: cannot be read as YAML: {error.problem or error.context}") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        # ValueError: a day that there is not, or bytes that are no text.
        reason = " ".join(str(error).split())
        raise SettingsError(f"{file}: cannot be read as YAML: {reason}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingsError(f"{file}: must hold `name: value` lines, see fundwatch.example.yaml")
    return content


def _refused() -> list[str]:
    return [
        f"{name} (environment): must be unset: it opens Dash's debug tools to everyone"
        for name in REFUSED_VARIABLES
        if os.environ.get(name)
    ]


def _unknown_in_environment() -> list[str]:
    known = {variable(path) for path, _ in leaves()} | {CONFIG_VARIABLE}
    unknown = [name for name in sorted(os.environ) if name.startswith(PREFIX) and name not in known]
    kinds = variable((WATCH, ""))
    return [
        _no_kind(name, name.removeprefix(kinds).lower(), "environment")
        if name.startswith(kinds)
        else f"{name} (environment): unknown setting{_nearest(name, known)}"
        for name in unknown
    ]


def _broken_lists() -> list[str]:
    """Return what is wrong with the lists in the environment, which are JSON; they may hold passwords."""
    problems = []
    for name in (*(variable((WATCH, kind)) for kind in KINDS), *map(variable, LISTS)):
        try:
            json.loads(os.environ.get(name, "[]"))
        except json.JSONDecodeError as error:
            problems.append(f"{name} (environment): must be a list as JSON: {error.msg} at character {error.pos}")
    return problems


def _unknown_in_file(content: Mapping[str, Any], file: Path) -> list[str]:
    known = {path for path, _ in leaves()}
    groups = {path[:1] for path in known if len(path) > 1}
    problems = []
    for path in _paths(content, groups):
        if len(path) == 2 and path[0] == WATCH and path not in known:
            problems.append(_no_kind(".".join(path), path[1], str(file)))
        elif path not in known and path not in groups:
            near = _nearest(".".join(path), {".".join(each) for each in known | groups})
            problems.append(f"{'.'.join(path)} ({file}): unknown setting{near}")
    return problems


def _paths(content: Mapping[str, Any], groups: set[Path_]) -> Iterator[Path_]:
    for name, value in content.items():
        path = (str(name),)
        if path in groups and isinstance(value, Mapping):
            yield from ((*path, str(inner)) for inner in value)
        else:
            yield path


def _nearest(name: str, known: set[str]) -> str:
    match = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f"; did you mean {match[0]}?" if match else "; fundwatch.example.yaml lists all"


def _explain(error: ValidationError, in_file: Mapping[str, Any], file: Path) -> Iterator[str]:
    for problem in error.errors():
        path = tuple(str(part) for part in problem["loc"] if isinstance(part, str))
        reason = problem["msg"].removeprefix("Value error, ")
        if path[:1] == (WATCH,):
            yield _explain_source(problem, reason, _where(path[:2], in_file, file)[1], in_file)
            continue
        of = next((each for each in LISTS if path[: len(each)] == each), None)
        if of and len(problem["loc"]) > len(of):
            origin = _where(of, in_file, file)[1]
            line = line_of(file, problem["loc"]) if origin == str(file) else None
            yield _explain_item(problem, reason, f"{origin}, line {line}" if line else origin, of)
            continue
        if not path:
            yield reason
            continue
        where = _where(path, in_file, file)
        value = problem.get("input")
        shown = f"={value!r}" if isinstance(value, str | int | float | bool) and "url" not in path[-1] else ""
        detail = reason if problem["type"] == "value_error" else f"must be {allowed(path)}"
        yield f"{where[0]}{shown} ({where[1]}): {detail}"


def _explain_source(problem: ErrorDetails, reason: str, origin: str, in_file: Mapping[str, Any]) -> str:
    """Return what is wrong with a watched source; of what was given its name alone is repeated: no password."""
    place, fault = problem["loc"], problem["type"]
    if len(place) == 1:
        return f"{reason} ({origin})"
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")
    fields = KINDS[str(place[1])].source.model_fields if len(place) > 1 and place[1] in KINDS else {}
    if fault == "extra_forbidden" and len(place) == 2:
        return _no_kind(path, str(place[1]), origin)
    if fault == "extra_forbidden":
        told = "unknown setting" + _nearest(str(place[-1]), set(fields))
    elif fault == "missing":
        told = f"is missing: {fields[str(place[-1])].description}"
    elif len(place) == 2:
        told = f"must be {allowed(tuple(map(str, place)))}"
    else:
        told = must_be(problem)
    name = _source_name(place, in_file)
    return f"{path}{f' of {name}' if name else ''} ({origin}): {told[0].lower()}{told[1:]}"


def _source_name(place: tuple[int | str, ...], in_file: Mapping[str, Any]) -> str:
    """Return what the source is called that a mistake is in; empty for one without a name."""
    if len(place) < 3 or not isinstance(place[2], int):
        return ""
    kind = str(place[1])
    given = os.environ.get(variable((WATCH, kind)))
    try:
        items = json.loads(given) if given else in_file[WATCH][kind]
        name = items[place[2]]["name"]
    except (KeyError, IndexError, TypeError):
        return ""
    return name if isinstance(name, str) and re.fullmatch(NAME_PATTERN, name) else ""


def _no_kind(name: str, kind: str, origin: str) -> str:
    return f"{name} ({origin}): there is no kind {kind} of source; there are {', '.join(KINDS)}"


def _explain_item(problem: ErrorDetails, reason: str, origin: str, of: Path_) -> str:
    """Return what is wrong with an item of a list; of lists with secrets, such as pulls, nothing is repeated."""
    place = problem["loc"]
    fields = {field.alias or name: field for name, field in LISTS[of].model_fields.items()}
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")
    value = problem.get("input")
    may_repeat = of in ((PORTFOLIOS,), (ROUTES,), (RULES,)) and isinstance(value, str | int | float | bool)
    shown = f"={value!r}" if may_repeat else ""
    is_within = len(place) > len(of) + 1
    if problem["type"] == "extra_forbidden":
        return f"{path} ({origin}): unknown setting{_nearest(str(place[-1]), set(fields))}"
    if problem["type"] == "missing":
        field = fields.get(str(place[-1])) if len(place) == len(of) + 2 else None
        return f"{path} ({origin}): is missing{f': {field.description}' if field else ''}"
    if problem["type"] == "value_error":
        return f"{path}{shown} ({origin}): {reason}"
    if is_within and of != (PORTFOLIOS,):
        return f"{path}{shown} ({origin}): {must_be(problem)}"
    what = "a text" if is_within else f"a list of {', '.join(fields)}"
    return f"{path}{shown} ({origin}): must be {what}"


def _where(path: Path_, in_file: Mapping[str, Any], file: Path) -> tuple[str, str]:
    if variable(path) in os.environ:
        return variable(path), "environment"
    in_group = [name for name in os.environ if name.startswith(variable(path) + "__")]
    if in_group:
        return variable(path) + "__…", "environment"
    return ".".join(path), str(file) if path[0] in in_file else "default"
