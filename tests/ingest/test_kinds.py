"""The kinds of rows: what the models say is what the documents, the tables and the checks say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from core.ingest.kinds import KINDS
from core.ingest.text import written_anew
from portfolio.ingest.batch import TABLES
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reported_tables import REPORTED
from tests.ingest.test_door import ONE_OF_EACH

DOCS = Path(__file__).parents[2] / "docs"


def test_the_tables_of_your_data_are_current() -> None:
    text = (DOCS / "your-data.md").read_text(encoding="utf-8")
    assert written_anew(text) == text, "run make texts"


def test_the_example_of_your_data_is_a_row_as_the_model_has_it() -> None:
    text = (DOCS / "your-data.md").read_text(encoding="utf-8")
    sent = re.search(r"-d '(\[.*?\])'", text, re.S)
    assert sent is not None
    for row in json.loads(sent[1]):
        KINDS["trades"].model.model_validate(row)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_that_is_taken_is_one_of_its_model(kind: str) -> None:
    KINDS[kind].model.model_validate(ONE_OF_EACH[kind])


def test_every_column_of_a_kind_has_a_place_in_its_table(clickhouse: ClickHouse) -> None:
    sql = "SELECT table, name FROM system.columns WHERE database = currentDatabase()"
    there = set(clickhouse.rows(sql))
    for of in REPORTED.values():
        assert {(of.table, name) for name in of.columns} <= there
    kept_elsewhere = {("nav", "currency"), ("prices", "currency"), ("fx", "base"), ("fx", "quote"), ("fx", "rate")}
    for kind in KINDS.values():
        table = TABLES.get(kind.name, kind.name)
        if table in REPORTED:
            lacking = {(kind.name, each.name) for each in kind.columns if (table, each.name) not in there}
            assert lacking <= kept_elsewhere


def test_make_texts_writes_the_page() -> None:
    makefile = (DOCS.parent / "Makefile").read_text(encoding="utf-8")
    assert "core.ingest.text docs/your-data.md" in makefile
