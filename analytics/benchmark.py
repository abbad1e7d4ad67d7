"""A portfolio beside its benchmark, on the periods that both have.

Rates are a period's; `periods` is how many a year has.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import RESIDUE, Block, Bools, Floats, Pair, over
from analytics.returns import annual_rate, annual_return
from analytics.risk import downside_deviation
from analytics.shapes import pair_figure

Side = Literal["both", "bull", "bear"]
Market = Literal["all", "up", "down"]


@pair_figure
def beta(pair: Pair, risk_free: ArrayLike = 0.0, side: Side = "both") -> Floats:
    """Return cov(r − rf, b − rf) / var(b − rf) (Sharpe 1964); NaN where the benchmark does not vary.

    side: "bull" takes the periods with b > rf alone, "bear" those with b < rf.
    """
    beside = _of_side(pair, risk_free, side)
    return over(beside.products, beside.other.squares)


@pair_figure
def alpha(
    pair: Pair,
    risk_free: ArrayLike = 0.0,
    periods: float = 1.0,
    annualise: Literal["simple", "compound", "none"] = "simple",
) -> Floats:
    """Return the intercept of r − rf on b − rf by least squares (Jensen 1968), × periods.

    annualise: "compound" gives (1 + α)^periods − 1 instead, "none" α of a period.
    """
    beside, rate = _excess(pair, risk_free)
    found: Floats = (beside.own.mean - rate) - beta(beside) * (beside.other.mean - rate)
    if annualise == "none":
        return found
    if annualise == "simple":
        return found * periods
    if annualise == "compound":
        return np.asarray((1.0 + found) ** periods - 1.0)
    raise ValueError(f"annualise: {annualise!r} is not one of simple, compound, none")


@pair_figure
def correlation(pair: Pair, risk_free: ArrayLike = 0.0) -> Floats:
    """Return Pearson's correlation of r − rf and b − rf; NaN where either does not vary."""
    beside, _ = _excess(pair, risk_free)
    spread = np.sqrt(beside.own.squares) * np.sqrt(beside.other.squares)
    return np.clip(over(beside.products, spread), -1.0, 1.0)


@pair_figure
def r_squared(pair: Pair, risk_free: ArrayLike = 0.0) -> Floats:
    """Return the share of the variance that the benchmark explains: the correlation squared."""
    return np.asarray(correlation(pair, risk_free=risk_free) ** 2)


@pair_figure
def active_return(pair: Pair, periods: float = 1.0, minimum_years: float = 1.0, years: Floats | None = None) -> Floats:
    """Return the compounded annual return less the benchmark's ("active premium"); NaN below `minimum_years`.

    `years`: by elapsed time, see returns.annual_return.
    """
    own, other = _annual(pair, periods, minimum_years, years)
    return own - other


@pair_figure
def geometric_excess(pair: Pair, periods: float = 1.0, minimum_years: float = 1.0) -> Floats:
    """Return (1 + annual return) / (1 + the benchmark's) − 1 (Bacon 2008); NaN below `minimum_years`."""
    own, other = _annual(pair, periods, minimum_years)
    return over(1.0 + own, 1.0 + other) - 1.0


@pair_figure
def tracking_error(pair: Pair, periods: float = 1.0, ddof: int = 1) -> Floats:
    """Return std(r − b) · √periods."""
    return np.asarray(pair.active.deviation(ddof) * np.sqrt(periods))


@pair_figure
def information_ratio(
    pair: Pair,
    periods: float = 1.0,
    method: Literal["arithmetic", "geometric_premium"] = "arithmetic",
    minimum_years: float = 0.0,
) -> Floats:
    """Return mean(r − b) / std(r − b, ddof 1) · √periods (Goodwin 1998); NaN where they never part.

    method: "geometric_premium" takes the active return over the tracking error, as PerformanceAnalytics does.
    """
    if method == "arithmetic":
        return over(pair.active.mean, pair.active.deviation() / np.sqrt(periods))
    if method == "geometric_premium":
        return over(active_return(pair, periods, minimum_years), tracking_error(pair, periods))
    raise ValueError(f"method: {method!r} is not one of arithmetic, geometric_premium")


