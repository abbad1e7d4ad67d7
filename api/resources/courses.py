"""A portfolio over time: its returns, values, drawdowns and rolling figures."""

from __future__ import annotations

import datetime

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from analytics.drawdown import Episode
from analytics.performance import Track, worst
from api.models import Answered, Number, Page, day_of
from api.operation import Ask, Operation
from api.paging import part_of
from api.portfolios import ID, OfPortfolio, data_of, datasets, finite
from portfolio.data import PortfolioData
from portfolio.rolling import rolling

TAG = "Portfolios"
Dates = NDArray[np.datetime64]


class Return(Answered):
    """A time-weighted return, from the date before in the list."""

    date: datetime.date
    return_ratio: Number = Field(description="null on the first date, and across a gap.")
    growth_ratio: Number = Field(description="What 1 at the beginning has become.")
    benchmark_return_ratio: Number


class NetAssetValue(Answered):
    """A value, and the money that came in since the one before."""

    date: datetime.date
    nav: Number
    flow: Number = Field(description="Into the portfolio; negative: taken out.")


class Drawdown(Answered):
    """A fall from a best day so far until the day back at it."""

    peak: datetime.date
    trough: datetime.date
    recovery: datetime.date | None = Field(description="First day back at the peak; null: not yet.")
    depth_ratio: float
    down_days: int = Field(description="Calendar days from the peak to the trough.")
    back_days: int | None = Field(description="Calendar days from the trough to the recovery.")


class Rolling(Answered):
    """Figures over the last returns of a day."""

    date: datetime.date
    sharpe: Number
    volatility_ratio: Number = Field(description="A year.")
    beta: Number = Field(description="Against the benchmark.")


def _returns(ask: Ask[OfPortfolio]) -> Page[Return]:
    told = data_of(ask)
    own, beside = told.data.part, told.data.part_benchmark
    theirs = _on(beside.dates, beside.returns, own.dates) if beside is not None else np.full(len(own), np.nan)
    part, following = part_of(_days(own.dates), lambda row: (row[0],), ask.begins)
    items = [
        Return(
            date=day_of(own.dates[place]), return_ratio=finite(own.returns[place]),
            growth_ratio=finite(own.index[place]), benchmark_return_ratio=finite(theirs[place]),
        )
        for _, place in part
    ]  # fmt: skip
    units = dict.fromkeys(("return_ratio", "growth_ratio", "benchmark_return_ratio"), "ratio")
    return Page[Return](items=items, next=following, units=units, told=told.told, **told.age.model_dump())


def _navs(ask: Ask[OfPortfolio]) -> Page[NetAssetValue]:
    told = data_of(ask)
    nav, window = told.data.nav, told.data.part.dates
    inside = (nav.dates >= window[0]) & (nav.dates <= window[-1]) if len(window) else np.zeros(len(nav), dtype=bool)
    days, values, flows = nav.dates[inside], nav.value[inside], nav.flow[inside]
    part, following = part_of(_days(days), lambda row: (row[0],), ask.begins)
    items = [
        NetAssetValue(date=day_of(days[place]), nav=finite(values[place]), flow=finite(flows[place]))
        for _, place in part
    ]
    units = dict.fromkeys(("nav", "flow"), told.data.portfolio.currency)
    return Page[NetAssetValue](items=items, next=following, units=units, told=told.told, **told.age.model_dump())


def _drawdowns(ask: Ask[OfPortfolio]) -> Page[Drawdown]:
    told = data_of(ask)
    own = told.data.part
    found = sorted((_drawdown(own, each) for each in worst(own, len(own))), key=lambda each: each.peak)
    part, following = part_of(found, lambda each: (each.peak.isoformat(),), ask.begins)
    units = {"depth_ratio": "ratio", "down_days": "days", "back_days": "days"}
    return Page[Drawdown](items=part, next=following, units=units, told=told.told, **told.age.model_dump())


def _drawdown(own: Track, episode: Episode) -> Drawdown:
    peak, trough = day_of(own.dates[max(episode.peak, 0)]), day_of(own.dates[episode.trough])
    recovery = day_of(own.dates[episode.recovery]) if episode.recovery is not None else None
    return Drawdown(
        peak=peak, trough=trough, recovery=recovery, depth_ratio=episode.depth, down_days=(trough - peak).days,
        back_days=(recovery - trough).days if recovery else None,
    )  # fmt: skip


def _rolling(ask: Ask[OfPortfolio]) -> Page[Rolling]:
    told = data_of(ask)
    data, days = told.data, told.data.part.dates
    found = rolling(data.own, data) if _has_any(data) else None
    nothing = np.full(len(days), np.nan)
    whole = data.whole.dates
    sharpe = _on(whole, found.sharpe, days) if found else nothing
    volatility = _on(whole, found.volatility, days) if found else nothing
    beta = _on(whole, found.beta, days) if found and found.beta is not None else nothing
    part, following = part_of(_days(days), lambda row: (row[0],), ask.begins)
    items = [
        Rolling(
            date=day_of(days[place]), sharpe=finite(sharpe[place]), volatility_ratio=finite(volatility[place]),
            beta=finite(beta[place]),
        )
        for _, place in part
    ]  # fmt: skip
    units = {"sharpe": "ratio", "volatility_ratio": "ratio", "beta": "ratio"}
    said = [f"Over the last {data.rolling} {data.units}.", *told.told]
    return Page[Rolling](items=items, next=following, units=units, told=said, **told.age.model_dump())


def _has_any(data: PortfolioData) -> bool:
    return len(data.whole) > data.rolling


def _days(dates: Dates) -> list[tuple[str, int]]:
    """Return the days as texts with their places."""
    return [(str(day), place) for place, day in enumerate(dates)]


def _on(dates: Dates, values: NDArray[np.float64], days: Dates) -> NDArray[np.float64]:
    """Return `values`, which are of `dates`, on `days`; NaN on those that have none."""
    if not len(dates):
        return np.full(len(days), np.nan)
    at = np.minimum(np.searchsorted(dates, days), len(dates) - 1)
    return np.where(dates[at] == days, values[at], np.nan)


OPERATIONS = (
    Operation(path="/portfolios/{id}/returns", summary="Time-weighted returns, the benchmark's beside them.",
              answer=_returns, model=Page[Return], query=OfPortfolio, tag=TAG, parts=ID, datasets=datasets),
    Operation(path="/portfolios/{id}/nav", summary="Values and external money by day.", answer=_navs,
              model=Page[NetAssetValue], query=OfPortfolio, tag=TAG, parts=ID, datasets=datasets),
    Operation(path="/portfolios/{id}/drawdowns", summary="Every drawdown of the window.", answer=_drawdowns,
              model=Page[Drawdown], query=OfPortfolio, tag=TAG, parts=ID, datasets=datasets),
    Operation(path="/portfolios/{id}/rolling", summary="Rolling Sharpe ratio, volatility and beta.", answer=_rolling,
              model=Page[Rolling], query=OfPortfolio, tag=TAG, parts=ID, datasets=datasets),
)  # fmt: skip
