"""What collectors and pages share is named once: no metric by its text, nothing on a page that no collector makes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields
from enum import Enum
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from core.catalogue import as_markdown, catalogue
from core.kinds.registry import KINDS
from core.kinds.service import ServiceSource
from core.kinds.service_spec import failed_tries, response_seconds
from core.metrics import Metric
from dashboard.sources.facts import Facts
from dashboard.sources.section import Section
from dashboard.sources.table import Rows

ROOT = Path(__file__).parents[1]
SHARED = {"collectors": ("collectors/kinds/service.py",), "dashboard": ()}
"""Files that serve all services, whatever their kind."""


def section_of(kind: str) -> Section:
    found: Section = import_module(f"dashboard.kinds.{kind}.section").SECTION
    return found


def files_of(wing: str, kind: str) -> list[Path]:
    return [*(ROOT / wing / "kinds" / kind).glob("*.py"), *(ROOT / file for file in SHARED[wing])]


@cache
def used(wing: str, kind: str) -> frozenset[Any]:
    """Return what the files of a kind take from its spec: metrics, row classes, members of enumerations."""
    return frozenset(each for file in files_of(wing, kind) for each in taken(file))


def taken(file: Path) -> Iterator[Any]:
    tree = ast.parse(file.read_text())
    names: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("core."):
            module = import_module(node.module or "")
            for alias in node.names:
                is_member = hasattr(module, alias.name)
                value = getattr(module, alias.name) if is_member else import_module(f"{node.module}.{alias.name}")
                names[alias.asname or alias.name] = value
    for node in ast.walk(tree):
        yield from flat(resolved(node, names))


def resolved(node: ast.AST, names: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = resolved(node.value, names)
        is_namespace = isinstance(owner, ModuleType) or (isinstance(owner, type) and issubclass(owner, Enum))
        return getattr(owner, node.attr, None) if is_namespace else None
    return None


def flat(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        for each in value:
            yield from flat(each)
    elif isinstance(value, (Metric, Enum, type)):
        yield value


@pytest.mark.parametrize("kind", KINDS)
def test_every_metric_of_a_chart_is_one_that_its_collector_writes(kind: str) -> None:
    section = section_of(kind)
    shown = {metric for chart in section.charts for metric in chart.metrics} | set(section.metrics)
    written = {each for each in used("collectors", kind) if isinstance(each, Metric)} | written_of_services(kind)
    assert shown <= written, f"no collector of {kind} writes {', '.join(sorted(shown - written))}"


def written_of_services(kind: str) -> set[Metric]:
    """Return what collectors/kinds/service.py writes of every service, by metrics made with the name of its kind."""
    return {response_seconds(kind), failed_tries(kind)} if issubclass(KINDS[kind].source, ServiceSource) else set()


@pytest.mark.parametrize("kind", KINDS)
def test_every_table_of_a_section_is_one_of_its_collector_and_has_its_columns(kind: str) -> None:
    for table in section_of(kind).tables:
        content = table.content
        if not isinstance(content, (Rows, Facts)):
            continue
        assert content.row in used("collectors", kind) or content.row.TABLE == "checks", f"{kind}: {content.row}"
        columns = {field.name for field in fields(content.row)} | set(dir(content.row))
        keys = (
            {field.key for field in content.fields if field.value is None and field.button is None}
            if isinstance(content, Rows)
            else {fact.key for fact in content.facts}
        )
        assert keys <= columns, f"{kind}, {table.id}: {keys - columns}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_check_of_a_card_is_one_that_is_judged(kind: str) -> None:
    shown, judged = (
        {each for each in used(wing, kind) if isinstance(each, Enum) and type(each).__name__ == "Checks"}
        for wing in ("dashboard", "collectors")
    )
    assert shown <= judged, f"nothing judges {', '.join(sorted(each.value for each in shown - judged))} of {kind}"


@pytest.mark.parametrize("package", ["collectors", "dashboard", "storage", "status"])
def test_no_metric_is_spelt_by_its_text(package: str) -> None:
    known = catalogue()
    spelt = {
        f"{file.relative_to(ROOT)}:{node.lineno} {node.value}"
        for file in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in known
    }
    assert not spelt, "\n".join(sorted(spelt))


def test_every_metric_says_what_it_is() -> None:
    for metric in catalogue().values():
        assert metric.meaning.endswith("."), metric


def test_the_page_of_metrics_is_what_the_code_says() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text() == as_markdown()
