"""What the name of a file of rows says: its kind, how it is written, how it is packed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from core.ingest.kinds import KINDS, Kind
from portfolio.ingest.body import ARROW, CSV, JSON, NDJSON, PARQUET

ENDINGS: Mapping[str, str] = {
    ".csv": CSV, ".json": JSON, ".ndjson": NDJSON, ".jsonl": NDJSON, ".arrow": ARROW, ".feather": ARROW,
    ".parquet": PARQUET,
}  # fmt: skip
PACKED: Mapping[str, str] = {".gz": "gzip", ".zst": "zstd"}
UNDERSTOOD = ("nav", "prices")
"""Kinds of files that are read in whatever form they have, by portfolio/imports."""
ROW_KINDS = tuple(name for name in KINDS if name not in UNDERSTOOD)


def kind_in(name: str) -> Kind | None:
    """Return the kind of rows that a file's name says: trades.csv, fills.trades.csv.gz; None: it says none."""
    parts = PurePath(name.lower())
    if parts.suffix in PACKED:
        parts = parts.with_suffix("")
    said = parts.stem.rpartition(".")[2]
    return KINDS.get(said) if parts.suffix in ENDINGS and said in ROW_KINDS else None


def written_in(name: str) -> tuple[str, str]:
    """Return how a file is written, such as JSON or PARQUET (empty: its name does not say), and how it is packed."""
    path = PurePath(name.lower())
    packing = PACKED.get(path.suffix, "")
    return ENDINGS.get((path.with_suffix("") if packing else path).suffix, ""), packing
