"""What a portfolio holds on a day, position by position and added up by group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import Field

from api.models import Aged, Answered, Number, Page, aged
from api.operation import Ask, Operation
from api.paging import part_of
from api.parameters import Listed
from api.portfolios import DAY, ID, datasets, finite, portfolio_of
from api.problem import Refused
from core.format import first_of
from portfolio.costs import REPORTED, costed
from portfolio.day_holdings import holdings
from portfolio.holdings import Held, Holding, Holdings, report_stale_after_seconds
from portfolio.price_doubts import price_doubts
from portfolio.query import PortfolioQuery

TAG = "Portfolios"


class OfDay(Listed):
    """On which day."""

    asof: str = Field("", pattern=DAY, description="Last day (UTC) whose report counts; the newest when left out.")


class OfPositions(OfDay):
    """On which day, and how costs are known."""

    cost: Literal["reported", "fifo", "average"] = Field(
        "reported", description="Average cost as reported, or worked out from trades where they explain the position."
    )


class OfGroups(OfDay):
    """On which day, added up by what."""

    by: Literal["portfolio", "sector", "asset_class", "industry", "currency", "country", "instrument"] = Field(
        "sector", description="What positions are added up by."
    )


class HeldPosition(Answered):
    """One position; money in the portfolio's currency but for price and cost. Profit that nobody can know is null."""

    portfolio: str = Field(description="Id of the portfolio that holds it: of a part, where a fund is asked for.")
    instrument: str
    name: str
    asset_class: str
    sector: str
    currency: str
    quantity: Number
    price: Number
    price_doubt: str = Field(description="Why the price is hard to believe; empty: nothing speaks against it.")
    average_cost: Number
    value: Number
    weight_ratio: Number = Field(description="Value over the net asset value.")
    day: Number = Field(description="Profit and loss since the report of the day before.")
    day_return_ratio: Number
    month: Number = Field(description="Since the last report of last month.")
    total: Number = Field(description="Since the first trade.")
    unrealised: Number
    realised: Number
    held_days: Number
    volume_ratio: Number = Field(description="Quantity over the average daily volume.")
    liquidate_days: Number


class Exposure(Answered):
    """Positions added up; the group All is all of them. Day, month and total include what was closed meanwhile.
    What nobody can know is left out of a sum, and null where nothing of it is known.
    """

    group: str
    positions: int
    long: Number
    short: Number = Field(description="0 or below.")
    net: Number
    gross: Number
    net_ratio: Number = Field(description="Net over the net asset value.")
    gross_ratio: Number
    day: Number
    month: Number
    total: Number


MONEY = ("value", "day", "month", "total", "unrealised", "realised", "long", "short", "net", "gross")


def _holdings(ask: Ask[OfPositions]) -> Page[HeldPosition]:
    told = _read(ask)
    costs = costed(ask.stores, told, ask.viewer.portfolios, ask.query.cost) if told else None
    found = costs.holdings if costs else None
    rows = [(f"{each.portfolio}\n{each.instrument}", each) for each in found.positions] if found else []
    part, following = part_of(sorted(rows, key=lambda row: row[0]), lambda row: (row[0],), ask.begins)
    doubts = price_doubts(ask.stores, found) if found else {}
    units = {
        **dict.fromkeys(MONEY[:6], portfolio_of(ask).currency), "quantity": "count", "held_days": "days",
        "liquidate_days": "days", "weight_ratio": "ratio", "day_return_ratio": "ratio", "volume_ratio": "ratio",
    }  # fmt: skip
    return Page[HeldPosition](
        items=[_position(each, doubts.get((each.portfolio, each.instrument), "")) for _, each in part],
        next=following, units=units,
        told=[*_told(found, doubts), *([f"Cost {costs.said}."] if costs and costs.method != REPORTED else [])],
        **_age(ask, found).model_dump(),
    )  # fmt: skip


