"""Tables of an attribution: groups, periods by group, positions, currencies, effects against the benchmark, fees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from dash import html

from core import format as text
from core.portfolios import ACCRUALS, FEES, PERIODS, RULE
from dashboard.components.table import Cell, Column, amounts_table, data_table
from dashboard.holdings.tables import tone
from dashboard.portfolio.links import to_group, to_holding
from dashboard.views.tab import Choices
from portfolio.attribution import Attribution, Part
from portfolio.brinson import Brinson, Segment
from portfolio.by_period import COSTS, OTHER, TOTAL, UNEXPLAINED, Every
from portfolio.fees import Fees
from portfolio.holdings import GROUPS, Group

MONEY = ("pnl", "costs", "net")
ID = "attribution"
PATH = "/portfolio/attribution"
POSITIONS = f"{ID}-positions-rows"
Unit = Literal["return", "money"]
UNITS: dict[Unit, str] = {"return": "Points of return", "money": "Money"}
MEANS = {
    OTHER: "What the net asset value gained beside positions: interest, fees, accruals",
    COSTS: "Commission and fees of trades",
    UNEXPLAINED: "Where positions are not known, trades do not explain them, or the value is told apart from them",
}
_WEIGHT = Column("weight", "Weight", definition="Average value over capital at the start of each day",
                 plain="Average weight", unit="ratio")  # fmt: skip
_MONEY = (
    Column("pnl", "P&L", definition="Profit and loss before costs", plain="P&L before costs"),
    Column("costs", "Costs", definition="Commission and fees"),
    Column("net", "Net P&L", definition="Profit and loss after costs"),
    Column("added", "Contribution", definition="Points of the portfolio's time-weighted return, each gain "
           "staying invested: Σ P&L / capital × growth until then", unit="ratio"),
)  # fmt: skip
SUM = "Of the row: what the period added to the window"


def groups_table(found: Attribution, by: Group, choices: Choices) -> html.Div:
    """Return what each group added, then the rests, and all together: the portfolio's own return and P&L."""
    columns = [Column("name", GROUPS[by], numeric=False), Column("count", "Positions"), _WEIGHT, *_MONEY]
    rows = [
        {"name": _group_name(found, by, part, choices), "count": _count(part), **_part(part)}
        for part in found.parts(by)
    ]
    return amounts_table(
        f"{ID}-groups-rows",
        columns,
        [*rows, {"name": Cell(TOTAL, TOTAL), **_total(found)}],
        found.portfolio.currency,
        MONEY,
        caption=f"Contribution by {GROUPS[by].lower()}",
    )


def positions_table(found: Attribution) -> html.Div:
    """Return what each position added, the largest gain first."""
    has_parts = len({place.portfolio for place in found.book.positions}) > 1
    has_foreign = any(place.currency != found.portfolio.currency for place in found.book.positions)
    about = {f"{each.portfolio}\n{each.instrument}": each for each in found.book.positions}
    columns = [
        Column("instrument", "Instrument", numeric=False, definition="Leads to its history on Holdings"),
        *([Column("portfolio", "Strategy", numeric=False)] if has_parts else []),
        Column("sector", "Sector", numeric=False),
        *([Column("currency", "Currency", numeric=False, definition="Its own")] if has_foreign else []),
        _WEIGHT,
        *_MONEY,
    ]
    rows = []
    for part in found.parts("position"):
        place = about.get(part.name)
        if place is None:
            continue
        rows.append(
            {
                "instrument": Cell(
                    to_holding(found.portfolio.origin, found.portfolio.id, place.instrument),
                    place.instrument,
                    hint=place.about.name,
                ),
                "portfolio": found.book.names.get(place.portfolio, place.portfolio),
                "sector": place.about.sector or None,
                "currency": place.currency,
                **_part(part),
            }
        )
    return amounts_table(
        POSITIONS,
        columns,
        rows,
        found.portfolio.currency,
        MONEY,
        caption="Contribution by position",
        nothing="No position was held in the window.",
    )


