"""Texts that many cells share, in dictionaries or views of Arrow: looked at before each cell gets its own."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.format import count
from core.ingest.columns import Column
from portfolio.ingest.filling import Filling, mask_of
from portfolio.ingest.labels import is_text


def plain(cells: pa.Array, filling: Filling) -> pa.Array:
    """Return a column without dictionaries, its text in one type.

    A text that many cells share is checked before each of them gets its own: one that is too long is noted, and null.
    """
    if pa.types.is_dictionary(cells.type):
        return _decoded(cells, filling)
    if pa.types.is_string_view(cells.type):
        long = _long_views(cells, filling.column)
        if not long.any():
            return cells.cast(pa.string())
        _tell_long(np.flatnonzero(long), filling)
        return _without(cells, long)
    if pa.types.is_large_string(cells.type) or pa.types.is_null(cells.type):
        return cells.cast(pa.string())
    return cells


def _decoded(cells: pa.DictionaryArray, filling: Filling) -> pa.Array:
    values, column = cells.dictionary, filling.column
    is_view = pa.types.is_string_view(values.type)
    if not is_view and not is_text(values.type):
        return cells.dictionary_decode() if pa.types.is_primitive(values.type) else cells
    if is_view:
        long = _long_views(values, column)
        trimmed = pc.utf8_trim_whitespace(_without(values, long))
    else:
        trimmed = pc.utf8_trim_whitespace(values.cast(pa.string()))
        long = np.zeros(len(values), dtype=bool)
    blank = pc.and_(pc.equal(trimmed, ""), pc.not_equal(values.cast(pa.string()), ""))
    trimmed = pc.if_else(pc.fill_null(blank, False), " ", trimmed)  # it was sent, and says nothing
    long |= mask_of(pc.fill_null(pc.greater(pc.utf8_length(trimmed), column.most_characters), False))
    if long.any():
        indices = pc.fill_null(cells.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
        _tell_long(np.flatnonzero(np.append(long, False)[indices]), filling)
        # A null in the place of a long text keeps its bytes, and decoding makes room for them in every row.
        short = np.append(np.where(long, -1, np.cumsum(~long) - 1), -1)[indices]
        trimmed = trimmed.take(pa.array(np.flatnonzero(~long)))
        return pa.DictionaryArray.from_arrays(pa.array(short, mask=short < 0), trimmed).dictionary_decode()
    return pa.DictionaryArray.from_arrays(cells.indices, trimmed).dictionary_decode()


def _long_views(views: pa.Array, column: Column) -> Any:
    """Return which texts of a string_view column are too long, white space and all.

    (Arrow columnar format, variable-size binary view: 16 bytes each, which begin with the length in bytes as int32.)
    """
    if not len(views):
        return np.zeros(0, dtype=bool)
    lengths = np.frombuffer(views.buffers()[1], dtype=np.int32)[4 * views.offset :: 4][: len(views)]
    return (lengths > 4 * column.most_characters) & mask_of(pc.is_valid(views))


def _without(views: pa.Array, long: Any) -> pa.Array:
    """Return texts, null where one is too long: even to look at such a one makes it anew."""
    return pa.array([None if is_long else views[at].as_py() for at, is_long in enumerate(long.tolist())], pa.string())


def _tell_long(places: Any, filling: Filling) -> None:
    filling.tell(
        places, lambda at: "", f"has more than {count(filling.column.most_characters, 'character')}", "shorten it"
    )


def places_of(codes: pa.DictionaryArray) -> list[Any]:
    """Return of each value of a dictionary the places where it stands."""
    indices = pc.fill_null(codes.indices, -1).to_numpy(zero_copy_only=False)
    order = np.argsort(indices, kind="stable")
    bounds = np.searchsorted(indices[order], np.arange(len(codes.dictionary) + 1))
    return [order[first:last] for first, last in pairwise(bounds)]
