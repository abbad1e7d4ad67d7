"""What a portfolio may be limited in: THE list of figures, and their amounts as people write and read them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from core import format as text

Cut = Literal["", "instrument", "sector", "asset_class", "currency", "country"]


class Unit(StrEnum):
    """What a figure is counted in."""

    RATIO = "ratio"
    MONEY = "money"
    TIMES = "times"
    INDEX = "index"
    DAYS = "days"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class LimitFigure:
    """A figure of a portfolio that a limit may be on."""

    key: str
    title: str
    unit: Unit
    meaning: str
    cut: Cut = ""
    """What a limit may name one of, so that it is on that alone; unnamed, the largest counts."""
    is_of_nav: bool = False
    """Whether it is a share of the net asset value: what is left of the limit is money then."""
    is_signed: bool = False
    """Whether it may be below 0."""
    said: str = ""
    """How it is said, {} its value; empty: its title and its value."""

    @property
    def inside(self) -> str:
        """Return the title as it stands inside a sentence: "gross exposure", but "VaR 95 %, 1 day"."""
        first, between, rest = self.title.partition(" ")
        return f"{first.lower() if first.istitle() else first}{between}{rest}"

    def sentence(self, value: float, currency: str, of: str = "") -> str:
        """Return the value in words."""
        shown = written(value, self.unit, currency)
        if self.said:
            return self.said.format(shown)
        return f"{self.inside}{f' {of}' if of else ''} {shown}"


_NAV = "over the net asset value"
SHARE_OF_GROSS = (
    "Share of gross exposure by instrument: what several strategies hold of one is added up, longs less shorts"
)
FIGURES: Mapping[str, LimitFigure] = {
    each.key: each
    for each in (
        LimitFigure("position", "Position", Unit.RATIO, f"Value of a position, long or short, {_NAV}", "instrument",
                    is_of_nav=True),
        LimitFigure("position_money", "Position in money", Unit.MONEY, "Value of a position, long or short",
                    "instrument"),
        LimitFigure("gross", "Gross exposure", Unit.RATIO, f"Long and short without their signs, {_NAV}",
                    is_of_nav=True),
        LimitFigure("net", "Net exposure", Unit.RATIO, f"Long less short, {_NAV}", is_of_nav=True, is_signed=True),
        LimitFigure("long", "Long exposure", Unit.RATIO, f"Long positions {_NAV}", is_of_nav=True),
        LimitFigure("short", "Short exposure", Unit.RATIO, f"Short positions without their sign, {_NAV}",
                    is_of_nav=True),
        LimitFigure("leverage", "Leverage", Unit.TIMES, f"Gross exposure {_NAV}", is_of_nav=True),
        LimitFigure("sector", "Sector", Unit.RATIO, f"Positions of a sector without their signs, {_NAV}", "sector",
                    is_of_nav=True),
        LimitFigure("asset_class", "Asset class", Unit.RATIO, f"Positions of a class without their signs, {_NAV}",
                    "asset_class", is_of_nav=True),
        LimitFigure("currency", "Currency", Unit.RATIO, f"Positions in a currency without their signs, {_NAV}",
                    "currency", is_of_nav=True),
        LimitFigure("country", "Country", Unit.RATIO, f"Positions of a country without their signs, {_NAV}", "country",
                    is_of_nav=True),
        LimitFigure("hhi", "HHI", Unit.INDEX, "Sum of squared shares of gross exposure by instrument "
                    "(Herfindahl-Hirschman), 0 to 1"),
        LimitFigure("largest_1", "Largest position", Unit.RATIO, SHARE_OF_GROSS),
        LimitFigure("largest_5", "Five largest", Unit.RATIO, SHARE_OF_GROSS),
        LimitFigure("largest_10", "Ten largest", Unit.RATIO, SHARE_OF_GROSS),
        LimitFigure("var_95", "VaR 95 %, 1 day", Unit.RATIO, "Loss of today's positions that one day in twenty of the "
                    f"last 500 would have gone beyond, {_NAV}", is_of_nav=True),
        LimitFigure("var_99", "VaR 99 %, 1 day", Unit.RATIO, "Loss of today's positions that one day in a hundred of "
                    f"the last 500 would have gone beyond, {_NAV}", is_of_nav=True),
        LimitFigure("drawdown", "Drawdown", Unit.RATIO, "Index below its running maximum", said="{} below its peak"),
        LimitFigure("daily_loss", "Daily loss", Unit.RATIO, "Loss of the newest return",
                    said="{} lost on its last day"),
        LimitFigure("turnover", "Turnover of a day", Unit.RATIO, f"Money bought and sold on the newest day, {_NAV}",
                    is_of_nav=True),
        LimitFigure("restricted", "Restricted list", Unit.COUNT, "Instruments that must not be held or bought",
                    "instrument"),
        LimitFigure("liquidate_days", "Days to liquidate", Unit.DAYS, "Days that the slowest position takes to sell at "
                    "20 % of its average daily volume"),
    )
}  # fmt: skip
RESTRICTED = "restricted"
FARTHEST_BARE_RATIO = 3.0
"""A share is hardly more, written without %: percent were meant."""
MOST = {Unit.RATIO: 100.0, Unit.MONEY: 1e15, Unit.TIMES: 100.0, Unit.INDEX: 1.0, Unit.DAYS: 10_000.0}
WRITE = {
    Unit.RATIO: "a share such as 10 % or 0.1",
    Unit.MONEY: "an amount such as 5 M or 250000",
    Unit.TIMES: "times such as 1.5 x",
    Unit.INDEX: "a number from 0 to 1 such as 0.15",
    Unit.DAYS: "days such as 5 d",
}
_NUMBER = r"\d{1,3}(?:[ \u202f\u00a0_,']\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_AMOUNT = re.compile(rf"([+\-−]?)\s*({_NUMBER})\s*([%a-z]*)", re.ASCII | re.IGNORECASE)
_FACTORS = {
    Unit.RATIO: {"": 1.0, "%": 0.01},
    Unit.MONEY: {"": 1.0, "k": 1e3, "m": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9},
    Unit.TIMES: {"": 1.0, "x": 1.0},
    Unit.INDEX: {"": 1.0, "%": 0.01},
    Unit.DAYS: {"": 1.0, "d": 1.0, "day": 1.0, "days": 1.0},
}


def amount(given: str, unit: Unit) -> float:
    """Return an amount as people write it, in base units. Raises ValueError: what to write instead."""
    write = f"write {WRITE[unit]}"
    found = _AMOUNT.fullmatch(given.strip().replace("×", "x"))
    if found is None:
        raise ValueError(f"{given[:40]!r} is no amount: {write}" if given.strip() else f"is empty: {write}")
    factor = _FACTORS[unit].get(found[3].lower())
    if factor is None:
        raise ValueError(f"{given.strip()[:40]!r} has the wrong unit, it is {unit}: {write}")
    number = float(re.sub(r"[ \u202f\u00a0_,']", "", found[2]))
    value = number * factor * (-1.0 if found[1] in ("-", "−") else 1.0)
    if unit is Unit.RATIO and not found[3] and abs(value) > FARTHEST_BARE_RATIO:
        raise ValueError(f"{given.strip()[:40]} is {100 * value:g} %: write {value:g} % if that is meant")
    if abs(value) > MOST[unit]:
        raise ValueError(f"{given.strip()[:40]!r} is too much, {written(MOST[unit], unit)} at most")
    return value


def unit_of(unit: Unit, currency: str) -> str:
    """Return the unit of an amount of a figure in a file: "ratio", a currency, "days"; nothing for plain numbers."""
    return {Unit.RATIO: "ratio", Unit.MONEY: currency, Unit.DAYS: "days"}.get(unit, "")


def written(value: float, unit: Unit, currency: str = "") -> str:
    """Return a value of a figure as people read it."""
    if math.isinf(value):
        return "∞"
    match unit:
        case Unit.RATIO:
            return text.percent(value)
        case Unit.MONEY:
            return text.money(value, currency)
        case Unit.TIMES:
            return f"{text.ratio(value)} ×"
        case Unit.INDEX:
            return text.number(value, 3)
        case Unit.DAYS:
            return f"{text.number(value, 1)} d"
        case Unit.COUNT:
            return text.number(value)
