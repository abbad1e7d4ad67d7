"""What a portfolio may lose, and what each position has of it: the figures of the page Risk."""

from __future__ import annotations

from datetime import date
from typing import Literal

import numpy as np
from pydantic import Field

from api.models import Aged, Answered, Number, aged, day_of
from api.operation import Ask, Operation
from api.parameters import Parameters
from api.portfolios import DAY, ID, datasets, finite, portfolio_of
from api.problem import Refused
from portfolio.book_liquidity import liquidity_of
from portfolio.holdings import Group, report_stale_after_seconds
from portfolio.query import PortfolioQuery
from portfolio.risk import Book, Risk, book_of, lost_of, risk_of
from portfolio.risk_backtest import PastRisk, past_risk_of
from portfolio.risk_query import DEFAULT_HISTORY, Method, RiskQuery
from storage.state.portfolios import Portfolio

TAG = "Portfolios"
NOTHING = "No positions were reported."
SUM = "Positions add up to it."


class OfRisk(Parameters):
    """On which day, and how risk is measured."""

    asof: str = Field("", pattern=DAY, description="Last day (UTC) whose report counts; the newest when left out.")
    level: Literal["95", "99"] = Field("95", description="Of VaR and expected shortfall, in percent.")
    horizon: Literal["1", "10"] = Field("1", description="Days.")
    method: Literal["historical", "parametric", "cornish_fisher"] = Field(
        "historical", description="Of what positions have; historical is told where Cornish-Fisher does not hold."
    )
    history: Literal["1y", "2y", "all"] = Field(DEFAULT_HISTORY, description="Returns that it is worked out from.")
    by: Literal["portfolio", "sector", "asset_class", "industry", "currency", "country", "instrument"] = Field(
        "sector", description="What positions are added up by."
    )


class Measure(Answered):
    """VaR and expected shortfall by one method, as positive losses in the portfolio's currency."""

    method: str
    value_at_risk: Number
    expected_shortfall: Number


class PositionRisk(Answered):
    """What a position has of the risk."""

    portfolio: str = Field(description="Id of the portfolio that holds it.")
    instrument: str
    value: Number
    marginal_var_ratio: Number = Field(description="VaR that one more unit of currency in it adds.")
    component_var: Number = Field(description=f"Value × marginal. {SUM}")
    incremental_var: Number = Field(description="What VaR falls by when it is sold; these do not add up.")
    component_es: Number = Field(description=f"{SUM}")


class GroupRisk(Answered):
    """What positions of a group have of the risk."""

    group: str
    value: Number
    component_var: Number
    component_es: Number


class LeftOut(Answered):
    """What has no part in the figures."""

    instrument: str
    why: str
    gross: Number


class ModelTest(Answered):
    """The VaR that was to be said of each day of the last year, held against what came."""

    method: str = Field(description="Of the VaR that was to be said.")
    historical_days: int = Field(description="Days on which the method does not hold: the historical VaR counts there.")
    observations: int
    exceedances: int
    expected: Number
    kupiec_p: Number
    christoffersen_p: Number
    left_out_ratio: Number = Field(description="Of the exposure there was: it is in what came, not in the VaR.")
    zone: str = Field(description="green, yellow or red: the traffic light of the Basel Committee (1996).")


class OutBy(Answered):
    """How much of the book is out within so many days."""

    days: float
    gross_ratio: Number


class PortfolioRisk(Aged):
    """The risk of what is held; money in the portfolio's currency."""

    portfolio: str
    currency: str
    method: str = Field("", description="Of positions and groups; empty: no risk can be worked out.")
    nav: Number = None
    first: date | None = Field(None, description="Day on which the returns begin.")
    last: date | None = None
    days: int = 0
    measures: list[Measure] = Field(default_factory=list)
    volatility_ratio: Number = Field(None, description="Of the book over NAV, a year.")
    realised_volatility_ratio: Number = Field(None, description="Of the portfolio's own returns on the same days.")
    diversification_ratio: Number = None
    effective_bets: Number = None
    beta: Number = None
    benchmark: str = ""
    positions: list[PositionRisk] = Field(default_factory=list)
    groups: list[GroupRisk] = Field(default_factory=list)
    back_test: ModelTest | None = Field(None, description="null: no day of the last year can be tested.")
    liquidity: list[OutBy] = Field(default_factory=list)
    left_out: list[LeftOut] = Field(default_factory=list)
    left_out_ratio: Number = Field(None, description="Of gross exposure.")
    told: list[str] = Field(description="What must be known beside it, a sentence each.")


