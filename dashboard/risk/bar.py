"""The choices that pages of risk have in common, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboard.components.choices import choice_segments, choice_select
from dashboard.portfolio.common_choices import as_of_choice, portfolio_choice
from portfolio.allowed import Limits, seen
from portfolio.chosen import chosen_portfolio
from portfolio.instrument_returns import HISTORIES, History
from portfolio.query import PortfolioQuery
from portfolio.risk import Book, book_of
from portfolio.risk_query import DEFAULT_HISTORY, HORIZONS, LEVELS, METHODS, RiskQuery
from storage.state.portfolios import Portfolio, list_portfolios

if TYPE_CHECKING:
    import numpy as np

    from dashboard.views.tab import Choices
    from storage.stores import Stores

FEED = (
    "Programs send positions, prices, cash and trades (docs/your-data.md), or files in the inbox of the data folder: "
    "positions.csv with portfolio, ts, instrument, quantity, price; prices with instrument, ts, price."
)


@dataclass(frozen=True, eq=False, slots=True)
class Asked:
    """What the choices of a page of risk mean, and what is held."""

    query: RiskQuery
    portfolio: Portfolio | None
    as_of: np.datetime64 | None
    book: Book | None
    problems: tuple[str, ...]
    """Choices that could not be read."""

    @property
    def nothing(self) -> str:
        """Return why nothing is held that is known."""
        when = f" on or before {self.as_of}" if self.as_of is not None else " yet"
        return f"{self.portfolio.name} reported no positions{when}" if self.portfolio else "No portfolio yet"


def portfolio_choices(
    tab: str, stores: Stores, choices: Choices, limits: Limits, history: History = DEFAULT_HISTORY
) -> list[Any]:
    """Return the controls of portfolio, day, level, horizon and history."""
    known = seen(list_portfolios(stores.state), limits)
    return [
        portfolio_choice(tab, known, choices),
        as_of_choice(tab, choices),
        choice_segments(tab, "level", [(name, f"{name} %") for name in LEVELS], choices, default="95",
                        label="Level of VaR"),
        choice_segments(tab, "horizon", [(name, "1 day" if name == "1" else f"{name} days") for name in HORIZONS],
                        choices, default="1", label="Horizon of VaR"),
        choice_select(tab, "history", [*HISTORIES.items()], choices, default=history, label="History"),
    ]  # fmt: skip


def method_choice(tab: str, choices: Choices) -> Any:
    """Return the control of the method."""
    return choice_select(tab, "method", [*METHODS.items()], choices, default="historical", label="Method")


def asked_of(stores: Stores, choices: Choices, limits: Limits, history: History = DEFAULT_HISTORY) -> Asked:
    """Return what the choices mean, with what is held then. Raises StorageUnavailable, StorageRejected.

    history: that of a page whose choices name none.
    """
    query, bad_query = PortfolioQuery.parse({name: choices[name] for name in ("portfolio", "asof") if name in choices})
    risk_query, bad_risk = RiskQuery.parse({"history": history, **choices})
    known = seen(list_portfolios(stores.state), limits)
    portfolio, not_there = chosen_portfolio(stores, known, query.portfolio)
    book = book_of(stores, portfolio, limits, query.as_of, risk_query) if portfolio is not None else None
    return Asked(risk_query, portfolio, query.as_of, book, (*not_there, *bad_query, *bad_risk))
