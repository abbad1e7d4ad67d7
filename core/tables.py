"""The small tables of a reading as rows of a data class each: what a collector builds is what a page reads.

The data class names the table and its columns, once for both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar, Protocol, TypeVar

from core.model import Table


class Row(Protocol):
    """A data class whose fields are the columns of the table TABLE."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    TABLE: ClassVar[str]


R = TypeVar("R", bound=Row)


@cache
def columns_of(row: type[Row]) -> tuple[str, ...]:
    """Return the names of the columns of a row's class, in their order."""
    return tuple(field.name for field in fields(row))


def table_of(row: type[R], rows: Iterable[R]) -> Table:
    """Return the table that holds `rows`."""
    return Table(row.TABLE, columns_of(row), tuple(map(_values(row), rows)))


def rows_of(tables: Mapping[str, Table], row: type[R]) -> list[R]:
    """Return the rows of a reading's table; none when it has no such table.

    A reading that another version of Fundwatch wrote may have other columns: it tells nothing then, until the next.
    """
    found = tables.get(row.TABLE)
    if found is None or found.columns != columns_of(row):
        return []
    return [row(*values) for values in found.rows]


@cache
def _values(row: type[Row]) -> Callable[[Any], tuple[Any, ...]]:
    names = columns_of(row)
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda each: (get(each),)