def _exposure(ask: Ask[OfGroups]) -> Page[Exposure]:
    found = _read(ask)
    groups = [*found.by(ask.query.by), found.all()] if found else []
    part, following = part_of(
        sorted(((each.name, each) for each in groups), key=lambda row: row[0]), lambda row: (row[0],), ask.begins
    )
    units = dict.fromkeys(MONEY, portfolio_of(ask).currency) | {"net_ratio": "ratio", "gross_ratio": "ratio"}
    return Page[Exposure](
        items=[_group(each, found.nav if found else np.nan) for _, each in part], next=following, units=units,
        told=_told(found, price_doubts(ask.stores, found) if found else {}), **_age(ask, found).model_dump(),
    )  # fmt: skip


def _read(ask: Ask[OfDay]) -> Holdings | None:
    query, problems = PortfolioQuery.parse({"asof": ask.query.asof})
    if problems:
        raise Refused(422, f"asof is no day: {ask.query.asof}.", field="asof", fix="Write a day such as 2026-01-31.")
    return holdings(ask.stores, portfolio_of(ask), ask.viewer.portfolios, query.as_of)


def _position(each: Holding, doubt: str) -> HeldPosition:
    return HeldPosition(
        portfolio=each.portfolio, instrument=each.instrument, name=each.about.name, asset_class=each.about.asset_class,
        sector=each.about.sector, currency=each.currency, quantity=finite(each.quantity), price=finite(each.price),
        price_doubt=doubt, average_cost=finite(each.average_cost), value=finite(each.value),
        weight_ratio=finite(each.weight),
        day=finite(each.day), day_return_ratio=finite(each.day_return), month=finite(each.month),
        total=finite(each.total), unrealised=finite(each.unrealised), realised=finite(each.realised),
        held_days=finite(each.held_days), volume_ratio=finite(each.volume_share),
        liquidate_days=finite(each.liquidate_days),
    )  # fmt: skip


def _group(each: Held, nav: float) -> Exposure:
    return Exposure(
        group=each.name, positions=each.count, long=finite(each.long), short=finite(each.short), net=finite(each.net),
        gross=finite(each.gross), net_ratio=finite(each.net / nav) if nav > 0 else None,
        gross_ratio=finite(each.gross / nav) if nav > 0 else None, day=finite(each.day), month=finite(each.month),
        total=finite(each.total),
    )  # fmt: skip


def _told(found: Holdings | None, doubts: Mapping[tuple[str, str], str]) -> list[str]:
    if found is None:
        return ["No positions were reported."]
    told = [f"There is no rate for {each}: its positions have no value here." for each in found.no_rate]
    told += [f"Positions of {each} are built from its trades." for each in found.built]
    if doubts:
        names = first_of(sorted({instrument for _, instrument in doubts}))
        told.append(f"Prices that are hard to believe: {names}. /holdings says why.")
    unknown = found.all().unknown
    return [*told, f"{unknown} of no known profit are left out of the sums."] if unknown else told


def _age(ask: Ask[OfDay], found: Holdings | None) -> Aged:
    portfolio = portfolio_of(ask)
    source = f"positions, {portfolio.origin}"
    stale_after = report_stale_after_seconds(portfolio, ask.now)
    if stale_after is None:
        return Aged(source=source)
    return aged(float(found.newest) if found else None, ask.now, stale_after, source)


OPERATIONS = (
    Operation(
        path="/portfolios/{id}/holdings", summary="What a portfolio holds on a day, by portfolio and instrument.",
        answer=_holdings, model=Page[HeldPosition], query=OfPositions, tag=TAG, parts=ID, datasets=datasets,
    ),
    Operation(
        path="/portfolios/{id}/exposure", summary="What a portfolio holds on a day, added up by group.",
        answer=_exposure, model=Page[Exposure], query=OfGroups, tag=TAG, parts=ID, datasets=datasets,
    ),
)  # fmt: skip
