"""Which portfolios the one who asks may see, the data of one of them, and how old that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from analytics.performance import Window
from api.models import Aged, aged
from api.operation import Ask
from api.parameters import Listed, Parameters
from api.problem import Refused, none_of
from portfolio import given
from portfolio.allowed import seen
from portfolio.chosen import benchmarks, key_of
from portfolio.data import PortfolioData
from portfolio.query import NO_BENCHMARK, PortfolioQuery
from portfolio.reading import read
from portfolio.warnings import warnings
from status.freshness import reading_stale_after_seconds
from storage.state.portfolios import OWN, Portfolio, list_portfolios

if TYPE_CHECKING:
    from core.settings.model import Settings
    from storage.stores import Stores

ID = {"id": "Origin and id of the portfolio, as `id` in /portfolios says: own:alpha."}
DAY = r"^$|^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
WORDS = {
    "Window": "window", "Returns": "frequency", "Risk-free rate": "rf", "Trials": "trials", "Rolling": "rolling",
    "VaR confidence": "confidence", "As of": "asof", "Range": "from", "Benchmark": "benchmark",
}  # fmt: skip
"""First word of what a query says is wrong, and the parameter that it is about."""


class OfPortfolio(Listed):
    """Over which days, beside what, and how."""

    window: Window | Literal[""] = Field("", description="Days up to the newest value; ITD when left out.")
    start: str = Field("", alias="from", pattern=DAY, description="First day instead of a window, as 2026-01-31.")
    end: str = Field("", alias="to", pattern=DAY, description="Last day; the newest when left out.")
    benchmark: str = Field(
        "", max_length=80, description="Key of a benchmark, or none; the portfolio's own when left out."
    )
    rf: str = Field(
        "", max_length=20, description="Risk-free rate in percent a year, as 2.5; that of the currency when left out."
    )
    frequency: Literal["", "D", "W", "M", "Q"] = Field(
        "", description="How often a return is measured; as often as there are values when left out."
    )
    confidence: Literal["", "90", "95", "99"] = Field("", description="Of VaR and expected shortfall; 95 %.")
    trials: str = Field("", pattern=r"^[0-9]*$", max_length=7, description="Strategies tried before this one; 1.")
    rolling: str = Field("", pattern=r"^[0-9]*$", max_length=4, description="Returns in a rolling figure.")
    asof: str = Field("", pattern=DAY, description="The last day that counts; the newest when left out.")


@dataclass(frozen=True, eq=False, slots=True)
class Told:
    """The data of one portfolio as asked for, what must be known beside it, and its age."""

    data: PortfolioData
    told: list[str]
    age: Aged


def allowed(stores: Stores, portfolios: frozenset[str] | None) -> list[Portfolio]:
    """Return the portfolios that may be seen."""
    return seen(list_portfolios(stores.state), portfolios)


def portfolio_of(ask: Ask[Parameters]) -> Portfolio:
    """Return the portfolio of the path. Raises Refused, which names the nearest that may be seen."""
    known = {key_of(each): each for each in allowed(ask.stores, ask.viewer.portfolios)}
    wanted = ask.parts["id"]
    if wanted not in known:
        raise none_of("id", wanted, known, status=404, noun="portfolio")
    return known[wanted]


def data_of(ask: Ask[OfPortfolio]) -> Told:
    """Return what is asked of a portfolio. Raises Refused where it cannot be had as it is asked for."""
    portfolio = portfolio_of(ask)
    given_texts = {name: value for name, value in ask.query.model_dump(by_alias=True).items() if isinstance(value, str)}
    query, problems = PortfolioQuery.parse({**given_texts, "portfolio": key_of(portfolio)})
    if problems:
        raise refusal(problems[0])
    wanted = query.benchmark
    if wanted not in ("", NO_BENCHMARK):
        there = benchmarks(ask.stores, portfolio)
        if wanted not in there:
            raise none_of("benchmark", wanted, [*there, NO_BENCHMARK])
    data = read(ask.stores, query, ask.viewer.portfolios)
    told = [*warnings(ask.stores, data, query), *data.own.told]
    return Told(data, told, age_of(ask.stores, data, ask.now))


def age_of(stores: Stores, data: PortfolioData, now: float) -> Aged:
    """Return how old the values of a portfolio are; a sample, and one that has ended, has no age."""
    portfolio, source = data.portfolio, f"nav, {data.portfolio.origin}"
    if not len(data.nav):
        return Aged(source=source, stale=portfolio.origin == OWN)
    if given.has_ended(portfolio, now):
        return Aged(source=source)
    if portfolio.origin == OWN:
        nav = data.nav
        newest = given.newest_value(portfolio.calendar, data.own.cadence, nav.dates[-1], float(nav.newest))
        return aged(newest.as_of(now), now, newest.stale_after_seconds, source)
    if portfolio.origin == "replay":
        reading = stores.live.reading("replay", stores.settings.machine)
        return aged(reading.ts if reading else None, now, reading_stale_after_seconds(reading), source)
    return Aged(source=source)


def datasets(_settings: Settings) -> tuple[str, ...]:
    """Return the data sets that everything about portfolios is made from."""
    return ("portfolio", "replay")


def finite(value: float) -> float | None:
    """Return a number, None where it is none."""
    return float(value) if np.isfinite(value) else None


def refusal(problem: str) -> Refused:
    """Return what refuses a query of which PortfolioQuery.parse says what is wrong."""
    word, _, rest = problem.partition(": ")
    said, _, instead = rest.rpartition(". ")
    field = WORDS.get(word, "")
    return Refused(422, f"{said or instead}.", field=field, fix=f"Give a {word.lower()} that can be, or leave it out.")
