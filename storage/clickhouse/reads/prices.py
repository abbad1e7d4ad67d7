"""Prices as stored: daily closes, the newest ones, and what there is of each instrument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.daily import NOTHING, POINT, day_number, scattered, wanted_names

if TYPE_CHECKING:
    from storage.clickhouse.reads.daily import Days, Floats, Integers


@dataclass(frozen=True, slots=True)
class DailyPrices:
    """Closes of k instruments on the union of their n days, oldest first; shapes as in DailyNavs."""

    instruments: tuple[str, ...]
    days: Days
    values: Floats
    newest: Integers


def daily_prices_many(
    clickhouse: ClickHouse,
    origin: str,
    instruments: Sequence[str] | None = None,
    until: date | None = None,
    since: date | None = None,
) -> DailyPrices:
    """Return closes of `instruments` of `origin`, in their order; None: of all that have a price, by name.

    since: the first day that counts; None: all.
    Raises ValueError when an instrument is named twice, StorageUnavailable or StorageRejected.
    """
    names = wanted_names(clickhouse, "prices", "instrument", origin, instruments, until)
    sql = """
        WITH {names:Array(String)} AS names
        SELECT toUInt16(transform(instrument, names, range(length(names)), 65535)),
               toUnixTimestamp(max(p.ts)), argMax(price, p.ts)
        FROM prices AS p FINAL
        WHERE origin = {origin:String} AND instrument IN names AND toDate(p.ts) <= toDate({until:UInt16})
            AND toDate(p.ts) >= toDate({since:UInt16})
        GROUP BY instrument, toDate(p.ts)
    """
    first = 0 if since is None else day_number(since)
    parameters = {"origin": origin, "names": list(names), "until": day_number(until), "since": first}
    found = clickhouse.records(sql, POINT, parameters, kind="portfolio prices") if names else NOTHING
    return DailyPrices(names, *scattered(found, len(names)))


def newest_prices(
    clickhouse: ClickHouse, origin: str, instruments: Sequence[str], since: date, until: date
) -> dict[str, tuple[int, float]]:
    """Return when the newest price of each instrument came, in epoch seconds, and what it is; none: it is not there.

    since, until: the first and the last day that count. Raises StorageUnavailable or StorageRejected.
    """
    sql = """
        SELECT instrument, toUnixTimestamp(max(p.ts)), argMax(price, p.ts) FROM prices AS p FINAL
        WHERE origin = {origin:String} AND instrument IN {names:Array(String)}
            AND toDate(p.ts) BETWEEN toDate({since:UInt16}) AND toDate({until:UInt16})
        GROUP BY instrument
    """
    asked = {
        "origin": origin, "names": list(instruments), "since": day_number(since), "until": day_number(until),
    }  # fmt: skip
    rows = clickhouse.rows(sql, asked, kind="newest prices") if instruments else ()
    return {str(name): (int(ts), float(price)) for name, ts, price in rows}


def priced_instruments(clickhouse: ClickHouse) -> list[tuple[str, str]]:
    """Return every (origin, instrument) that has a price, sorted. Raises StorageUnavailable or StorageRejected."""
    sql = "SELECT DISTINCT origin, instrument FROM prices ORDER BY origin, instrument"
    return [(str(origin), str(name)) for origin, name in clickhouse.rows(sql, kind="portfolio instruments")]


class PriceSpan(NamedTuple):
    """The prices, or rates, of an instrument. `first` and `last` are epoch seconds."""

    instrument: str
    values: int
    first: int
    last: int
    value: float
    """The last one."""


def price_spans(clickhouse: ClickHouse, origin: str) -> list[PriceSpan]:
    """Return what there is of every instrument of `origin`, by name. Raises StorageUnavailable or StorageRejected."""
    sql = """
        SELECT instrument, count(), toUnixTimestamp(min(p.ts)), toUnixTimestamp(max(p.ts)), argMax(price, p.ts)
        FROM prices AS p FINAL WHERE origin = {origin:String} GROUP BY instrument ORDER BY instrument
    """
    return [PriceSpan(*row) for row in clickhouse.rows(sql, {"origin": origin}, kind="portfolio instruments")]
