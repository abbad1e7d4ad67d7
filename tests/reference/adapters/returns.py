"""Cases about returns, over any span."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analytics import calendar, money_weighted, returns
from analytics.block import Block
from tests.reference.case import Case, Floats, Metric

SECONDS_A_YEAR = 31_557_600.0


def rows(case: Case) -> Block:
    """Return the returns of the case on complete rows."""
    return Block.of(case.values)


def annual_return(case: Case) -> Floats:
    counts_all = case.get("count") == "all"
    values = Block.of(case.series.to_numpy(dtype=np.float64) if counts_all else case.values)
    return np.asarray(returns.annual_return(values, case.periods, case.geometric, 0.0, counts_all))


def cumulative_return_at(case: Case) -> float:
    grown = returns.wealth(case.series.to_numpy(dtype=np.float64))[1:][case.get("i", -1)]
    start = float(case.get("start_value") or 0.0)
    return float(grown * start if start else grown - 1.0)


def price_total_return(case: Case) -> float:
    return float(returns.total_return(returns.simple_returns(case.values)))


def twr_daily_flows(case: Case) -> float:
    money = (case.table["inflow"] - case.table["outflow"]).to_numpy(dtype=np.float64)
    daily = returns.flow_returns(case.table["value"].to_numpy(dtype=np.float64), money, opening=0.0)
    place = case.get("i", -1)
    return float(daily[place] if case.get("field") == "daily" else returns.cumulative_returns(daily)[place])


def period_return(case: Case) -> float:
    """Return the return of the i-th calendar period, or of a labelled one: a year, or (year, number in it)."""
    frequency = case.get("freq")
    numbers, found = calendar.period_returns(case.dates, case.values, frequency)
    if case.get("label") is None:
        return float(found[case.get("i", 0)])
    place = np.flatnonzero(numbers == labelled(frequency, case.get("label")))
    return float(found[place[0]]) if len(place) else float("nan")


def labelled(frequency: calendar.Frequency, label: int | list[int]) -> int:
    """Return the bucket of a label."""
    if isinstance(label, int):
        return label
    year, number = label
    if frequency == "W":
        first = np.array([f"{year}-01-04"], dtype="datetime64[D]")
        return int(calendar.buckets(first, "W")[0]) + number - 1
    months = {"M": number - 1, "Q": 3 * (number - 1), "Y": 0}[frequency]
    day = (np.datetime64(str(year), "M") + months).astype("datetime64[D]")
    return int(calendar.buckets(np.array([day]), frequency)[0])


def cagr_prices(case: Case) -> float:
    prices = case.series.dropna()
    index = pd.DatetimeIndex(prices.index)
    years = (index[-1] - index[0]).total_seconds() / SECONDS_A_YEAR
    return returns.growth_rate(float(prices.iloc[0]), float(prices.iloc[-1]), years)


def xirr(case: Case) -> float:
    bracket = case.get("bracket")
    limits = None if bracket is None else (float(bracket[0]), float(bracket[1]))
    return money_weighted.xirr(case.get("dates"), case.get("values"), limits)


METRICS: dict[str, Metric] = {
    "n_observations": lambda c: returns.observations(rows(c))[0],
    "total_return": lambda c: returns.total_return(rows(c), c.geometric)[0],
    "annual_return": lambda c: annual_return(c)[0],
    "mean_return": lambda c: returns.mean_return(rows(c), c.periods)[0],
    "geometric_mean": lambda c: returns.geometric_mean(rows(c))[0],
    "maximum": lambda c: returns.best(rows(c))[0],
    "minimum": lambda c: returns.worst(rows(c))[0],
    "cumulative_return_at": cumulative_return_at,
    "price_total_return": price_total_return,
    "twr_daily_flows": twr_daily_flows,
    "twr_link": lambda c: returns.total_return(c.get("sub_returns")),
    "modified_dietz": lambda c: returns.modified_dietz(c.get("v0"), c.get("v1"), c.get("days"), c.get("flows")),
    "xirr": xirr,
    "cagr_balances": lambda c: returns.growth_rate(c.get("start_balance"), c.get("final"), c.get("days") / 365.0),
    "cagr_prices": cagr_prices,
    "period_return": period_return,
}
