"""What is done with a file of the inbox: rows are stored, values understood, an import undone, a portfolio changed."""

from __future__ import annotations

import io
from collections.abc import Generator
from typing import TYPE_CHECKING, Protocol

from core.errors import ImportDoubted, ImportRejected
from portfolio.imports.order import CHANGE, UNDO, Order, read_undo
from portfolio.imports.take import take
from portfolio.imports.undo import undo
from portfolio.ingest.files import like_rows, row_kind, take_large_file, take_rows_file
from portfolio.ingest.header import peeked
from portfolio.ingest.large import LARGE_PACKED_BYTES, Opened, is_large
from portfolio.tree.order import carry_out, read_change

if TYPE_CHECKING:
    from storage.stores import Stores


class Result(Protocol):
    """What came of a file: how many rows, and as a text."""

    @property
    def rows(self) -> int:
        """Return how many rows were taken, or taken back."""
        ...


InParts = Generator[str, None, Result]
"""Takes a large file part by part, and tells after each how far it is."""


def take_or_undo(stores: Stores, name: str, content: bytes | None, order: Order) -> Result:
    """Take a file by its content (None: too large to be read), or do what it asks for.

    Raises ImportRejected, UndoRejected or ChangeRejected with what is wrong, StorageError.
    """
    if name.endswith(UNDO):
        number, who = read_undo(name, content)
        return undo(stores, number, who)
    if name.endswith(CHANGE):
        return carry_out(stores, read_change(name, content))
    beginning = peeked(name, io.BytesIO(content or b""))
    kind = row_kind(name, beginning)
    if kind is not None:
        return take_rows_file(stores, name, content, kind, order.who or "inbox")
    try:
        return take(stores, order.name or name, content, order.said, who=order.who, accept=order.accept)
    except ImportDoubted:
        raise
    except ImportRejected as error:
        raise like_rows(error, beginning) from error


def take_large(stores: Stores, name: str, size_bytes: int, opened: Opened, order: Order) -> InParts | None:
    """Begin to take a file of rows that is too large to be read whole; None for any other."""
    if size_bytes <= LARGE_PACKED_BYTES:
        return None
    with opened() as file:
        beginning = peeked(name, file)
    try:
        kind = row_kind(name, beginning)
    except ImportRejected:
        return None  # taking it by its content says so
    is_in_parts = kind is not None and is_large(name, kind, size_bytes)
    return take_large_file(stores, name, kind, order.who or "inbox", opened) if kind and is_in_parts else None
