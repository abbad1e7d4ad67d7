"""The figures above the parts of risk: VaR and ES by method, volatility, diversification, beta."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from core import format as text
from core.model import Status
from dashboard.components.card import card, verdict
from dashboard.portfolio.choice_bar import adjusted_line
from portfolio.risk import Book, Risk, lost_of, named_left_out
from portfolio.risk_query import METHODS, Method

ID = "risk"
SAID: Mapping[Method, str] = {
    "historical": "historical", "parametric": "parametric", "cornish_fisher": "Cornish-Fisher",
}  # fmt: skip


def strip(risk: Risk) -> list[html.Article]:
    """Return the cards."""
    book, query = risk.book, risk.query
    nav, currency = book.found.nav, book.found.portfolio.currency
    of = f"{query.level_name}, {query.horizon_name}, of today's book over {text.count(len(book.returns.days), 'day')}"
    losses = []
    for method, found in risk.by_method.items():
        for word, value, meaning in (
            ("VaR", found.value_at_risk, "The loss that is not exceeded with this probability"),
            ("ES", found.expected_shortfall, "Expected shortfall: the mean loss beyond VaR"),
        ):
            losses.append(
                card(f"{ID}-{word.lower()}-{method}", f"{word}, {SAID[method]}", text.money(value), currency,
                     why=f"{text.percent(_over(value, nav))} of NAV", definition=f"{meaning}. {METHODS[method]}, {of}")
            )  # fmt: skip
    return [
        *losses,
        card(f"{ID}-volatility", "Volatility", text.percent(risk.predicted_volatility),
             why=f"realised {text.percent(risk.realised_volatility)}",
             definition="A year: of today's book (Ledoit-Wolf covariance) over NAV; realised: of the portfolio's own "
                        "returns over the same days"),
        card(f"{ID}-diversification", "Diversification ratio", text.ratio(risk.diversification_ratio),
             why="1: all move as one",
             definition="Volatilities of the instruments added up, over that of the book (Choueifaty 2008)"),
        card(f"{ID}-bets", "Effective bets", text.number(risk.principal.effective_bets, 1),
             why=f"of {text.count(len(book.returns.keys), 'instrument')}",
             definition="exp of the entropy of the book's variance by principal component (Meucci 2009)"),
        card(f"{ID}-beta", "Beta", text.ratio(risk.beta),
             why=f"to {risk.benchmark}" if risk.benchmark else "the portfolio has no benchmark",
             definition="What the portfolio moves when its benchmark moves by one: value × beta of each, over NAV"),
    ]  # fmt: skip


def remarks(risk: Risk | None, book: Book, problems: Sequence[str]) -> list[Any]:
    """Return what must be known before the figures: choices that could not be, and what is left out."""
    told = risk.told if risk is not None else ()
    return [*adjusted_line(problems), *left_out_line(book, told)]


def left_out_line(book: Book, told: Sequence[str] = ()) -> list[Any]:
    """Return the line of what is told, and of what is left out; none without either."""
    said = [*told, *left_out(book)]
    return [verdict(Status.WARNING, " ".join(said), word="not all of it")] if said else []


def left_out(book: Book) -> list[str]:
    """Return which positions have no part in the figures, why, and how much of gross exposure they are."""
    said = []
    lost = named_left_out(book)
    if book.returns.lacks:
        said.append(f"There are no returns: {book.returns.lacks}.")
    elif lost:
        share = text.percent(book.returns.left_out_ratio)
        said.append(f"Left out: {lost}; of gross exposure that is {share}.")
    return [*said, *lost_of(book)]


def _over(value: float, nav: float) -> float:
    return value / nav if nav > 0 else math.nan