def periods_table(found: Attribution, by: Group, every: Every, unit: Unit) -> html.Div:
    """Return a row a period, the newest first, and a column a group; both ways they add up."""
    told = found.by_period(by, every).shown()
    numbers = told.added if unit == "return" else told.money
    own = "ratio" if unit == "return" else found.portfolio.currency
    columns = [
        Column("period", every.capitalize(), numeric=False),
        *(Column(f"g{at}", name, definition=MEANS.get(name, ""), unit=own) for at, name in enumerate(told.groups)),
        Column("sum", TOTAL, definition=SUM if unit == "return" else "", unit=own),
        Column("own", "Return", definition="Of the period by itself", unit="ratio"),
    ]
    rows = [
        {
            "period": Cell(name, float(at)),
            **{f"g{column}": _of(unit, float(numbers[at, column])) for column in range(len(told.groups))},
            "sum": _of(unit, float(numbers[at].sum())),
            "own": _ratio(float(told.returns[at])),
        }
        for at, name in reversed([*enumerate(told.periods)])
    ]
    whole = numbers.sum(axis=0)
    last = {
        "period": Cell(TOTAL, float(len(told.periods))),
        **{f"g{column}": _of(unit, float(whole[column])) for column in range(len(told.groups))},
        "sum": _of(unit, float(whole.sum())),
        "own": _ratio(found.total_return),
    }
    return data_table(
        f"{ID}-periods-rows",
        columns,
        [*rows, last],
        stack=False,
        caption=f"Contribution by {every} and {GROUPS[by].lower()}",
    )


def currencies_table(found: Attribution) -> html.Div:
    """Return how much of each currency's contribution is local, and how much the currency's."""
    own = found.portfolio.currency
    columns = [
        Column("name", "Currency", numeric=False),
        Column("weight", "Weight", definition="Average value over capital", plain="Average weight", unit="ratio"),
        Column("net", "Net P&L", definition="Profit and loss after costs"),
        Column("local", "Local", definition="Gained in its own currency, at the rate of the day before", unit="ratio"),
        Column("currency", own and "Currency", definition=f"What was held moved with its rate to {own}", unit="ratio"),
        Column("cross", "Both", definition="The rate's move on what was gained locally", unit="ratio"),
        Column("total", TOTAL, definition="Points of return, after costs", unit="ratio"),
    ]
    rows = [
        {
            "name": Cell(name, name), "weight": Cell(text.percent(part.weight), part.weight),
            "net": _money(part.net), "local": _ratio(shares[0]), "currency": _ratio(shares[1]),
            "cross": _ratio(shares[2]), "total": _ratio(part.added),
        }
        for name, part, shares in found.currencies()
    ]  # fmt: skip
    sums = {
        key: math.fsum(shares[at] for _, _, shares in found.currencies())
        for at, key in enumerate(("local", "currency", "cross"))
    }
    net = math.fsum(part.net for _, part, _ in found.currencies())
    total = {"name": Cell(TOTAL, TOTAL), "net": _money(net), **{key: _ratio(value) for key, value in sums.items()},
             "total": _ratio(math.fsum(sums.values()))}  # fmt: skip
    return amounts_table(
        f"{ID}-currencies-rows",
        columns,
        [*rows, total] if rows else [],
        found.portfolio.currency,
        MONEY,
        caption="Currency effect",
        nothing="No position was held in the window.",
    )


def brinson_table(found: Brinson, name: str) -> html.Div:
    """Return effects by segment, what is no segment's, and the excess return that all come to."""
    is_linked = found.way == "arithmetic"
    columns = [
        Column("name", name, numeric=False),
        Column("weight", "Weight", definition="Average share of capital", plain="Average weight", unit="ratio"),
        Column("other", "Benchmark", definition="Average share of the benchmark", plain="Average benchmark weight",
               unit="ratio"),
        Column("return", "Return", definition="Of the days on which it was held, mostly on one side", unit="ratio"),
        Column("passive", "Benchmark return", definition="Of its constituents in the segment", unit="ratio"),
        Column("allocation", "Allocation", definition="Being more or less in the segment than the benchmark",
               unit="ratio"),
        Column("selection", "Selection", definition="Doing better in the segment than the benchmark's constituents",
               unit="ratio"),
        *([Column("interaction", "Interaction", definition="Both together", unit="ratio")] if is_linked else []),
        Column("total", TOTAL, definition="All effects of the segment" if is_linked
               else "Of the row; geometric effects of segments do not add up across days, totals compound",
               unit="ratio"),
    ]  # fmt: skip
    rest = [
        ("Benchmark apart", found.apart, "What the constituents did less what the benchmark did"),
    ]
    rows = [
        *(_segment(each) for each in found.segments),
        *({"name": Cell(called, called, hint=hint), "total": _ratio(value)} for called, value, hint in rest),
        {
            "name": Cell("Excess return", "Excess return"),
            "return": _ratio(found.own), "passive": _ratio(found.benchmark), "allocation": _ratio(found.allocation),
            "selection": _ratio(found.selection), "interaction": _ratio(found.interaction),
            "total": _ratio(found.excess),
        },
    ]  # fmt: skip
    return data_table(f"{ID}-brinson-rows", columns, rows, caption="Effects against the benchmark", stack=False)


