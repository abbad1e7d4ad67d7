"""The settings as text: the table of docs/settings.md and the example file, so that neither can drift from the code."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from core.kinds.registry import KINDS
from core.settings.load import PORTFOLIOS, WATCH, allowed, leaves, variable
from core.settings.model import Settings
from core.settings.portfolios import EXAMPLE

HEAD = """# Settings

Made by `make texts`. Environment first, then `fundwatch.yaml`, then the default.

| variable | default | allowed | meaning |
|---|---|---|---|"""


def settings_page() -> str:
    """Return every setting as a page with a table: variable, default, allowed, meaning."""
    lines = [HEAD]
    for path, field in leaves():
        lines.append(f"| `{variable(path)}` | {_default(path, field)} | {allowed(path)} | {field.description} |")
    return "\n".join(lines) + "\n"


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
    if path == (PORTFOLIOS,):
        return ["For example:", *EXAMPLE]
    return ["For example:", *KINDS[path[1]].source.EXAMPLE] if path[0] == WATCH else []


def _value(field: Any) -> Any:
    return None if field.default is PydanticUndefined else field.default


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
