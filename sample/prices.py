"""The sample fund's prices: real daily closes that ship with Fundwatch (their origin is in ORIGIN.md)."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).with_name("prices.csv.gz")
BENCHMARK = "SP500"
ETFS = ("MTUM", "QUAL", "SIZE", "USMV", "VLUE")

Floats = NDArray[np.float64]
Dates = NDArray[np.datetime64]


@dataclass(frozen=True)
class Prices:
    """Daily closes. `close` is (days, instruments), `benchmark` (days,); both in US dollars or index points."""

    dates: Dates
    instruments: tuple[str, ...]
    close: Floats
    benchmark: Floats

    def __len__(self) -> int:
        return len(self.dates)

    def columns(self, names: tuple[str, ...]) -> NDArray[np.intp]:
        """Return the positions of `names` among the instruments. Raises ValueError for one that is absent."""
        return np.array([self.instruments.index(name) for name in names], dtype=np.intp)


def load_prices(path: Path = FILE) -> Prices:
    """Return the prices in `path`, oldest first. Raises ValueError for a gap or an unsorted date."""
    with gzip.open(path, "rt", encoding="ascii") as file:
        header, *lines = file.read().splitlines()
    names = tuple(header.split(",")[1:])
    rows = [line.split(",") for line in lines]
    dates = np.array([row[0] for row in rows], dtype="datetime64[D]")
    table = np.array([row[1:] for row in rows], dtype=np.float64)
    if not (np.diff(dates) > np.timedelta64(0, "D")).all() or not np.isfinite(table).all():
        raise ValueError(f"{path.name}: dates must rise and every price must be there")
    at = names.index(BENCHMARK)
    instruments = names[:at] + names[at + 1 :]
    return Prices(dates, instruments, np.delete(table, at, axis=1), table[:, at])


def first_days(prices: Prices, days: int) -> Prices:
    """Return the prices as they were known on the evening of day number `days`."""
    return Prices(prices.dates[:days], prices.instruments, prices.close[:days], prices.benchmark[:days])