@pair_figure
def capture(
    pair: Pair,
    side: Market = "all",
    periods: float = 1.0,
    method: Literal["annual", "total", "sum"] = "annual",
    zero_is_down: bool = False,
) -> Floats:
    """Return what the portfolio made in the benchmark's rising ("up") or falling periods, over what that made.

    Both as ∏(1 + r)^(periods / count) − 1 of those periods; method "total" takes ∏(1 + r) − 1, "sum" Σr. Periods in
    which the benchmark stood still belong to neither side, or to the falling ones when `zero_is_down`.
    """
    part = pair if side == "all" else _where(pair, _market(pair, side, zero_is_down))
    if method == "sum":
        return over(part.own.filled.sum(axis=1), part.other.filled.sum(axis=1))
    years = over(part.own.count, periods) if method == "annual" else np.where(part.own.count > 0, 1.0, np.nan)
    return over(*(np.prod(one.growth, axis=1) ** over(1.0, years) - 1.0 for one in (part.own, part.other)))


@pair_figure
def up_down_number(pair: Pair, side: Literal["up", "down"] = "up") -> Floats:
    """Return the share of the benchmark's rising (falling) periods in which the portfolio rose (fell) as well."""
    market, own = _market(pair, side), pair.own.filled
    return _share(market & (own > 0 if side == "up" else own < 0), market)


@pair_figure
def up_down_percent(pair: Pair, side: Literal["up", "down"] = "up") -> Floats:
    """Return the share of the benchmark's rising (falling) periods in which the portfolio did better."""
    market = _market(pair, side)
    return _share(market & (pair.active.filled > 0), market)


@pair_figure
def batting_average(pair: Pair) -> Floats:
    """Return the share of the periods with r > b."""
    # What is not above rounding is no win.
    return over(np.count_nonzero(pair.active.filled > RESIDUE, axis=1), pair.active.known)


@pair_figure
def timing_ratio(pair: Pair, risk_free: ArrayLike = 0.0) -> Floats:
    """Return the beta of rising over that of falling markets; above 1: more invested when it pays (Bacon 2008)."""
    return over(beta(pair, risk_free=risk_free, side="bull"), beta(pair, risk_free=risk_free, side="bear"))


@pair_figure
def market_timing(
    pair: Pair,
    risk_free: ArrayLike = 0.0,
    method: Literal["henriksson_merton", "treynor_mazuy"] = "henriksson_merton",
) -> Floats:
    """Return γ of r − rf = α + β (b − rf) + γ x by least squares; above 0: the market was timed well.

    x is max(rf − b, 0) (Henriksson & Merton 1981) or (b − rf)² (Treynor & Mazuy 1966).
    """
    beside = pair.minus(risk_free)
    market = beside.other.values
    if method not in ("henriksson_merton", "treynor_mazuy"):
        raise ValueError(f"method: {method!r} is not one of henriksson_merton, treynor_mazuy")
    option = Block(np.maximum(-market, 0.0) if method == "henriksson_merton" else market**2)
    first, second = beside.other, option
    mixed = np.vecdot(first.centred, second.centred)
    own_second = Pair(beside.own, option).products
    spread = first.squares * second.squares - mixed**2
    # What is left of two regressors that say the same is rounding.
    is_apart = spread > RESIDUE * first.squares * second.squares
    return over(own_second * first.squares - beside.products * mixed, np.where(is_apart, spread, np.nan))


@pair_figure
def systematic_risk(
    pair: Pair, risk_free: ArrayLike = 0.0, periods: float = 1.0, ddof: int = 1, signed: bool = False
) -> Floats:
    """Return |β| · std(b − rf) · √periods; with the sign of beta when `signed`."""
    beside, _ = _excess(pair, risk_free)
    found = beta(beside) * beside.other.deviation(ddof) * np.sqrt(periods)
    return np.asarray(found if signed else np.abs(found))


@pair_figure
def specific_risk(pair: Pair, risk_free: ArrayLike = 0.0, periods: float = 1.0, ddof: int = 1) -> Floats:
    """Return the deviation of what alpha and beta leave of r − rf, times √periods."""
    beside, _ = _excess(pair, risk_free)
    left = beside.own.squares - over(beside.products**2, beside.other.squares)
    left = np.where(left <= RESIDUE * beside.own.squares, 0.0, left)
    freedom = np.where(beside.own.count > ddof, beside.own.count - ddof, np.nan)
    return np.sqrt(left / freedom * periods)


