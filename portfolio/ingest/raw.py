"""Rows as they were sent, by column, before anything of them is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Union

from core.errors import FundwatchError

if TYPE_CHECKING:
    import pyarrow as pa

Cells = Union["pa.Array", list[Any]]
"""One column: an Arrow array, or what JSON gave."""


class TooLarge(FundwatchError):
    """A batch is larger than the settings allow. The message says the limit and what to do."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Rows as they were sent, by column: nothing of them is checked. A column that was not sent is not there."""

    rows: int
    columns: Mapping[str, Cells]
    first: int = 0
    """How many rows of the same file stand before them."""
