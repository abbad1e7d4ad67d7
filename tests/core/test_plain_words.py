"""Whatever is wrong with a setting is told in plain words: what it must be, never what a library calls it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.errors import SettingsError
from core.kinds.registry import KINDS
from core.settings.load import load_settings

JARGON = re.compile(
    r"tuple|dict|instance of|input|valid |parse|str\b|should|model|integer|boolean|mapping", re.IGNORECASE
)
WRONG: tuple[Any, ...] = ("wörds", [], {}, {"a": 1}, -1, 1e9, True, 3.5, [[]], "")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def problems(content: Any) -> list[str]:
    Path("fundwatch.yaml").write_text(yaml.safe_dump(content, allow_unicode=True))
    try:
        load_settings()
    except SettingsError as error:
        return str(error).splitlines()
    return []


def test_a_kind_that_does_not_exist_lists_those_that_do(monkeypatch: pytest.MonkeyPatch) -> None:
    there = ", ".join(KINDS)
    assert problems({"watch": {"mysql": [{"name": "main"}]}}) == [
        f"watch.mysql (fundwatch.yaml): there is no kind mysql of source; there are {there}"
    ]
    monkeypatch.setenv("FUNDWATCH_WATCH__MYSQL", "[]")
    assert problems({}) == [
        f"FUNDWATCH_WATCH__MYSQL (environment): there is no kind mysql of source; there are {there}"
    ]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            {"name": "a", "broker": "redis://k:6379/0", "queues": "prices"},
            "watch.celery[0].queues of a (fundwatch.yaml): must be a list",
        ),
        (
            {"name": "a b", "bootstrap": "k:9092"},
            "watch.kafka[0].name (fundwatch.yaml): must be 1 to 64 letters, digits, _",
        ),
        (
            {"name": "a", "bootstrap": "k:9092", "interval_seconds": "often"},
            "watch.kafka[0].interval_seconds of a (fundwatch.yaml): must be a number",
        ),
        ("main", "watch.kafka[0] (fundwatch.yaml): must be a group of `name: value`"),
    ],
)
def test_what_a_value_must_be_is_said_in_plain_words(source: Any, told: str) -> None:
    kind = told.removeprefix("watch.").partition("[")[0]
    assert any(line.startswith(told) for line in problems({"watch": {kind: [source]}})), told


@pytest.mark.parametrize("kind", list(KINDS))
def test_no_setting_of_any_source_is_refused_in_the_words_of_a_library(kind: str) -> None:
    names = {
        field: KINDS[kind].source.model_fields[field].description or "" for field in KINDS[kind].source.model_fields
    }
    for field, description in names.items():
        for wrong in WRONG:
            for line in problems({"watch": {kind: [{"name": "main", field: wrong}]}}):
                told = line.split("): ", 1)[1] if "): " in line else line
                assert not JARGON.search(told.replace(description, "").replace(field, "")), line