def fees_table(found: Fees) -> html.Div:
    """Return returns before and after fees by year, the newest first."""
    columns = [
        Column("year", "Year", numeric=False),
        Column("gross", "Gross", definition="Return before fees", unit="ratio"),
        Column("net", "Net", definition="Return after fees", unit="ratio"),
        Column(
            "management",
            "Management fee",
            definition="Share of the value after fees at the start of the year",
            unit="ratio",
        ),
        Column(
            "performance",
            "Performance fee",
            definition="Accrued in the year, paid or not; below 0: taken back",
            unit="ratio",
        ),
        Column("fees", "Both", unit="ratio"),
    ]
    rows = [
        {
            "year": Cell(str(each.year), float(each.year)), "gross": _ratio(each.gross), "net": _ratio(each.net),
            "management": Cell(text.percent(each.management), each.management),
            "performance": Cell(text.percent(each.performance), each.performance),
            "fees": Cell(text.percent(each.fees), each.fees),
        }
        for each in reversed(found.years)
    ]  # fmt: skip
    window = {"year": Cell("Window", "Window"), "gross": _ratio(found.gross_return), "net": _ratio(found.net_return)}
    return data_table(f"{ID}-fees-rows", columns, [window, *rows], caption="Returns and fees by year", stack=False)


def terms(found: Fees) -> str:
    """Return the terms in words."""
    own = found.terms
    said = [
        f"{100 * own.management:.4g} % a year, charged {ACCRUALS[own.accrual]}",
        f"{100 * own.performance:.4g} % of gains",
    ]
    said += [f"above {100 * own.hurdle:.4g} % a year"] if own.hurdle else []
    said += ["with high-water mark" if own.has_high_water_mark else "without high-water mark"]
    said += [f"paid each {PERIODS.get(own.crystallisation, own.crystallisation)}"]
    return ", ".join(said) + ("; values come before them" if found.nav_is == "gross" else "; values come after them")


def how_to_set_fees() -> list[Any]:
    """Return where fees are set."""
    names = ", ".join(RULE[name].label.lower() for name in FEES[:-1])
    return [
        "Shows returns before and after fees, once they are set: ", html.A("Portfolios", href="/portfolios"),
        f" or fundwatch.yaml has {names}, and whether the values are net or gross.",
    ]  # fmt: skip


def _group_name(found: Attribution, by: Group, part: Part, choices: Choices) -> Cell:
    if not part.count:
        return Cell(part.name, part.name, hint=MEANS.get(part.name, ""))
    return Cell(to_group(PATH, found.portfolio, found.book.names, by, part.name, choices), part.name)


def _count(part: Part) -> Cell | None:
    return Cell(text.number(part.count), float(part.count)) if part.count else None


def _part(part: Part) -> dict[str, Any]:
    is_group = part.count > 0
    return {
        "weight": Cell(text.percent(part.weight), part.weight) if is_group else None,
        "pnl": _money(part.pnl),
        "costs": Cell(text.money(part.costs), part.costs) if is_group else None,
        "net": _money(part.net) if part.name != COSTS or is_group else None,
        "added": _ratio(part.added),
    }


def _total(found: Attribution) -> dict[str, Any]:
    return {
        "pnl": _money(found.total_pnl),
        "costs": Cell(text.money(found.total_costs), found.total_costs),
        "net": _money(found.total_pnl),
        "added": _ratio(found.total_return),
    }


def _segment(each: Segment) -> dict[str, Any]:
    return {
        "name": Cell(each.name, each.name),
        "weight": Cell(text.percent(each.weight), each.weight),
        "other": Cell(text.percent(each.benchmark_weight), each.benchmark_weight),
        **{
            key: _ratio(value)
            for key, value in (
                ("return", each.own_return), ("passive", each.benchmark_return), ("allocation", each.allocation),
                ("selection", each.selection), ("interaction", each.interaction), ("total", each.total),
            )
        },
    }  # fmt: skip


def _of(unit: Unit, value: float) -> Cell:
    return _ratio(value) if unit == "return" else _money(value)


def _money(value: float) -> Cell:
    return Cell(text.money(value, signed=True), value, tone=tone(value))


def _ratio(value: float) -> Cell:
    return Cell(text.percent(value, signed=True), value, tone=tone(value))


def options(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return names as choices."""
    return [(name, name) for name in names]
