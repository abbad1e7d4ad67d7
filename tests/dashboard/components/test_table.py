"""Tables as a screen reader meets them: every heading has a name, and what cannot be sorted by is no button."""

from __future__ import annotations

import re

import pytest

from core.kinds.registry import KINDS
from dashboard.components.markup import markup
from dashboard.components.table import Cell, Column, data_table
from dashboard.sources.section import sections_of
from dashboard.sources.table import ACTIONS, Rows

TABS = sorted({kind.tab for kind in KINDS.values()})


def test_a_column_of_buttons_has_a_name_that_is_read_out_and_does_not_sort() -> None:
    columns = [Column("name", "Name", numeric=False), Column("kill", "", numeric=False, plain="Actions")]
    drawn = markup(data_table("rows", columns, [{"name": "a", "kill": Cell("x")}]))
    headings = re.findall(r"<th.*?</th>", drawn)
    assert 'data-sort-key="name"' in headings[0]
    assert "<button" not in headings[1] and ">Actions<" in headings[1]


@pytest.mark.parametrize("tab", TABS)
def test_every_column_of_a_watched_source_has_a_name(tab: str) -> None:
    for section in sections_of(tab):
        for table in section.tables:
            if isinstance(table.content, Rows):
                for field in table.content.fields:
                    name = field.title or (ACTIONS if field.button else field.definition)
                    assert name, f"{section.kind}, {table.title}: column {field.key} has no name"


def test_no_cent_is_lost_between_a_table_and_its_file() -> None:
    amounts = (-11_636.43, 99_999.99, 1_234_567.89, 98_765_432.1, 0.1 + 0.2, 0.0034567891)
    drawn = markup(data_table("rows", [Column("sum", "Sum")], [{"sum": Cell("x", each)} for each in amounts]))
    carried = [float(each) for each in re.findall(r'data-sort="([^"]+)"', drawn)]
    assert carried == pytest.approx(amounts, rel=1e-9), "the file takes what a cell sorts by"
