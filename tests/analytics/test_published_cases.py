"""Every figure against the numbers that others published for it."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics import calendar, drawdown, ratios, returns, risk

HERE = Path(__file__).parent.parent / "reference"
CASES = json.loads((HERE / "cases.json").read_text(encoding="utf-8"))

INTENDED_DEPARTURES = {
    "EMPYRICAL:zero_dispersion:zd_const_pos": "nothing varies: no ratio, not an infinite one",
    "EMPYRICAL:zero_dispersion:zd_const_neg": "nothing varies: no ratio, not an infinite one",
}


@cache
def table(name: str) -> dict[str, np.ndarray]:
    with (HERE / "inputs" / name).open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    columns: dict[str, np.ndarray] = {"date": np.array([row[0][:10] for row in rows], dtype="datetime64[D]")}
    for at, column in enumerate(header[1:], start=1):
        columns[column] = np.array([float(row[at]) if row[at] not in ("", "nan", "NA") else math.nan for row in rows])
    return columns


class Case:
    """One case: its column, dates and parameters; `joined` gives columns on complete rows."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw, self.params = raw, raw["params"]
        self.columns = table(raw["input_file"]) if raw["input_file"] else {}
        if self.columns:
            rows = slice(*self.params.get("rows", [None]))
            self.dates = self.columns["date"][rows]
            self.values = self.columns[raw["column"]][rows] if raw["column"] else np.array([])
        self.periods = self.params.get("periods", 1)

    @property
    def rate(self) -> Any:
        return self.columns[self.params["rf_column"]] if "rf_column" in self.params else self.params.get("rf", 0.0)

    @property
    def target(self) -> Any:
        return self.columns[self.params["mar_column"]] if "mar_column" in self.params else self.params.get("mar", 0.0)


def drawdown_field(case: Case) -> float:
    """Return a field of the worst spells; counts as in PerformanceAnalytics, from the first day under water on."""
    levels = case.values if case.params.get("prices") else returns.wealth(returns.observed(case.values))
    offset = 0 if case.params.get("prices") else 1
    days = case.dates if offset == 0 else case.dates[~np.isnan(case.values)]
    spell = drawdown.worst_episodes(levels, case.params["rank"] + 1)[case.params["rank"]]
    dated = {"peak": spell.peak, "start": spell.peak + 1, "trough": spell.trough, "end": spell.recovery}
    field = case.params["field"]
    if field in dated:
        at = dated[field]
        return math.nan if at is None else float(str(days[at - offset]).replace("-", ""))
    recovery = math.nan if spell.recovery is None else float(spell.recovery - spell.trough)
    return {
        "depth": spell.depth,
        # PerformanceAnalytics counts a spell that still lasts one longer.
        "length_obs": float(spell.last - spell.peak + (spell.recovery is None)),
        "to_trough_obs": float(spell.trough - spell.peak),
        "recovery_obs": recovery,
    }[field]


def period_return(case: Case) -> float:
    numbers, values = calendar.period_returns(case.dates, case.values, case.params["freq"])
    if "i" in case.params:
        return float(values[case.params["i"]])
    label = case.params["label"]
    wanted: int
    if isinstance(label, int):
        wanted = label
    elif case.params["freq"] == "W":
        monday = np.datetime64(np.datetime64(f"{label[0]}-01-04"), "D")
        wanted = int(calendar.buckets(np.array([monday]), "W")[0]) + label[1] - 1
    else:
        wanted = (label[0] - 1970) * 12 + label[1] - 1
    return float(values[list(numbers).index(wanted)])


def flow_figure(case: Case) -> float:
    columns, at = case.columns, case.params["i"]
    daily = returns.flow_returns(columns["value"], columns["inflow"] - columns["outflow"], opening=0.0)
    return float(daily[at]) if case.params["field"] == "daily" else returns.total_return(daily[: at + 1])


FIGURES: dict[str, Callable[[Case], float]] = {
    "n_observations": lambda c: float(len(returns.observed(c.values))),
    "total_return": lambda c: returns.total_return(c.values, c.params.get("geometric", True)),
    "annual_return": lambda c: returns.annual_return(
        c.values, c.periods, c.params.get("geometric", True), 0.0, c.params.get("count") == "all"
    ),
    "cumulative_return_at": lambda c: (
        returns.wealth(c.values)[c.params["i"] + 1] * (c.params["start_value"] or 1) - (c.params["start_value"] == 0)
    ),
    "price_total_return": lambda c: returns.total_return(returns.simple_returns(c.values)),
    "twr_daily_flows": flow_figure,
    "twr_link": lambda c: returns.total_return(c.params["sub_returns"]),
    "modified_dietz": lambda c: returns.modified_dietz(
        c.params["v0"], c.params["v1"], c.params["days"], [(day, amount) for day, amount in c.params["flows"]]
    ),
    "std": lambda c: risk.deviation(c.values, c.params.get("ddof", 1)) * math.sqrt(c.periods),
    "downside_deviation": lambda c: risk.downside_deviation(c.values, c.target, c.periods),
    "sharpe": lambda c: ratios.sharpe(c.values, c.rate, c.periods, c.params.get("geometric", False)),
    "sortino": lambda c: ratios.sortino(c.values, c.target, c.periods),
    "calmar": lambda c: ratios.calmar(c.values, c.periods, 0.0, c.params.get("count") == "all"),
    "max_drawdown": lambda c: drawdown.max_drawdown(c.values, c.params.get("compounded", True)),
    "max_drawdown_prices": lambda c: float(np.nanmin(drawdown.underwater(c.values))),
    "drawdown_at": lambda c: float(drawdown.underwater(c.values)[c.params["i"]]),
    "drawdown_table": drawdown_field,
    "average_drawdown": lambda c: drawdown.average_drawdown(c.values, c.params.get("compounded", True)),
    "ulcer_index": lambda c: drawdown.ulcer_index(c.values),
    "pain_index": lambda c: drawdown.pain_index(c.values),
    "period_return": period_return,
}


@pytest.mark.parametrize("raw", CASES, ids=[case["name"] for case in CASES])
def test_figure_is_the_published_one(raw: dict[str, Any]) -> None:
    case = Case(raw)
    got = FIGURES[raw["metric"]](case)
    if raw["name"] in INTENDED_DEPARTURES:
        assert math.isnan(got)
        return
    expected = float(raw["expected"])
    if math.isnan(expected):
        assert math.isnan(got)
    else:
        assert got == pytest.approx(expected, abs=raw["tolerance"], rel=0)