def query_of(ask: Ask[OfRisk]) -> tuple[RiskQuery, np.datetime64 | None]:
    """Return how risk is measured and the day asked for. Raises Refused for a day that is none."""
    days, problems = PortfolioQuery.parse({"asof": ask.query.asof})
    if problems:
        raise Refused(422, f"asof is no day: {ask.query.asof}.", field="asof", fix="Write a day such as 2026-01-31.")
    return RiskQuery.parse(ask.query.model_dump(include={"level", "horizon", "method", "history"}))[0], days.as_of


def book_asked(ask: Ask[OfRisk]) -> tuple[Portfolio, Book | None, RiskQuery]:
    """Return the portfolio, its book (None: it told no positions) and how risk is measured. Raises Refused."""
    portfolio, (query, as_of) = portfolio_of(ask), query_of(ask)
    return portfolio, book_of(ask.stores, portfolio, ask.viewer.portfolios, as_of, query), query


def age_of_book(ask: Ask[OfRisk], portfolio: Portfolio, book: Book | None) -> Aged:
    """Return how old the report is that figures are of."""
    source = f"positions and prices, {portfolio.origin}"
    stale_after = report_stale_after_seconds(portfolio, ask.now)
    if stale_after is None:
        return Aged(source=source)
    return aged(float(book.found.newest) if book is not None else None, ask.now, stale_after, source)


def _risk(ask: Ask[OfRisk]) -> PortfolioRisk:
    portfolio, book, query = book_asked(ask)
    age = age_of_book(ask, portfolio, book).model_dump()
    if book is None or book.returns.lacks:
        why = f"No risk can be worked out: {book.returns.lacks}." if book is not None else NOTHING
        told = [why, *(lost_of(book) if book is not None else [])]
        return PortfolioRisk(portfolio=ask.parts["id"], currency=portfolio.currency, told=told, **age)
    risk = risk_of(ask.stores, book, query)
    past = past_risk_of(ask.stores, portfolio, ask.viewer.portfolios, query, book.newest, book.returns.stored)
    group: Group = ask.query.by
    steps = liquidity_of([each for each in book.found.positions if np.isfinite(each.value)]).steps
    return PortfolioRisk(
        portfolio=ask.parts["id"], currency=portfolio.currency, method=risk.method, nav=finite(book.found.nav),
        first=day_of(book.returns.begins), last=day_of(book.returns.days[-1]), days=len(book.returns.days),
        measures=[
            Measure(method=method, value_at_risk=each.value_at_risk, expected_shortfall=each.expected_shortfall)
            for method, each in risk.by_method.items()
        ],
        volatility_ratio=finite(risk.predicted_volatility), realised_volatility_ratio=finite(risk.realised_volatility),
        diversification_ratio=finite(risk.diversification_ratio), effective_bets=finite(risk.principal.effective_bets),
        beta=finite(risk.beta), benchmark=risk.benchmark, positions=_positions(risk),
        groups=[
            GroupRisk(group=each.name, value=each.value, component_var=each.component_var,
                      component_es=each.component_es)
            for each in (risk.all(), *risk.by(group))
        ],
        back_test=_tested(past),
        liquidity=[
            OutBy(days=days, gross_ratio=finite(share))
            for days, share in zip(steps.days.tolist(), steps.share.tolist(), strict=True)
        ],
        left_out=[
            LeftOut(instrument=each.key.instrument, why=each.why, gross=each.gross) for each in book.returns.left_out
        ],
        left_out_ratio=finite(book.returns.left_out_ratio), told=[*risk.told, *lost_of(book)],
        **age,
    )  # fmt: skip


def _positions(risk: Risk) -> list[PositionRisk]:
    whole: Method = risk.method
    found = risk.by_method[whole]
    return [
        PositionRisk(
            portfolio=each.portfolio, instrument=each.instrument, value=each.value,
            marginal_var_ratio=finite(found.marginal_var[at]), component_var=finite(found.component_var[at]),
            incremental_var=finite(found.incremental_var[at]), component_es=finite(found.component_es[at]),
        )
        for at, each in enumerate(risk.book.positions)
    ]  # fmt: skip


def _tested(past: PastRisk | None) -> ModelTest | None:
    if past is None:
        return None
    found = past.result
    return ModelTest(
        method=past.method, historical_days=past.historical_days,
        observations=found.observations, exceedances=found.exceedances, expected=finite(found.expected),
        kupiec_p=finite(found.kupiec_p), christoffersen_p=finite(found.christoffersen_p), zone=past.zone,
        left_out_ratio=finite(past.left_out_ratio),
    )  # fmt: skip


OPERATIONS = (
    Operation(
        path="/portfolios/{id}/risk", summary="What a portfolio may lose: VaR and ES by position, back-test.",
        answer=_risk, model=PortfolioRisk, query=OfRisk, tag=TAG, parts=ID, datasets=datasets,
    ),
)  # fmt: skip
