"""Files of rows: named for their kind, trades.csv or fills.trades.csv, and taken as a program's rows are."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from core.errors import ImportRejected, Mistake, RowsRefused
from core.format import count
from core.ingest.kinds import KINDS, Kind
from portfolio.ingest.body import ARROW, CSV, JSON, NDJSON, TooLarge, unpacked
from portfolio.ingest.request import Asked, Ingested
from portfolio.ingest.take import take_content

if TYPE_CHECKING:
    from storage.stores import Stores

ENDINGS: Mapping[str, str] = {
    ".csv": CSV, ".json": JSON, ".ndjson": NDJSON, ".jsonl": NDJSON, ".arrow": ARROW, ".feather": ARROW,
}  # fmt: skip
PACKED: Mapping[str, str] = {".gz": "gzip", ".zst": "zstd"}
UNDERSTOOD = ("nav", "prices")
"""Kinds of files that are read in whatever form they have, by portfolio/imports."""
ROW_KINDS = tuple(name for name in KINDS if name not in UNDERSTOOD)
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


def kind_in(name: str) -> Kind | None:
    """Return the kind of rows that a file's name says: trades.csv, fills.trades.csv.gz; None: it says none."""
    parts = PurePath(name.lower())
    if parts.suffix in PACKED:
        parts = parts.with_suffix("")
    said = parts.stem.rpartition(".")[2]
    return KINDS.get(said) if parts.suffix in ENDINGS and said in ROW_KINDS else None


def take_rows_file(stores: Stores, name: str, content: bytes | None, kind: Kind, who: str) -> RowsTaken:
    """Take a file of rows whole; None stands for content too large to read.

    Raises ImportRejected with what is wrong; StorageUnavailable when nothing is known to be kept.
    """
    try:
        return RowsTaken(name, take_content(stores, _asked(stores, kind, who), *_read(stores, name, content)))
    except RowsRefused as error:
        more = [Mistake(f"and {error.more:,} more")] if error.more else []
        raise ImportRejected(
            name, [*(Mistake(str(each)) for each in error.faults), *more], kind.name, REMEDY
        ) from error
    except TooLarge as error:
        raise ImportRejected(name, [Mistake(str(error))], kind.name, "The limits are the settings ingest.…") from error


def _asked(stores: Stores, kind: Kind, who: str) -> Asked:
    return Asked(kind, may_create=stores.settings.ingest.create_portfolios, who=who)


def _read(stores: Stores, name: str, content: bytes | None) -> tuple[bytes, str]:
    """Return the unpacked content and how it is written."""
    limits = stores.settings.ingest
    if content is None or len(content) > limits.most_bytes:
        raise TooLarge(f"A batch has {limits.most_bytes:,} bytes at most: split the file.")
    path = PurePath(name.lower())
    packing = PACKED.get(path.suffix, "")
    written = ENDINGS.get((path.with_suffix("") if packing else path).suffix)
    if written is None:
        fix = f"name it with one of {', '.join(ENDINGS)}, and .gz or .zst behind it when it is packed"
        raise ImportRejected(name, [Mistake("its name does not say how it is written")], remedy=fix)
    return unpacked(io.BytesIO(content), packing, limits.most_unpacked_bytes), written