@pair_figure
def total_risk(
    pair: Pair, risk_free: ArrayLike = 0.0, periods: float = 1.0, systematic_ddof: int = 1, specific_ddof: int = 1
) -> Floats:
    """Return √(systematic² + specific²), a year (Bacon 2008)."""
    systematic = systematic_risk(pair, risk_free=risk_free, periods=periods, ddof=systematic_ddof)
    specific = specific_risk(pair, risk_free=risk_free, periods=periods, ddof=specific_ddof)
    return np.asarray(np.hypot(systematic, specific))


@pair_figure
def treynor(pair: Pair, risk_free: ArrayLike = 0.0, periods: float = 1.0, geometric: bool = False) -> Floats:
    """Return the annual mean excess return over beta (Treynor 1965); the compounded one when `geometric`."""
    return over(_annual_excess(pair, risk_free, periods, geometric), beta(pair, risk_free=risk_free))


@pair_figure
def treynor_modified(
    pair: Pair, risk_free: ArrayLike = 0.0, periods: float = 1.0, geometric: bool = False, ddof: int = 1
) -> Floats:
    """Return the annual excess return over the systematic risk, which keeps the sign of beta (Bacon 2008)."""
    risk = systematic_risk(pair, risk_free=risk_free, periods=periods, ddof=ddof, signed=True)
    return over(_annual_excess(pair, risk_free, periods, geometric), risk)


@pair_figure
def jensen_alpha(pair: Pair, risk_free: ArrayLike = 0.0, periods: float = 1.0) -> Floats:
    """Return (R − Rf) − β (B − Rf) of the compounded annual returns (Bacon 2008)."""
    own, other = _annual(pair, periods, 0.0)
    rate = annual_rate(risk_free, periods)
    return np.asarray((own - rate) - beta(pair, risk_free=risk_free) * (other - rate))


@pair_figure
def regression_epsilon(pair: Pair, risk_free: ArrayLike = 0.0, periods: float = 1.0) -> Floats:
    """Return Jensen's alpha of the annual returns less the intercept a period (Bacon 2008)."""
    intercept = alpha(pair, risk_free=risk_free, annualise="none")
    return np.asarray(jensen_alpha(pair, risk_free=risk_free, periods=periods) - intercept)


@pair_figure
def appraisal_ratio(
    pair: Pair,
    risk_free: ArrayLike = 0.0,
    periods: float = 1.0,
    method: Literal["alpha", "jensen", "modified", "alternative"] = "alpha",
    ddof: int = 1,
) -> Floats:
    """Return the annual alpha over the specific risk (Treynor & Black 1973).

    method: Jensen's alpha of annual returns over the specific risk ("jensen"), over beta ("modified") or over the
    systematic risk ("alternative"), as in Bacon 2008.
    """
    if method == "alpha":
        top = alpha(pair, risk_free=risk_free, periods=periods)
        return over(top, specific_risk(pair, risk_free=risk_free, periods=periods, ddof=ddof))
    top = jensen_alpha(pair, risk_free=risk_free, periods=periods)
    if method == "jensen":
        return over(top, specific_risk(pair, risk_free=risk_free, periods=periods, ddof=ddof))
    if method == "modified":
        return over(top, beta(pair, risk_free=risk_free))
    if method == "alternative":
        return over(top, systematic_risk(pair, risk_free=risk_free, periods=periods, signed=True))
    raise ValueError(f"method: {method!r} is not one of alpha, jensen, modified, alternative")


@pair_figure
def m_squared(pair: Pair, risk_free: ArrayLike = 0.0, periods: float = 1.0, geometric: bool = False) -> Floats:
    """Return Rf + Sharpe · the benchmark's volatility, a year: the return at its risk (Modigliani & Modigliani 1997).

    `geometric` takes the compounded annual return in place of the mean.
    """
    rate = annual_rate(risk_free, periods)
    if geometric:
        own, _ = _annual(pair, periods, 0.0)
        return (own - rate) * over(pair.other.deviation(), pair.own.deviation()) + rate
    excess, shift = _excess(pair, risk_free)
    ratio = over(excess.own.mean - shift, excess.own.deviation())
    found: Floats = ratio * pair.other.deviation() * periods + rate
    return found


