"""Labels of samples: few series send many samples, so each set of labels is looked at once, not in every row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from core.model import Labels
from portfolio.ingest.raw import Cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_LABELS = 30
LABEL_CHARACTERS = 1_000
NO_OBJECT = "is no object of texts"
BETWEEN_OBJECTS = b"},{"
"""In JSON without white space. Objects of a list have it between each two of them, and seldom within."""
AS_SENT = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS
"""What is no JSON is not made a text, which would look like another one's."""
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """Labels of rows: `values[codes[row]]`, as sorted pairs."""

    codes: NDArray[np.int64]
    values: Sequence[Labels]
    wrong: Mapping[int, tuple[Any, str]] = field(default_factory=dict)
    """What was sent, and why it is none, by code; its value is no label."""

    def __len__(self) -> int:
        return len(self.codes)

    def to_pylist(self) -> list[Labels]:
        """Return the labels of each row."""
        return [self.values[code] for code in self.codes.tolist()]


def no_labels(rows: int) -> LabelColumn:
    """Return the column of rows that have none."""
    return LabelColumn(np.zeros(rows, dtype=np.int64), [()])


def label_column(cells: Cells) -> LabelColumn | None:
    """Return a column of labels; None: it is of a type that has none, or could make much of little."""
    found = _coded_objects(cells) if isinstance(cells, list) else _coded(cells)
    if found is None:
        return None
    codes, sent = found
    values: list[Labels] = []
    wrong: dict[int, tuple[Any, str]] = {}
    for code, cell in enumerate(sent):
        try:
            values.append(_pairs(cell))
        except ValueError as error:
            values.append(())
            wrong[code] = cell, str(error)
    return LabelColumn(codes, values, wrong)


def is_text(kind: Any) -> bool:
    """Return whether a type is one of texts."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _coded_objects(cells: list[Any]) -> tuple[NDArray[np.int64], Sequence[Any]]:
    """Return which of few cells each cell is, and these. Those that are no plain objects are none alike."""
    every = np.arange(len(cells)), cells
    sorts = set(map(type, cells))
    if not sorts <= {dict, type(None)}:
        return every
    if type(None) in sorts:
        cells = [each or {} for each in cells]  # which has no labels either
    try:
        texts = orjson.dumps(cells, option=AS_SENT)[2:-2].split(BETWEEN_OBJECTS)
    except TypeError:  # of a type that JSON has not
        return every
    if len(texts) != len(cells):  # an object within one of them, or a text that looks like where one ends
        return every
    found = pa.array(texts, pa.binary()).dictionary_encode()
    codes = found.indices.to_numpy().astype(np.int64)
    first = np.zeros(len(found.dictionary), dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return codes, [cells[at] for at in first.tolist()]


def _coded(cells: pa.Array) -> tuple[NDArray[np.int64], Sequence[Any]] | None:
    kind = cells.type
    if is_text(kind) or pa.types.is_null(kind):
        cells = cells.cast(pa.string()).dictionary_encode()
        kind = cells.type
    if pa.types.is_dictionary(kind) and is_text(kind.value_type):
        values = [*cells.dictionary.to_pylist(), None]
        return pc.fill_null(cells.indices.cast(pa.int64()), len(values) - 1).to_numpy(), values
    if pa.types.is_map(kind) and is_text(kind.key_type) and is_text(kind.item_type):
        return _coded_maps(cells)
    if pa.types.is_struct(kind) and kind.num_fields <= MOST_LABELS and all(is_text(each.type) for each in kind):
        fields = [_codes(each) for each in cells.flatten()]
        numbers = np.stack([_codes(pc.is_valid(cells)), *fields], axis=1)
        first, codes = _alike(numbers)
        return codes, cells.take(pa.array(first)).to_pylist()
    return None


def _coded_maps(cells: pa.Array) -> tuple[NDArray[np.int64], Sequence[Any]]:
    ends = cells.offsets.to_numpy()
    # Keys and items are those of the whole array, also where this is a part of it.
    names, items = (_codes(each[ends[0] : ends[-1]]) for each in (cells.keys, cells.items))
    begins, sizes = ends[:-1] - ends[0], np.diff(ends)
    sizes[pc.is_null(cells).to_numpy(zero_copy_only=False)] = -1
    codes = np.zeros(len(cells), dtype=np.int64)
    sent: list[Any] = []
    for size in np.unique(sizes).tolist():
        at = np.flatnonzero(sizes == size)
        pairs = begins[at, None] + np.arange(max(size, 0))
        first, of = _alike(np.concatenate([names[pairs], items[pairs]], axis=1))
        codes[at] = len(sent) + of
        sent += [None if each is None else tuple(each) for each in cells.take(pa.array(at[first])).to_pylist()]
    return codes, sent


def _codes(column: pa.Array) -> NDArray[np.int64]:
    """Return a number of each value, the same for the same; -1 of none."""
    codes: NDArray[np.int64] = pc.fill_null(column.dictionary_encode().indices.cast(pa.int64()), -1).to_numpy()
    return codes


def _alike(numbers: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return the first row of each sort of rows, and of which sort each row is."""
    if not numbers.shape[1]:
        return np.zeros(1, dtype=np.intp), np.zeros(len(numbers), dtype=np.int64)
    rows = np.ascontiguousarray(numbers).view(np.dtype((np.void, numbers.dtype.itemsize * numbers.shape[1]))).ravel()
    _, first, of = np.unique(rows, return_index=True, return_inverse=True)
    return first, of


def _pairs(cell: Any) -> Labels:
    """Return the labels of a cell, sorted. Raises ValueError that says why it has none."""
    if cell is None:
        return ()
    if not isinstance(cell, dict | str | tuple):
        raise ValueError(NO_OBJECT)
    if isinstance(cell, str):
        try:
            cell = orjson.loads(cell)
        except orjson.JSONDecodeError as error:
            raise ValueError("is no JSON") from error
        if not isinstance(cell, dict):
            raise ValueError("is no object")
    elif isinstance(cell, dict) and any(isinstance(each, list | dict) for each in cell.values()):
        raise ValueError(NO_OBJECT)
    pairs = dict(cell)
    if len(pairs) < len(cell):
        raise ValueError("has a label twice")
    if len(pairs) > MOST_LABELS:
        raise ValueError(f"has more than {MOST_LABELS} labels")
    for name, value in pairs.items():
        if not isinstance(name, str) or not _LABEL.fullmatch(name):
            raise ValueError("has a name that is none (letters, digits and _)")
        if not isinstance(value, str) or len(value) > LABEL_CHARACTERS or not value.isprintable():
            raise ValueError(f"has a value that is no text of {LABEL_CHARACTERS} printable characters at most")
    return tuple(sorted(pairs.items()))
