"""What is built from trades beside what is reported, as programs read it."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from api.models import Answered, Number, Page, aged, day_of
from api.operation import Ask, Operation
from api.paging import part_of
from api.parameters import Listed
from api.portfolios import DAY, ID, datasets, finite, portfolio_of
from api.problem import Refused
from portfolio.holdings import report_stale_after_seconds
from portfolio.query import PortfolioQuery
from portfolio.reconciliation import Compared, Reconciliation, reconciliation


class OfBooks(Listed):
    """On which day, and what of it."""

    asof: str = Field("", pattern=DAY, description="Last day (UTC) whose report counts; the newest when left out.")
    only: Literal["", "differing"] = Field("", description="differing: leave out what is within tolerance.")


class ComparedItem(Answered):
    """One position, cash in one currency, or a net asset value, on both sides. null: that side does not have it."""

    what: Literal["position", "cash", "nav"]
    portfolio: str = Field(description="Id of the portfolio whose it is: of a part, where a fund is asked for.")
    name: str = Field(description="Instrument, or currency.")
    currency: str
    built: Number = Field(description="Units of a position, else money in `currency`.")
    reported: Number
    difference: Number = Field(description="Built less reported.")
    worth: Number = Field(description="Of the difference, in the currency of the portfolio that is asked for.")
    worth_ratio: Number = Field(description="Over the net asset value.")
    is_within: bool = Field(description="Whether it is within tolerance; what cannot be compared is not.")
    since: date | None = Field(description="First day of the difference, without a break since.")
    day: date | None = Field(description="Newest day on which both sides were told, which is compared.")


def _answer(ask: Ask[OfBooks]) -> Page[ComparedItem]:
    query, problems = PortfolioQuery.parse({"asof": ask.query.asof})
    if problems:
        raise Refused(422, f"asof is no day: {ask.query.asof}.", field="asof", fix="Write a day such as 2026-01-31.")
    portfolio = portfolio_of(ask)
    found = reconciliation(ask.stores, portfolio, ask.viewer.portfolios, query.as_of)
    compared = (found.beyond if ask.query.only else found.compared) if found else ()
    rows = sorted(((f"{each.what}\n{each.portfolio}\n{each.name}", each) for each in compared), key=lambda row: row[0])
    part, following = part_of(rows, lambda row: (row[0],), ask.begins)
    stale_after = report_stale_after_seconds(portfolio, ask.now)
    source = f"positions, cash, nav, trades, transactions; {portfolio.origin}"
    seen_at = float(found.newest) if found else None
    return Page[ComparedItem](
        items=[_item(each) for _, each in part], next=following, told=_told(found),
        units={"worth": portfolio.currency, "worth_ratio": "ratio"},
        **aged(seen_at if stale_after is not None else None, ask.now, stale_after, source).model_dump(),
    )  # fmt: skip


def _item(each: Compared) -> ComparedItem:
    return ComparedItem(
        what=each.what, portfolio=each.portfolio, name=each.name, currency=each.currency, built=finite(each.built),
        reported=finite(each.reported), difference=finite(each.difference), worth=finite(each.worth),
        worth_ratio=finite(each.share), is_within=each.is_within,
        since=day_of(each.since) if each.since is not None else None, day=day_of(each.day),
    )  # fmt: skip


def _told(found: Reconciliation | None) -> list[str]:
    if found is None:
        return ["No portfolio here reports positions and sends trades."]
    unbuilt = [f"{id} is not compared: {why}." for id, why in found.not_built.items()]
    return [*unbuilt, *(f"Cash of {id} is not built: no money in or out is told." for id in found.without_money)]


OPERATIONS = (
    Operation(
        path="/portfolios/{id}/reconciliation",
        summary="Positions, cash and net asset value built from trades, beside those reported.",
        answer=_answer, model=Page[ComparedItem], query=OfBooks, tag="Portfolios", parts=ID, datasets=datasets,
    ),
)  # fmt: skip
