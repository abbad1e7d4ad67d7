"""Files of rows: named for their kind, trades.csv or fills.trades.csv, and taken as a program's rows are."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from core.errors import Fault, ImportRejected, Mistake, RowsRefused
from core.format import count
from core.ingest.kinds import Kind
from portfolio.allowed import Limits
from portfolio.imports.mistakes import FIRST
from portfolio.imports.take import read_file
from portfolio.ingest.body import NOT_WHOLE, columns_of, unpacked
from portfolio.ingest.header import NAMED, columns_in, kind_by_columns, what_it_seems
from portfolio.ingest.large import Opened, check_in_parts, is_large, take_in_parts
from portfolio.ingest.names import ENDINGS, kind_in, written_in
from portfolio.ingest.raw import TooLarge
from portfolio.ingest.request import Asked, Ingested
from portfolio.ingest.take import check_rows, take_content
from portfolio.ingest.trace import trace_file, trace_refused_file

if TYPE_CHECKING:
    from storage.stores import Stores

T = TypeVar("T")
REMEDY = "docs/your-data.md has the columns of each kind."


@dataclass(frozen=True, slots=True)
class RowsTaken:
    """What came of a file of rows."""

    name: str
    taken: Ingested

    @property
    def rows(self) -> int:
        """Return how many rows it has."""
        return self.taken.rows

    def __str__(self) -> str:
        taken = self.taken
        if taken.is_waiting:
            return f"{self.name}: {count(taken.rows, 'row')} of {taken.kind} kept until ClickHouse answers"
        counts = {
            "new": taken.added, "there already": taken.already_there, "restated": taken.restated,
            "later states": taken.updated, "older states": taken.older,
        }  # fmt: skip
        told = ", ".join(f"{number:,} {what}" for what, number in counts.items() if number) or "nothing new"
        more = "".join(f"; {each}" for each in taken.told)
        new = f"; new portfolio: {', '.join(taken.created)}" if taken.created else ""
        return f"{self.name}: {count(taken.rows, 'row')} of {taken.kind} taken: {told}{new}{more}"


def row_kind(name: str, peeked: bytes) -> Kind | None:
    """Return the kind of rows that a file has, by its name or else by the columns that what was `peeked` of it names.

    None: neither says so. Raises ImportRejected where its columns fit several kinds.
    """
    return kind_in(name) or kind_by_columns(name, columns_in(name, peeked))


def like_rows(error: ImportRejected, peeked: bytes) -> ImportRejected:
    """Return why a file was refused; of one whose columns are nearly those of rows, what is wrong with them."""
    said = what_it_seems(columns_in(error.name, peeked))
    return ImportRejected(error.name, [*map(Mistake, said)], remedy=NAMED) if said else error


def check_rows_file(stores: Stores, name: str, content: bytes | None, kind: Kind, limits: Limits) -> int:
    """Return how many rows a file has that `take_rows_file` would take; nothing is stored. Raises what that raises."""
    asked = _asked(stores, name, kind, "", limits)
    with _in_words(name, kind):
        if content is not None and is_large(name, kind, len(content)):
            return _all(check_in_parts(stores, name, asked, lambda: io.BytesIO(content)))
        raw = columns_of(*_read(stores, name, content), kind, stores.settings.ingest.most_rows)
        check_rows(stores, asked, raw)
        return raw.rows


def take_rows_file(
    stores: Stores, name: str, content: bytes | None, kind: Kind, who: str, limits: Limits = None
) -> RowsTaken:  # fmt: skip
    """Take a file of rows whole; None stands for content too large to read.

    limits: ids of the only own portfolios that it may be of.

    Raises ImportRejected with what is wrong; StorageUnavailable when nothing is known to be kept.
    """
    if content is not None and is_large(name, kind, len(content)):
        return _all(take_large_file(stores, name, kind, who, lambda: io.BytesIO(content), limits))
    digest = hashlib.sha256(content or b"").hexdigest()
    with _written_down(stores, name, who, digest), _in_words(name, kind):
        taken = take_content(stores, _asked(stores, name, kind, who, limits), *_read(stores, name, content))
        trace_file(stores, name, kind, who, digest, taken)
        return RowsTaken(name, taken)


def take_large_file(
    stores: Stores, name: str, kind: Kind, who: str, opened: Opened, limits: Limits = None
) -> Generator[str, None, RowsTaken]:  # fmt: skip
    """Take a file that `is_large` part by part and yet whole or not at all, telling after each how far it is.

    Raises what `take_rows_file` raises.
    """
    with _written_down(stores, name, who, ""), _in_words(name, kind):
        taken = yield from take_in_parts(stores, name, _asked(stores, name, kind, who, limits), opened)
        trace_file(stores, name, kind, who, "", taken)
        return RowsTaken(name, taken)


def take_rows_path(stores: Stores, path: Path, name: str, kind: Kind, who: str) -> RowsTaken:
    """Take the file of rows at a path, however large. Raises what `take_rows_file` raises, OSError."""
    if not is_large(name, kind, path.stat().st_size):
        return take_rows_file(stores, name, read_file(path), kind, who)
    return _all(take_large_file(stores, name, kind, who, lambda: path.open("rb")))


def _all(parts: Generator[str, None, T]) -> T:
    """Return what comes of all parts."""
    while True:
        try:
            next(parts)
        except StopIteration as ended:
            found: T = ended.value
            return found


class CutOff(ImportRejected):
    """A packed file has no end: the rest of it may not have come yet."""


@contextlib.contextmanager
def _written_down(stores: Stores, name: str, who: str, digest: str) -> Iterator[None]:
    """Write down that a file is refused; one whose end may still come is not yet."""
    try:
        yield
    except CutOff:
        raise
    except ImportRejected as error:
        trace_refused_file(stores, name, who, digest, str(error))
        raise


@contextlib.contextmanager
def _in_words(name: str, kind: Kind) -> Iterator[None]:
    """Raise as ImportRejected what refuses rows."""
    try:
        yield
    except RowsRefused as error:
        more = [Mistake(f"and {error.more:,} more")] if error.more else []
        refusal = CutOff if error.faults[0].reason.startswith(NOT_WHOLE) else ImportRejected
        raise refusal(name, [*_by_kind(error.faults), *more], kind.name, REMEDY) from error
    except TooLarge as error:
        raise ImportRejected(name, [Mistake(str(error))], kind.name, "The limits are the settings ingest.…") from error


def _by_kind(faults: Sequence[Fault]) -> list[Mistake]:
    """Return a sentence a kind of fault, with the first rows that have it; of one row in the words of the API."""
    kinds: dict[tuple[str, str, str], list[Fault]] = {}
    for each in faults:
        kinds.setdefault((each.field, each.reason, each.fix), []).append(each)
    return [Mistake(_of_kind(alike)) for alike in kinds.values()]


def _of_kind(alike: Sequence[Fault]) -> str:
    one = alike[0]
    if len(alike) == 1 or not one.row:
        return str(one)
    values = {each.value for each in alike}
    said = str(replace(one, row=0, value=one.value if len(values) == 1 else ""))
    rows = [f"{each.row} ({each.value})" if len(values) > 1 and each.value else str(each.row) for each in alike[:FIRST]]
    more = f" and {len(alike) - FIRST} more" if len(alike) > FIRST else ""
    return f"{count(len(alike), 'row')}, {said}: rows {', '.join(rows)}{more}"


def _asked(stores: Stores, name: str, kind: Kind, who: str, limits: Limits = None) -> Asked:
    return Asked(kind, limits, may_create=stores.settings.ingest.create_portfolios, who=who, source=name)


def _read(stores: Stores, name: str, content: bytes | None) -> tuple[bytes, str]:
    """Return the unpacked content and how it is written."""
    limits = stores.settings.ingest
    if content is None or len(content) > limits.most_bytes:
        raise TooLarge(f"A batch has {limits.most_bytes:,} bytes at most: split the file.")
    written, packing = written_in(name)
    if not written:
        fix = f"name it with one of {', '.join(ENDINGS)}, and .gz or .zst behind it when it is packed"
        raise ImportRejected(name, [Mistake("its name does not say how it is written")], remedy=fix)
    return unpacked(io.BytesIO(content), packing, limits.most_unpacked_bytes), written
