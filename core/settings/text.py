"""The settings as text: the table of docs/settings.md and the example file, so that neither can drift from the code."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from core.alerts.rule import EXAMPLE as RULE_EXAMPLE
from core.group import Group
from core.kinds.registry import KINDS
from core.settings.channels import KINDS as CHANNEL_KINDS
from core.settings.consume import EXAMPLE as CONSUME_EXAMPLE
from core.settings.consume import Consume
from core.settings.limits import EXAMPLE as LIMITS_EXAMPLE
from core.settings.load import (
    CHANNELS,
    CONSUME,
    PORTFOLIOS,
    PULL,
    ROUTES,
    RULES,
    WATCH,
    allowed,
    in_words,
    leaves,
    variable,
)
from core.settings.model import Settings
from core.settings.portfolios import EXAMPLE
from core.settings.pull import EXAMPLE as PULL_EXAMPLE
from core.settings.pull import Pull
from core.settings.readiness import EXAMPLE as READINESS_EXAMPLE
from core.settings.routes import EXAMPLE as ROUTES_EXAMPLE
from core.settings.routes import Route

HEAD = """# Settings

The one reference of every key, made by `make texts`. Environment first, then `fundwatch.yaml`, then the default. A
mistake stops the start with a line that names it. In the file a group is a level of its own:
`FUNDWATCH_RETENTION__RAW_DAYS` is `retention: {raw_days: 7}`.

## Taken while Fundwatch runs

The lists under `watch` are read again with **Reload** on the Pipeline tab (role operator) and on `SIGHUP`: to
`python app.py`, to `python -m collectors`, or to the master of gunicorn, which hands it to its workers and starts no
new ones. Sources that were added start, removed ones stop, changed ones start anew; those that did not change go on
undisturbed. Settings with a mistake are refused whole: the log says why once, the Pipeline tab as long as it holds, and
those before stay in force. Everything else needs a restart; what waits for one is told.

`python -m collectors try NAME` reads one source once and prints what was found. Exit code 0: fine; 1: in trouble or
without an answer; 2: no such source, or wrong settings. **Try now** on the card of a source that does not answer has
the running Fundwatch read it at once.

## Of Fundwatch

| variable | default | allowed | unit | meaning |
|---|---|---|---|---|"""

OF_SOURCES = """
## Of watched sources

Each kind is a list under `watch:` in `fundwatch.yaml`, or as JSON in its variable."""

OF_PULLS = f"""
## Of queries whose rows are taken in

A list under `pull:` in `fundwatch.yaml`, or as JSON in `{variable((PULL,))}`: [pull.md](pull.md).

| key | default | allowed | unit | meaning |
|---|---|---|---|---|"""

OF_TOPICS = f"""
## Of topics whose messages are rows

A list under `consume:` in `fundwatch.yaml`, or as JSON in `{variable((CONSUME,))}`: [consume.md](consume.md).

| key | default | allowed | unit | meaning |
|---|---|---|---|---|"""

OF_CHANNELS = """
## Of channels

Each kind is a list under `channels:` in `fundwatch.yaml`, or as JSON in its variable: [channels.md](channels.md)."""

OF_ROUTES = f"""
## Of routes

A list under `routes:` in `fundwatch.yaml`, or as JSON in `{variable((ROUTES,))}`.

