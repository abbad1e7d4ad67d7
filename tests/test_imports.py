"""No module is imported by what it imports, annotations included; nothing imports the composition root."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES: list[str] = SETTINGS["tool"]["importlinter"]["root_packages"]


def circular(imports: dict[str, set[str]]) -> list[str]:
    """Return the modules of circles and what lies between two of them: what is left without roots and leaves."""
    left = imports
    while True:
        imported = {other for found in left.values() for other in found}
        inside = {module: found & left.keys() for module, found in left.items() if module in imported}
        inside = {module: found for module, found in inside.items() if found}
        if inside == left:
            return sorted(left)
        left = inside


def test_modules_import_in_one_direction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    assert circular(imports) == []


def test_a_circle_is_found() -> None:
    assert circular({"a": {"b"}, "b": {"c", "d"}, "c": {"b"}, "d": set()}) == ["b", "c"]


def test_nothing_imports_the_composition_root() -> None:
    imports = re.compile(r"^\s*(?:from app import|import app\b)", re.MULTILINE)
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            assert not imports.search(file.read_text()), file


def test_librdkafka_is_loaded_by_a_process_of_its_own_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    graph = grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)
    apart = {f"collectors.kinds.kafka.{name}" for name in ("librdkafka", "consumer")}
    assert graph.find_modules_that_directly_import("confluent_kafka") == apart
    assert not any(graph.find_modules_that_directly_import(name) for name in apart)
