"""Cases about holdings, trades and where an active return came from."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analytics import attribution, execution, exposure, linking, liquidity
from analytics.block import Floats
from tests.reference.case import Case, Metric


def effect(found: attribution.Effects, case: Case) -> float:
    """Return the asked effect of a segment, or of all together."""
    values: Floats = getattr(found, case.get("effect"))
    return float(values.sum()) if case.get("i") is None else float(values[case.get("i")])


def brinson(case: Case) -> float:
    weights, passive_weights, returns, passive = (np.asarray(case.get(name)) for name in ("wp", "wb", "rp", "rb"))
    model, is_folded = case.get("model", "BF"), bool(case.get("fold"))
    return effect(attribution.brinson(weights, passive_weights, returns, passive, model, is_folded), case)


def brinson_geometric(case: Case) -> float:
    weights, passive_weights, returns, passive = (np.asarray(case.get(name)) for name in ("wp", "wb", "rp", "rb"))
    if case.get("effect") == "excess":
        return attribution.excess_geometric(float(weights @ returns), float(passive_weights @ passive))
    return effect(attribution.brinson_geometric(weights, passive_weights, returns, passive), case)


def carino_linked(case: Case) -> float:
    return float(linking.linked(case.get("effect_series"), case.get("rp"), case.get("rb")))


def contribution_drift(case: Case) -> float:
    """Return what an asset (None: the whole) added in a year, weights reset each quarter."""
    table = case.table[list(case.get("columns"))].fillna(0.0)
    dates = pd.DatetimeIndex(table.index)
    quarter = np.asarray(dates.year * 4 + dates.quarter)
    resets = np.concatenate([[True], quarter[1:] != quarter[:-1]])
    returns = table.to_numpy(dtype=np.float64)
    weights = attribution.drifting_weights(returns, case.get("weights"), resets)
    inside = np.asarray(dates.year == case.get("year"))
    added = attribution.compounded_contribution(weights[inside], returns[inside])
    asset = case.get("asset")
    return float(added.sum()) if asset is None else float(added[list(table.columns).index(asset)])


def factor_attribution(case: Case) -> float:
    given = (case.get(name) for name in ("weights", "loadings", "factor_returns", "total_return"))
    found = attribution.factor_attribution(*given)
    fields = {
        "exposure": found.exposure[case.get("i", 0)],
        "factor": found.by_factor[case.get("i", 0)],
        "common": found.common,
        "specific": found.specific,
    }
    return float(fields[case.get("field")])


def gross_leverage(case: Case) -> float:
    row = case.table.loc[case.get("date")]
    row = row.iloc[0] if isinstance(row, pd.DataFrame) else row
    return exposure.gross_leverage(row.drop("cash").to_numpy(dtype=np.float64), float(row["cash"]))


def position_concentration(case: Case) -> float:
    *positions, cash = (np.nan if value is None else float(value) for value in case.get("values"))
    return float(getattr(exposure.extremes(positions, cash), case.get("field")))


def implementation_shortfall(case: Case) -> float:
    names = ("order_shares", "filled_shares", "decision_price", "arrival_price", "execution_price", "cancel_price")
    ordered, filled, decision, arrival, fill, close = (float(case.get(name)) for name in names)
    fees, side = float(case.get("commission", 0.0)), -1 if case.get("side") in ("sell", -1) else 1
    found = execution.implementation_shortfall(ordered, filled, decision, arrival, fill, close, fees, side)
    return float(getattr(found, case.get("component")))


METRICS: dict[str, Metric] = {
    "brinson": brinson,
    "brinson_geometric": brinson_geometric,
    "carino_linked": carino_linked,
    "contribution_drift": contribution_drift,
    "factor_attribution": factor_attribution,
    "gross_leverage": gross_leverage,
    "position_alloc": lambda c: exposure.allocation(c.get("values"))[c.get("i", 0)],
    "position_concentration": position_concentration,
    "sector_exposure": lambda c: exposure.by_group(c.get("positions"), c.get("map")).get(c.get("sector"), 0.0),
    "days_to_liquidate": lambda c: liquidity.days_to_liquidate(
        c.get("alloc") * c.get("capital"), c.get("price") * c.get("mean_volume"), c.get("max_bar_consumption", 0.2)
    ),
    "turnover": lambda c: execution.turnover(c.get("traded"), c.get("denominator")),
    "slippage_adjusted_return": lambda c: execution.after_slippage(c.get("return"), c.get("turnover"), c.get("bps")),
    "implementation_shortfall": implementation_shortfall,
    "expectancy": lambda c: (execution.expectancy_ratio if c.get("ratio") else execution.expectancy)(c.get("profits")),
}