| key | default | allowed | unit | meaning |
|---|---|---|---|---|"""

BAR = r"\|"
"""A bar within a table."""
UNITS = {"_seconds": "seconds", "_bytes": "bytes", "_days": "days", "_ratio": "share, 0.85 is 85 %"}
"""Of a setting, by the end of its name."""


def settings_page() -> str:
    """Return every setting as a page: those of Fundwatch in a table, then those of each kind of watched source."""
    lines = [HEAD]
    for path, field in leaves():
        cells = (f"`{variable(path)}`", _default(path, field), allowed(path), _unit(path[-1]), field.description)
        lines.append(_line(cells))
    lines.append(OF_SOURCES)
    for kind in KINDS:
        lines += _of_kind(kind)
    lines += [OF_PULLS, *(_row(Pull, name) for name in Pull.model_fields), "", "```yaml", *PULL_EXAMPLE, "```"]
    lines += [
        OF_TOPICS,
        *(_row(Consume, name) for name in Consume.model_fields),
        "",
        "```yaml",
        *CONSUME_EXAMPLE,
        "```",
    ]
    lines.append(OF_CHANNELS)
    for kind in CHANNEL_KINDS:
        lines += _of_channel(kind)
    lines += [OF_ROUTES, *(_row(Route, name) for name in Route.model_fields), "", "```yaml", *ROUTES_EXAMPLE, "```"]
    return "\n".join(lines) + "\n"


def _of_kind(kind: str) -> list[str]:
    """Return the section of a kind: each key of its sources, and an example."""
    source = KINDS[kind].source
    return [
        "",
        f"### {source.TITLE}: `watch.{kind}`",
        "",
        f"{source.WATCHES} Variable: `{variable((WATCH, kind))}`.",
        "",
        "| key | default | allowed | unit | meaning |",
        "|---|---|---|---|---|",
        *(_row(source, name) for name in source.model_fields),
        "",
        "```yaml",
        *source.EXAMPLE,
        "```",
    ]


def _of_channel(kind: str) -> list[str]:
    """Return the section of a kind of channels: each key, and an example."""
    channel = CHANNEL_KINDS[kind]
    return [
        "",
        f"### {channel.TITLE}: `channels.{kind}`",
        "",
        f"{channel.__doc__} Variable: `{variable((CHANNELS, kind))}`.",
        "",
        "| key | default | allowed | unit | meaning |",
        "|---|---|---|---|---|",
        *(_row(channel, name) for name in channel.model_fields),
        "",
        "```yaml",
        *channel.EXAMPLE,
        "```",
    ]


def _row(source: type[Group], name: str) -> str:
    schema = source.model_json_schema()
    field, node = source.model_fields[name], schema["properties"][name]
    groups = schema.get("$defs", {})
    node = groups[node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node
    default = "needed" if field.is_required() else _shown(field.default)
    return _line((f"`{name}`", default, in_words(node, groups), _unit(name), str(field.description)))


def _line(cells: Sequence[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


def _unit(name: str) -> str:
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), "–")


def _shown(value: Any) -> str:
    value = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple) and value:
        return f"`{', '.join(map(str, value))}`"
    return "empty" if value in ("", None, ()) else f"`{value}`"


def example_yaml() -> str:
    """Return `fundwatch.example.yaml`: every key with its default, commented out, and its meaning."""
    lines = [
        "# Every setting of Fundwatch with its default. Copy to fundwatch.yaml and uncomment what you change.",
        "# An environment variable FUNDWATCH_NAME (groups: FUNDWATCH_GROUP__NAME) wins over this file.",
    ]
    for group, members in groupby(leaves(), key=lambda leaf: leaf[0][0] if len(leaf[0]) > 1 else ""):
        if group:
            lines += ["", f"# {Settings.model_fields[group].description}", f"# {group}:"]
        for path, field in members:
            indent = "  " if group else ""
            if not group:
                lines.append("")
            lines.append(f"# {indent}# {field.description} Allowed: {allowed(path)}.")
            lines += [f"# {indent}# {line}" for line in _example(path)]
            lines.append(f"# {indent}{path[-1]}: {_yaml_value(path, field)}")
    return "\n".join(lines) + "\n"


def _example(path: tuple[str, ...]) -> list[str]:
    """Return lines that show how a list is written; none for any other setting."""
    lists: dict[tuple[str, ...], tuple[str, ...]] = {
        (PORTFOLIOS,): EXAMPLE,
        (PULL,): PULL_EXAMPLE,
        (CONSUME,): CONSUME_EXAMPLE,
        (RULES,): RULE_EXAMPLE,
        (ROUTES,): ROUTES_EXAMPLE,
        ("readiness", "portfolios"): READINESS_EXAMPLE,
        ("limits", "portfolios"): LIMITS_EXAMPLE,
        **{(CHANNELS, kind): model.EXAMPLE for kind, model in CHANNEL_KINDS.items()},
    }
    if path in lists:
        return ["For example:", *lists[path]]
    return ["For example:", *KINDS[path[1]].source.EXAMPLE] if path[0] == WATCH else []


def _value(field: Any) -> Any:
    if field.default is PydanticUndefined:
        return None
    return field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default


def _default(path: tuple[str, ...], field: Any) -> str:
    value = _value(field)
    if path == ("machine",):
        return "this machine's name"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if value not in ("", None, ()) else "empty"


def _yaml_value(path: tuple[str, ...], field: Any) -> str:
    value = _value(field)
    if path == ("machine",):
        return "this-machine"
    if isinstance(value, bool):
        return str(value).lower()
    if value == ():
        return "[]"
    if isinstance(value, str | Path):
        return f'"{value}"'
    return str(value)
