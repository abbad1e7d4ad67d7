"""Why a portfolio did better or worse than its benchmark: allocation, selection and interaction by segment (Brinson).

Effects of each step add up to its excess return, and linked to that of the window. What the benchmark
did beside its constituents is told apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from analytics.attribution import Effects, Model, brinson, brinson_geometric, excess_geometric
from analytics.block import Bools, Floats
from analytics.inputs import Groups
from analytics.linking import Linking, compounded, linked
from analytics.performance import Track
from portfolio.attribution import Attribution
from portfolio.by_period import OTHER
from portfolio.constituents import Constituents, constituents
from portfolio.data import PortfolioData
from portfolio.holdings import NOBODY_SAID, Group

if TYPE_CHECKING:
    from storage.stores import Stores

Way = Literal["arithmetic", "geometric"]
WAYS: tuple[Way, ...] = get_args(Way)
MODELS: tuple[Model, ...] = ("BF", "BHB")
LINKINGS: tuple[Linking, ...] = get_args(Linking)
SEGMENTS: tuple[Group, ...] = ("sector", "asset_class", "industry", "currency", "country", "instrument")
"""What a portfolio and a benchmark can both be cut by."""
SMALLEST_WEIGHT, LEAST_NET = 0.001, 0.5
"""Of capital, and of a segment without signs: with less weight, P&L over weight is no return that means anything, as of
what is bought and sold within a day, or of longs against shorts. All that it added beyond the return of the benchmark
at its weight is selection then."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Effects of one segment over the window, ratios; weights are averages."""

    name: str
    weight: float
    benchmark_weight: float
    own_return: float
    """Of the steps in which it was held; NaN: it never was."""
    benchmark_return: float
    allocation: float
    selection: float
    interaction: float

    @property
    def total(self) -> float:
        """Return the three together."""
        return self.allocation + self.selection + self.interaction


@dataclass(frozen=True, eq=False, slots=True)
class Brinson:
    """Effects of a window. Arithmetic: everything adds up to `excess`. Geometric: totals compound to it."""

    way: Way
    first: np.datetime64
    last: np.datetime64
    segments: tuple[Segment, ...]
    """The largest effect first. Geometric ones do not add up across days."""
    allocation: float
    selection: float
    interaction: float
    apart: float
    """What the benchmark did less what its constituents did, as it took from the excess."""
    own: float
    """Return of the portfolio."""
    benchmark: float
    """Return of the benchmark."""
    excess: float
    told: tuple[str, ...]


@dataclass(frozen=True, eq=False, slots=True)
class _Steps:
    """Segments in steps, (steps, segments)."""

    names: tuple[str, ...]
    weights: Floats
    other_weights: Floats
    is_held: Bools
    """Whether the segment has a return of its own."""
    returns: Floats
    """The benchmark's where it has none."""
    other_returns: Floats
    picked: Floats
    """What was added where a segment has no return of its own, beyond the benchmark's at its weight."""


def attributed_to(
    stores: Stores, data: PortfolioData, found: Attribution, by: Group, model: Model, linking: Linking, way: Way
) -> Brinson | None:
    """Return effects against the benchmark; None: nobody told what it is made of.

    Raises StorageUnavailable or StorageRejected.
    """
    if data.benchmark is None:
        return None
    days = np.concatenate([[found.start], found.days])
    made_of = constituents(stores, data.portfolio.origin, data.benchmark.key, data.portfolio.currency, days)
    if made_of is None:
        return None
    at = len(days) - len(made_of.days)
    steps = _steps(found, made_of, by if by in SEGMENTS else "sector", at)
    own = found.returns[at:]
    benchmark, is_known = _returns(data.benchmark.daily, made_of)
    told = list(made_of.told)
    if at:
        told.append(f"Weights of the benchmark are known from {made_of.days[0]} on: effects begin there.")
    if not is_known:
        told.append("The benchmark has no price on some of these days: the return of its constituents stands for it.")
    if way == "geometric":
        effects = _geometric(steps, benchmark)
    else:
        effects = _arithmetic(steps, own, benchmark, made_of.whole, model, linking)
    return _told(effects, steps, own, benchmark, made_of, way, tuple(told))


@dataclass(frozen=True, eq=False, slots=True)
class _Linked:
    by_segment: Effects
    allocation: float
    selection: float
    interaction: float
    apart: float


def _arithmetic(steps: _Steps, own: Floats, benchmark: Floats, made: Floats, model: Model, linking: Linking) -> _Linked:
    effects = brinson(steps.weights, steps.other_weights, steps.returns, steps.other_returns, model)
    size = len(steps.names)
    every = np.concatenate(
        [
            effects.allocation, effects.selection + steps.picked, effects.interaction, (made - benchmark)[:, None],
        ],
        axis=1,
    )  # fmt: skip
    whole = linked(every, own, benchmark, linking)
    parts = Effects(whole[:size], whole[size : 2 * size], whole[2 * size : 3 * size])
    return _Linked(
        parts, float(parts.allocation.sum()), float(parts.selection.sum()), float(parts.interaction.sum()),
        apart=float(whole[-1]),
    )  # fmt: skip


