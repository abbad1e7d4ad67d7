"""A column that is checked whole says of each cell what is said of a batch that has this cell alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import RowsRefused
from core.ingest.columns import Column
from core.ingest.kinds import KINDS
from portfolio.ingest.cells import typed
from portfolio.ingest.faults import Faults
from portfolio.ingest.labels import label_column
from portfolio.ingest.raw import Cells

NOW = 1_705_000_000.0
TEXTS = st.sampled_from([
    "", " ", "a", " buy ", "SELL", "hold", "EUR", "eur", "XXX", "12", "-1", "1e400", "nan", "1,5", "0", "x" * 70,
    "a\tb", "2026-01-05", "2026-01-05T10:00:00", "2026-01-05T10:00:00Z", "2026-01-05 10:00:00.123456+02:00",
    "1969-01-01", "2999-01-01", '{"a":"b"}', '{"a":1}', "{", "[]",
])  # fmt: skip
NUMBERS = st.sampled_from([0, 1, -1, 2.5, -0.0, 1e16, -1e16, 1_700_000_000, 1_700_000_000.1234567, 1e12, 2**70, 1e300])
LABELS = st.dictionaries(
    st.sampled_from(["a", "b", "0", "x y"]), st.sampled_from(["", "1", "u\n", 1, True, None, ["c"]])
)
Said = tuple[Any, list[tuple[str, ...]]]
"""What a cell is in its type, and what is told of it."""
CELLS: dict[str, st.SearchStrategy[list[Any]]] = {
    "of all sorts": st.lists(st.none() | st.booleans() | TEXTS | NUMBERS | LABELS | st.just(["x"]), min_size=1),
    "texts": st.lists(st.none() | TEXTS, min_size=1),
    "numbers": st.lists(st.none() | NUMBERS, min_size=1),
    "objects": st.lists(st.none() | LABELS, min_size=1),
}
COLUMNS = {
    f"{kind}.{column.name}": column
    for kind in ("trades", "samples", "fx", "transactions")
    for column in KINDS[kind].columns
}


def said(column: Column, cells: Cells) -> list[Said]:
    """Return of each cell what it is in its type, and what is told of it; a number that is none is no number."""
    faults = Faults()
    found = typed(column, cells, faults, NOW).to_pylist()
    told: list[list[tuple[str, ...]]] = [[] for _ in found]
    try:
        faults.check()
    except RowsRefused as error:
        for each in error.faults:
            told[each.row - 1].append((each.value, each.field, each.reason, each.fix))
    # Of a cell that is refused nobody asks what it is.
    return [(None if wrong else repr(cell), wrong) for cell, wrong in zip(found, told, strict=True)]


@pytest.mark.parametrize("sort", CELLS)
@given(st.data())
@settings(deadline=None, max_examples=60)
def test_objects_of_json(sort: str, data: st.DataObject) -> None:
    column = COLUMNS[data.draw(st.sampled_from([*COLUMNS]))]
    cells = data.draw(CELLS[sort])[:50]
    assert said(column, cells) == [said(column, [cell])[0] for cell in cells]


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_columns_of_arrow(data: st.DataObject) -> None:
    column = COLUMNS[data.draw(st.sampled_from([*COLUMNS]))]
    texts = data.draw(CELLS["texts"])[:50]
    plain = pa.array(texts, pa.string())
    wanted = [said(column, plain[at : at + 1])[0] for at in range(len(plain))]
    assert said(column, plain.cast(pa.large_string())) == wanted
    # A text that many cells share is looked at before any of them has it, so its length is told before what it is.
    coded = said(column, plain.dictionary_encode())
    assert [(cell, bool(wrong)) for cell, wrong in coded] == [(cell, bool(wrong)) for cell, wrong in wanted]
    assert said(column, pa.array([None, *texts], pa.string())[1:]) == wanted


SETS = st.lists(st.none() | st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1, max_size=40)


@given(SETS)
@settings(deadline=None)
def test_labels_are_the_same_however_they_are_written(sets: list[dict[str, str] | None]) -> None:
    wanted = [tuple(sorted((each or {}).items())) for each in sets]
    maps = pa.array([None if each is None else [*each.items()] for each in sets], pa.map_(pa.string(), pa.string()))
    texts = pa.array([None if each is None else orjson.dumps(each).decode() for each in sets], pa.string())
    for cells in (sets, maps, texts, texts.dictionary_encode()):
        for begin in (0, len(sets) // 2):
            found = label_column(cells[begin:])
            assert found is not None and not found.wrong
            assert found.to_pylist() == wanted[begin:]
    whole = [{name: (each or {}).get(name, "") for name in "abc"} for each in sets]
    structs = label_column(pa.array(whole)[len(sets) // 2 :])
    assert structs is not None
    assert structs.to_pylist() == [tuple(each.items()) for each in whole[len(sets) // 2 :]]


def test_what_many_rows_say_is_looked_at_once() -> None:
    found = label_column([{"n": str(at % 3)} for at in range(900)])
    assert found is not None and len(found.values) == 3
    assert np.bincount(found.codes).tolist() == [300, 300, 300]
