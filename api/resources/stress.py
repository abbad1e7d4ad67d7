"""What shocks, the worst days there were and own scenarios would cost: the figures of the page Stress."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from api.models import Aged, Answered, Number, day_of
from api.operation import Ask, Operation
from api.portfolios import ID, datasets, finite
from api.resources.risk import NOTHING, TAG, OfRisk, age_of_book, book_asked
from portfolio.risk import Book, lost_of, named_left_out
from portfolio.stress import Outcome, own, restless_risk, scenarios_for, stated, stressed, windows
from storage.state.scenarios import DATASET

if TYPE_CHECKING:
    from core.settings.model import Settings


class OfStress(OfRisk):
    """On which day, over which prices, and how VaR is measured."""

    history: Literal["1y", "2y", "all"] = Field("all", description="Prices in which the worst days are looked for.")


class Loss(Answered):
    """What one shock does to the book."""

    id: str
    name: str
    kind: Literal["market", "sector", "currency", "own", "window"]
    first: date | None = Field(description="Of a window of the past.")
    last: date | None
    pnl: Number = Field(description="Of the book of the day; below 0: a loss. null: it cannot be worked out.")
    nav_ratio: Number = Field(description="Over the net asset value.")
    told: str = Field(description="Why it cannot be worked out, or what it leaves out.")


class RestlessRisk(Answered):
    """Parametric risk with deviations and correlations as they might become."""

    name: str
    value_at_risk: Number
    expected_shortfall: Number


class PortfolioStress(Aged):
    """Losses in the portfolio's currency."""

    portfolio: str
    currency: str
    nav: Number = None
    benchmark: str = Field("", description="What betas are to; empty: the portfolio has none.")
    losses: list[Loss] = Field(default_factory=list)
    restless: list[RestlessRisk] = Field(default_factory=list)
    told: list[str] = Field(description="What must be known beside it, a sentence each.")


def _stress(ask: Ask[OfStress]) -> PortfolioStress:
    portfolio, book, query = book_asked(ask)
    age = age_of_book(ask, portfolio, book).model_dump()
    if book is None:
        return PortfolioStress(portfolio=ask.parts["id"], currency=portfolio.currency, told=[NOTHING], **age)
    found = stressed(ask.stores, book)
    outcomes = (*stated(found), *windows(found), *own(found, scenarios_for(ask.stores, ask.viewer.portfolios)))
    moved = [] if book.returns.lacks else restless_risk(book, query)
    return PortfolioStress(
        portfolio=ask.parts["id"], currency=portfolio.currency, nav=finite(book.found.nav), benchmark=found.benchmark,
        losses=[_loss(each, book.found.nav) for each in outcomes],
        restless=[
            RestlessRisk(name=each.name, value_at_risk=each.risk.value_at_risk,
                         expected_shortfall=each.risk.expected_shortfall)
            for each in moved
        ],
        told=_told(book), **age,
    )  # fmt: skip


def _told(book: Book) -> list[str]:
    """Return what is left out of the losses, a sentence each."""
    lost = named_left_out(book)
    why = f"There are no returns: {book.returns.lacks}." if book.returns.lacks else f"Of no known returns: {lost}."
    return [*([why] if lost or book.returns.lacks else []), *lost_of(book)]


def _loss(each: Outcome, nav: float) -> Loss:
    return Loss(
        id=each.id, name=each.name, kind=each.kind, first=None if each.first is None else day_of(each.first),
        last=None if each.last is None else day_of(each.last), pnl=finite(each.total),
        nav_ratio=finite(each.total / nav) if nav > 0 else None, told=each.why_not or each.told,
    )  # fmt: skip


def _datasets(settings: Settings) -> tuple[str, ...]:
    return (*datasets(settings), DATASET)


OPERATIONS = (
    Operation(
        path="/portfolios/{id}/stress", summary="What shocks, the worst days there were and own scenarios would cost.",
        answer=_stress, model=PortfolioStress, query=OfStress, tag=TAG, parts=ID, datasets=_datasets,
    ),
)  # fmt: skip