def _geometric(steps: _Steps, benchmark: Floats) -> _Linked:
    effects = brinson_geometric(steps.weights, steps.other_weights, steps.returns, steps.other_returns)
    notional = (steps.weights * steps.other_returns).sum(axis=1, keepdims=True)
    selected = effects.selection + steps.picked / (1.0 + notional)
    allocation, selection = effects.allocation.sum(axis=1), selected.sum(axis=1)
    made = (steps.other_weights * steps.other_returns).sum(axis=1)
    apart = (1.0 + made) / (1.0 + benchmark) - 1.0
    parts = Effects(compounded(effects.allocation), compounded(selected), compounded(effects.interaction))
    return _Linked(
        parts, float(compounded(allocation)), float(compounded(selection)), 0.0,
        apart=float(compounded(apart)),
    )  # fmt: skip


def _told(
    effects: _Linked, steps: _Steps, own: Floats, benchmark: Floats, made_of: Constituents, way: Way,
    told: tuple[str, ...],
) -> Brinson:  # fmt: skip
    mine, other = (float(np.prod(1.0 + each) - 1.0) for each in (own, benchmark))
    parts = effects.by_segment
    segments = [
        Segment(
            name=name, weight=float(steps.weights[:, at].mean()),
            benchmark_weight=float(steps.other_weights[:, at].mean()),
            own_return=_held_return(steps.is_held[:, at], steps.returns[:, at]),
            benchmark_return=_held_return(steps.other_weights[:, at] != 0, steps.other_returns[:, at]),
            allocation=float(parts.allocation[at]), selection=float(parts.selection[at]),
            interaction=float(parts.interaction[at]),
        )
        for at, name in enumerate(steps.names)
    ]  # fmt: skip
    return Brinson(
        way=way, first=made_of.days[0], last=made_of.days[-1],
        segments=tuple(sorted(segments, key=lambda each: -abs(each.total))),
        allocation=effects.allocation, selection=effects.selection, interaction=effects.interaction,
        apart=effects.apart, own=mine, benchmark=other,
        excess=excess_geometric(mine, other) if way == "geometric" else mine - other, told=told,
    )  # fmt: skip


def _held_return(held: Bools, returns: Floats) -> float:
    return float(np.prod(1.0 + returns[held]) - 1.0) if held.any() else math.nan


def _steps(found: Attribution, made_of: Constituents, by: Group, at: int) -> _Steps:
    """Return weights and returns of both sides by segment; cash and what is no position's is one of them."""
    labels = (*found.labels(by), OTHER)
    others = tuple(_label(made_of, place, by) for place in range(len(made_of.about)))
    names = tuple(sorted({*labels, *others}))
    held = found.weights[at:]
    added = (found.pnl - found.costs)[at:] / found.capital[at:, None]
    rest = found.returns[at:] - added.sum(axis=1)
    weights = _summed(names, labels, np.concatenate([held, 1.0 - held.sum(axis=1, keepdims=True)], axis=1))
    gained = _summed(names, labels, np.concatenate([added, rest[:, None]], axis=1))
    other_weights = _summed(names, (*others, OTHER), _with_cash(made_of.weights))
    other_gained = _summed(names, others, made_of.weights * made_of.returns)
    other_returns = _over(other_gained, other_weights, np.zeros_like(other_gained))
    gross = _summed(names, labels[:-1], np.abs(held))
    is_held = (np.abs(weights) >= SMALLEST_WEIGHT) & (np.abs(weights) >= LEAST_NET * gross)
    returns = np.where(is_held, _over(gained, weights, other_returns), other_returns)
    return _Steps(names, weights, other_weights, is_held, returns, other_returns, gained - weights * returns)


def _with_cash(weights: Floats) -> Floats:
    return np.concatenate([weights, 1.0 - weights.sum(axis=1, keepdims=True)], axis=1)


def _over(gained: Floats, weights: Floats, otherwise: Floats) -> Floats:
    return np.where(weights != 0, gained / np.where(weights != 0, weights, 1.0), otherwise)


def _summed(names: tuple[str, ...], labels: tuple[str, ...], values: Floats) -> Floats:
    """Return values summed by segment, in the order of `names`, 0 of those that no label is."""
    groups = Groups.of("labels", labels, values.shape[1])
    found = np.zeros((len(values), len(names)))
    found[:, np.searchsorted(np.asarray(names), np.asarray(groups.names))] = groups.summed(values)
    return found


def _label(made_of: Constituents, place: int, by: Group) -> str:
    each = made_of.about[place]
    return each.symbol if by == "instrument" else str(getattr(each, by)) or NOBODY_SAID


def _returns(track: Track, made_of: Constituents) -> tuple[Floats, bool]:
    """Return the benchmark's return of each step, that of its constituents where it has none, and whether it has."""
    place = np.searchsorted(track.dates, made_of.days)
    there = np.isin(made_of.days, track.dates)
    level = np.where(there, track.index[np.minimum(place, len(track) - 1)], np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = level[1:] / level[:-1] - 1.0
    known = np.isfinite(found)
    return np.where(known, found, made_of.whole), bool(known.all())
