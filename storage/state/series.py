"""What benchmarks are made of, as decided: series of prices and rates, blends of them, risk-free rates by currency."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.currency import pair_of
from core.ingest.kinds import ASSET_CLASSES
from storage.state.changes import Change, record_change
from storage.state.database import State, blends, risk_free, series, upsert

Kind = Literal["price", "total_return", "rate", "fx"]
DayCount = Literal["act/360", "act/365", "act/act", "30/360"]
Rebalancing = Literal["daily", "monthly", "quarterly", "yearly", "never"]
KINDS: tuple[Kind, ...] = get_args(Kind)
DAY_COUNTS: tuple[DayCount, ...] = get_args(DayCount)
REBALANCINGS: tuple[Rebalancing, ...] = get_args(Rebalancing)
WHOLE_PERCENT = 100.0
PERCENT_OFF = 1e-6
"""How far from 100 the sum of weights may be: rounding, no mistake."""
HIGHEST_PERCENT = 100.0
MOST_PARTS = 50
SYMBOLS_AT_ONCE = 500
_CURRENCY = re.compile(r"[A-Z]{3}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_ID = re.compile(r"[\w .&()/+'-]{1,48}")


@dataclass(frozen=True, slots=True)
class Series:
    """What the values of an instrument are. Raises ValueError that names the field that cannot be, and the fix."""

    origin: str
    symbol: str
    name: str
    kind: Kind = "price"
    """price: without dividends; total_return: with them; rate: percent a year; fx: what a currency costs."""
    currency: str = ""
    """Of its prices, or that a rate is paid on; empty: not known."""
    day_count: DayCount | Literal[""] = ""
    """Of a rate: how the days of interest become a share of a year."""
    note: str = ""
    asset_class: str = ""
    """What it is, one of ASSET_CLASSES; empty, as of the next three: nobody said."""
    sector: str = ""
    industry: str = ""
    country: str = ""
    """ISO 3166, two capitals."""
    multiplier: float = 1.0
    """Worth of one at a price of 1."""
    tags: str = ""
    """Strategies it belongs to, with commas between."""
    daily_volume: float | None = None
    """How many trade in a day, on average; None: nobody said."""

    @property
    def is_settled_daily(self) -> bool:
        """Return whether it is a future, whose gains and losses are cash day by day."""
        return self.asset_class == "future"

    def __post_init__(self) -> None:
        if not 1 <= len(self.symbol) <= 64:
            raise ValueError(f"symbol {self.symbol[:80]!r}: give 1 to 64 characters")
        if not 1 <= len(self.name.strip()) <= 120:
            raise ValueError(f"name {self.name[:130]!r}: give 1 to 120 characters")
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r}: give one of {', '.join(KINDS)}")
        _check_currency(self.currency)
        if (self.kind == "rate") != bool(self.day_count) or self.day_count not in ("", *DAY_COUNTS):
            of = f"one of {', '.join(DAY_COUNTS)}" if self.kind == "rate" else "none: it is no rate"
            raise ValueError(f"day_count {self.day_count!r}: give {of}")
        pair = pair_of(self.symbol)
        if self.kind == "fx" and (pair is None or self.currency != pair.quote):
            raise ValueError(f"kind fx: {self.symbol} is no pair of currencies such as EURUSD, in its second one")
        if len(self.note) > 500:
            raise ValueError("note: give 500 characters at most")
        if self.asset_class and self.asset_class not in ASSET_CLASSES:
            raise ValueError(f"asset_class {self.asset_class!r}: give one of {', '.join(ASSET_CLASSES)}")
        if self.country and not _COUNTRY.fullmatch(self.country):
            raise ValueError(f"country {self.country!r}: give two capitals such as US")
        if not 0 < self.multiplier < math.inf:
            raise ValueError(f"multiplier {self.multiplier!r}: give a number above 0")


@dataclass(frozen=True, slots=True)
class Blend:
    """A benchmark made of others. Raises ValueError that names the field that cannot be, and the fix."""

    origin: str
    id: str
    name: str
    parts: tuple[tuple[str, float], ...]
    """Symbol (or CASH, which earns the risk-free rate) and weight in percent; the weights sum to 100."""
    rebalancing: Rebalancing = "monthly"
    """When the weights are restored: at the end of each …"""
    currency: str = ""
    """That its parts are converted to; empty: that of the portfolio it stands beside."""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(f"id {self.id[:60]!r}: give 1 to 48 letters, digits, spaces or _.&()/+'-")
        if not 1 <= len(self.name.strip()) <= 120:
            raise ValueError(f"name {self.name[:130]!r}: give 1 to 120 characters")
        symbols = [symbol for symbol, _ in self.parts]
        if not 1 <= len(symbols) <= MOST_PARTS:
            raise ValueError(f"parts: give 1 to {MOST_PARTS} of them, not {len(symbols)}")
        twice = next((symbol for symbol in symbols if symbols.count(symbol) > 1), None)
        if twice is not None:
            raise ValueError(f"parts: {twice} is there twice: name it once")
        if any(not math.isfinite(weight) or weight == 0 for _, weight in self.parts):
            raise ValueError("parts: a weight is no number other than 0: give percent such as 60")
        total = math.fsum(weight for _, weight in self.parts)
        if abs(total - WHOLE_PERCENT) > PERCENT_OFF:
            raise ValueError(f"parts: the weights sum to {total:.10g} %: they must sum to 100 %")
        if self.rebalancing not in REBALANCINGS:
            raise ValueError(f"rebalancing {self.rebalancing!r}: give one of {', '.join(REBALANCINGS)}")
        _check_currency(self.currency)


@dataclass(frozen=True, slots=True)
class RiskFree:
    """The risk-free rate of a currency. Raises ValueError that names the field that cannot be, and the fix."""

    origin: str
    currency: str
    percent: float = 0.0
    """A year; of no use with a series."""
    series: str = ""
    """Symbol of a series of rates; empty: the constant."""

    def __post_init__(self) -> None:
        if not _CURRENCY.fullmatch(self.currency):
            raise ValueError(f"currency {self.currency!r}: give three capitals such as EUR")
        if not -HIGHEST_PERCENT < self.percent < HIGHEST_PERCENT:
            raise ValueError(f"percent {self.percent:g}: give percent a year between −100 and 100, such as 4.3")


def list_series(state: State, origin: str, symbols: Sequence[str] | None = None) -> list[Series]:
    """Return what was decided of the series of `origin`, by symbol; with `symbols` of those alone, in no order."""
    query = sa.select(series).where(series.c.origin == origin).order_by(series.c.symbol)
    asked = [query] if symbols is None else [
        query.where(series.c.symbol.in_(symbols[first : first + SYMBOLS_AT_ONCE]))
        for first in range(0, len(symbols), SYMBOLS_AT_ONCE)
    ]  # fmt: skip
    with state.reading() as connection:
        return [Series(**row._mapping) for each in asked for row in connection.execute(each)]


def put_series(state: State, items: Sequence[Series], change: Change | None = None) -> None:
    """Add series, replacing those with the same origin and symbol; `change` is remembered with it."""
    with state.begin() as connection:
        upsert(connection, series, [asdict(item) for item in items])
        _record(connection, change)


def remove_series(state: State, origin: str, symbols: Sequence[str]) -> None:
    """Remove what was decided of series."""
    with state.begin() as connection:
        connection.execute(sa.delete(series).where(series.c.origin == origin, series.c.symbol.in_(list(symbols))))


def list_blends(state: State, origin: str) -> list[Blend]:
    """Return the blends of `origin`, by name."""
    query = sa.select(blends).where(blends.c.origin == origin).order_by(blends.c.name, blends.c.id)
    with state.reading() as connection:
        return [_blend(row) for row in connection.execute(query)]


def put_blend(state: State, item: Blend, change: Change | None = None) -> None:
    """Add a blend, replacing the one with the same origin and id; `change` is remembered with it."""
    with state.begin() as connection:
        upsert(connection, blends, [{**asdict(item), "parts": json.dumps(item.parts, ensure_ascii=False)}])
        _record(connection, change)


def remove_blend(state: State, origin: str, id: str, change: Change | None = None) -> bool:
    """Remove a blend, and return whether there was one; then `change` is remembered."""
    with state.begin() as connection:
        gone = connection.execute(sa.delete(blends).where(blends.c.origin == origin, blends.c.id == id)).rowcount > 0
        _record(connection, change if gone else None)
        return gone


def list_risk_free(state: State, origin: str) -> list[RiskFree]:
    """Return the risk-free rates of `origin`, by currency."""
    query = sa.select(risk_free).where(risk_free.c.origin == origin).order_by(risk_free.c.currency)
    with state.reading() as connection:
        return [RiskFree(**row._mapping) for row in connection.execute(query)]


def put_risk_free(state: State, item: RiskFree, change: Change | None = None) -> None:
    """Set the risk-free rate of a currency; `change` is remembered with it."""
    with state.begin() as connection:
        upsert(connection, risk_free, [asdict(item)])
        _record(connection, change)


def remove_risk_free(state: State, origin: str, currency: str, change: Change | None = None) -> bool:
    """Remove the risk-free rate of a currency, and return whether there was one; then `change` is remembered."""
    with state.begin() as connection:
        of = (risk_free.c.origin == origin, risk_free.c.currency == currency)
        gone = connection.execute(sa.delete(risk_free).where(*of)).rowcount > 0
        _record(connection, change if gone else None)
        return gone


def _record(connection: Connection, change: Change | None) -> None:
    if change is not None:
        record_change(connection, change)


def _blend(row: sa.Row[tuple[object, ...]]) -> Blend:
    values = dict(row._mapping)
    parts = tuple((str(symbol), float(weight)) for symbol, weight in json.loads(values.pop("parts")))
    return Blend(**values, parts=parts)


def _check_currency(currency: str) -> None:
    if currency and not _CURRENCY.fullmatch(currency):
        raise ValueError(f"currency {currency!r}: give three capitals such as EUR")