@pair_figure
def m_squared_excess(
    pair: Pair,
    risk_free: ArrayLike = 0.0,
    periods: float = 1.0,
    method: Literal["geometric", "arithmetic"] = "geometric",
) -> Floats:
    """Return M² of the compounded returns over the benchmark's: (1 + M²) / (1 + B) − 1, or M² − B."""
    found = m_squared(pair, risk_free=risk_free, periods=periods, geometric=True)
    _, other = _annual(pair, periods, 0.0)
    return np.asarray(found - other if method == "arithmetic" else over(1.0 + found, 1.0 + other) - 1.0)


@pair_figure
def fama_beta(pair: Pair) -> Floats:
    """Return the portfolio's deviation over the benchmark's: the beta of all its risk (Fama 1972)."""
    return over(pair.own.deviation(), pair.other.deviation())


@pair_figure
def selectivity(pair: Pair, risk_free: ArrayLike = 0.0, periods: float = 1.0) -> Floats:
    """Return what choosing securities earned, Jensen's alpha of the annual returns (Fama 1972)."""
    return np.asarray(jensen_alpha(pair, risk_free=risk_free, periods=periods))


@pair_figure
def net_selectivity(pair: Pair, risk_free: ArrayLike = 0.0, periods: float = 1.0) -> Floats:
    """Return the selectivity less what undiversified risk should earn, (Fama's beta − β)(B − Rf) (Fama 1972)."""
    _, other = _annual(pair, periods, 0.0)
    premium = other - annual_rate(risk_free, periods)
    undiversified = (fama_beta(pair) - beta(pair, risk_free=risk_free)) * premium
    return np.asarray(selectivity(pair, risk_free=risk_free, periods=periods) - undiversified)


@pair_figure
def omega_excess_return(pair: Pair, target: ArrayLike = 0.0, periods: float = 1.0) -> Floats:
    """Return R − 3 · σ_D · σ_DB: the annual return less the price of downside risk.

    Sortino, van der Meer & Plantinga 1999. σ_D and σ_DB are the annual downside deviations of portfolio and benchmark
    below the target.
    """
    own, _ = _annual(pair, periods, 0.0)
    risks = (downside_deviation(one, target, periods) for one in (pair.own, pair.other))
    return np.asarray(own - 3.0 * next(risks) * next(risks))


def _excess(pair: Pair, risk_free: ArrayLike) -> tuple[Pair, float]:
    """Return the pair and what is still to be taken off its means: a constant rate changes nothing else."""
    if np.ndim(risk_free):
        return pair.minus(risk_free), 0.0
    return pair, float(np.asarray(risk_free))


def _of_side(pair: Pair, risk_free: ArrayLike, side: Side) -> Pair:
    beside, rate = _excess(pair, risk_free)
    if side == "both":
        return beside
    market = beside.other.values
    if side == "bull":
        return _where(beside, market > rate)
    if side == "bear":
        return _where(beside, market < rate)
    raise ValueError(f"side: {side!r} is not one of both, bull, bear")


def _market(pair: Pair, side: str, zero_is_down: bool = False) -> Bools:
    if side not in ("up", "down"):
        raise ValueError(f"side: {side!r} is not one of up, down")
    market = pair.other.values
    if side == "up":
        return market > 0
    return market <= 0 if zero_is_down else market < 0


def _where(pair: Pair, chosen: Bools) -> Pair:
    """Return the pair on some of its periods."""
    if len(chosen) == 1:
        at = np.flatnonzero(chosen[0])
        return Pair(Block(pair.own.values[:, at]), Block(pair.other.values[:, at]))
    own, other = np.broadcast_to(pair.own.values, chosen.shape), np.broadcast_to(pair.other.values, chosen.shape)
    return Pair(Block(np.where(chosen, own, np.nan)), Block(np.where(chosen, other, np.nan)))


def _share(hits: Bools, of: Bools) -> Floats:
    return over(np.count_nonzero(hits, axis=1), np.count_nonzero(of, axis=1))


def _annual(pair: Pair, periods: float, minimum_years: float, years: Floats | None = None) -> tuple[Floats, Floats]:
    own, other = (
        annual_return(one, periods, minimum_years=minimum_years, years=years) for one in (pair.own, pair.other)
    )
    return own, other


def _annual_excess(pair: Pair, risk_free: ArrayLike, periods: float, geometric: bool) -> Floats:
    excess = pair.own.minus(risk_free)
    if geometric:
        return np.asarray(annual_return(excess, periods, minimum_years=0.0))
    return excess.mean * periods
