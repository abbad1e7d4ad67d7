"""Where a portfolio's return came from: by group, by period, against the benchmark, and what fees took of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from api.models import Answered, Number, Page
from api.operation import Ask, Operation
from api.paging import part_of
from api.portfolios import ID, OfPortfolio, Told, data_of, datasets, finite
from portfolio.attribution import Attribution, Part, attribution
from portfolio.brinson import Brinson, attributed_to
from portfolio.by_period import COSTS, TOTAL
from portfolio.fees import fees

TAG = "Portfolios"
NO_POSITIONS = "No positions were reported in this window."
By = Literal["portfolio", "sector", "asset_class", "industry", "currency", "country", "instrument"]


class OfParts(OfPortfolio):
    """Over which days, and by what."""

    by: By = Field("sector", description="What positions are added up by.")


class OfPeriods(OfParts):
    """Over which days, by what, and how often."""

    every: Literal["day", "month", "quarter", "year"] = Field("month", description="How long a period is.")


class OfEffects(OfPortfolio):
    """Over which days, against what, and by which model."""

    by: Literal["sector", "asset_class", "industry", "currency", "country", "instrument"] = Field(
        "sector", description="What both are cut by."
    )
    model: Literal["BF", "BHB"] = Field("BF", description="Brinson-Fachler, or Brinson-Hood-Beebower.")
    linking: Literal["carino", "menchero", "grap"] = Field("carino", description="How days become a window.")
    way: Literal["arithmetic", "geometric"] = Field(
        "arithmetic", description="geometric: totals compound; model and linking say nothing then."
    )


class Contributed(Answered):
    """What a group added; Cash and other, Costs, Unexplained and Total are no groups. All but Total come to Total."""

    group: str
    positions: int
    weight_ratio: Number = Field(description="Average value over capital.")
    pnl: Number = Field(description="Money, before costs, which are a row of their own; of Total: after them.")
    costs: Number = Field(description="Commission and fees.")
    net_pnl: Number = Field(description="Money, after costs; null of Costs.")
    contribution_ratio: Number = Field(description="Of the portfolio's time-weighted return, before costs.")


class ContributedInPeriod(Answered):
    """What a group added in a period; all groups of a period come to what it added to the window's return."""

    period: str
    group: str
    pnl: Number
    contribution_ratio: Number


class Effect(Answered):
    """Effects of a segment. Benchmark apart and Total are no segments; arithmetic ones come to Total."""

    segment: str
    weight_ratio: Number
    benchmark_weight_ratio: Number
    return_ratio: Number
    benchmark_return_ratio: Number
    allocation_ratio: Number
    selection_ratio: Number
    interaction_ratio: Number
    total_ratio: Number


class FeesOfYear(Answered):
    """Returns before and after fees of a year; `window`: of the window that is asked for."""

    year: str
    gross_return_ratio: Number
    net_return_ratio: Number
    management_fee_ratio: Number
    performance_fee_ratio: Number


@dataclass(frozen=True, slots=True)
class _Found:
    told: Told
    found: Attribution | None

    @property
    def said(self) -> list[str]:
        if self.found is None:
            return [*self.told.told, NO_POSITIONS]
        return [*self.told.told, *(self.found.reasons if self.found.is_unexplained else ())]


def _parts(ask: Ask[OfParts]) -> Page[Contributed]:
    read = _read(ask)
    rows = [_part(part) for part in read.found.parts(ask.query.by)] if read.found else []
    rows += [_whole(read.found)] if read.found else []
    part, following = part_of(sorted(rows, key=lambda row: row.group), lambda row: (row.group,), ask.begins)
    currency = read.told.data.portfolio.currency
    units = {**dict.fromkeys(("pnl", "costs", "net_pnl"), currency), **_ratios("weight", "contribution")}
    return Page[Contributed](
        items=part, next=following, units=units, told=read.said, **read.told.age.model_dump()
    )  # fmt: skip


def _periods(ask: Ask[OfPeriods]) -> Page[ContributedInPeriod]:
    read = _read(ask)
    rows = []
    if read.found is not None:
        found = read.found.by_period(ask.query.by, ask.query.every)
        rows = [
            ContributedInPeriod(
                period=period, group=group, pnl=finite(found.money[row, column]),
                contribution_ratio=finite(found.added[row, column]),
            )
            for row, period in enumerate(found.periods)
            for column, group in enumerate(found.groups)
        ]  # fmt: skip
    rows.sort(key=lambda row: (row.period, row.group))
    part, following = part_of(rows, lambda row: (row.period, row.group), ask.begins)
    units = {"pnl": read.told.data.portfolio.currency, **_ratios("contribution")}
    return Page[ContributedInPeriod](
        items=part, next=following, units=units, told=read.said, **read.told.age.model_dump()
    )  # fmt: skip


def _effects(ask: Ask[OfEffects]) -> Page[Effect]:
    read = _read(ask)
    data, query, said = read.told.data, ask.query, [*read.said]
    found = (
        attributed_to(ask.stores, data, read.found, query.by, query.model, query.linking, query.way)
        if read.found
        else None
    )
    if found is not None:
        said += found.told
    elif data.benchmark is None:
        said.append("There is no benchmark.")
    elif read.found is not None:
        said.append(f"It is not known what {data.benchmark.name} is made of: send benchmark_weights.")
    rows = sorted(_effect_rows(found), key=lambda row: row.segment) if found else []
    part, following = part_of(rows, lambda row: (row.segment,), ask.begins)
    units = _ratios(
        "weight", "benchmark_weight", "return", "benchmark_return", "allocation", "selection", "interaction", "total"
    )
    return Page[Effect](items=part, next=following, units=units, told=said, **read.told.age.model_dump())


def _fees(ask: Ask[OfPortfolio]) -> Page[FeesOfYear]:
    told = data_of(ask)
    said = [*told.told]
    try:
        found = fees(told.data)
    except ValueError as error:
        found = None
        said.append(f"Fees cannot be applied: {error}.")
    rows: list[FeesOfYear] = []
    if found is not None:
        rows = [
            FeesOfYear(
                year=str(each.year), gross_return_ratio=each.gross, net_return_ratio=each.net,
                management_fee_ratio=each.management, performance_fee_ratio=each.performance,
            )
            for each in found.years
        ]  # fmt: skip
        rows.append(
            FeesOfYear(
                year="window", gross_return_ratio=found.gross_return, net_return_ratio=found.net_return,
                management_fee_ratio=None, performance_fee_ratio=None,
            )
        )  # fmt: skip
        said.append("Its values come before fees." if found.nav_is == "gross" else "Its values come after fees.")
    elif said == told.told:
        said.append("No fees are set of it.")
    part, following = part_of(rows, lambda row: (row.year,), ask.begins)
    units = _ratios("gross_return", "net_return", "management_fee", "performance_fee")
    return Page[FeesOfYear](items=part, next=following, units=units, told=said, **told.age.model_dump())


def _read(ask: Ask[OfPortfolio]) -> _Found:
    told = data_of(ask)
    return _Found(told, attribution(ask.stores, told.data, ask.viewer.portfolios))


def _part(part: Part) -> Contributed:
    return Contributed(
        group=part.name, positions=part.count, weight_ratio=finite(part.weight), pnl=finite(part.pnl),
        costs=finite(part.costs),
        net_pnl=None if part.name == COSTS and not part.count else finite(part.net),
        contribution_ratio=finite(part.added),
    )  # fmt: skip


def _whole(found: Attribution) -> Contributed:
    return Contributed(
        group=TOTAL, positions=len(found.book.positions), weight_ratio=None,
        pnl=finite(found.total_pnl), costs=finite(found.total_costs),
        net_pnl=finite(found.total_pnl), contribution_ratio=finite(found.total_return),
    )  # fmt: skip


def _effect_rows(found: Brinson) -> list[Effect]:
    rows = [
        Effect(
            segment=each.name, weight_ratio=finite(each.weight), benchmark_weight_ratio=finite(each.benchmark_weight),
            return_ratio=finite(each.own_return), benchmark_return_ratio=finite(each.benchmark_return),
            allocation_ratio=finite(each.allocation), selection_ratio=finite(each.selection),
            interaction_ratio=finite(each.interaction), total_ratio=finite(each.total),
        )
        for each in found.segments
    ]  # fmt: skip
    return [
        *rows,
        _effect("Benchmark apart", total_ratio=finite(found.apart)),
        _effect(
            TOTAL, return_ratio=finite(found.own), benchmark_return_ratio=finite(found.benchmark),
            allocation_ratio=finite(found.allocation), selection_ratio=finite(found.selection),
            interaction_ratio=finite(found.interaction), total_ratio=finite(found.excess),
        ),
    ]  # fmt: skip


def _effect(name: str, **known: float | None) -> Effect:
    """Return a row with what is known of it, null for the rest."""
    fields = {field: known.get(field) for field in Effect.model_fields if field != "segment"}
    return Effect.model_validate({"segment": name, **fields})


def _ratios(*names: str) -> dict[str, str]:
    return {f"{name}_ratio": "ratio" for name in names}


OPERATIONS = (
    Operation(path="/portfolios/{id}/attribution", summary="What each group added to a portfolio's return.",
              answer=_parts, model=Page[Contributed], query=OfParts, tag=TAG, parts=ID, datasets=datasets),
    Operation(path="/portfolios/{id}/attribution/periods", summary="What each group added in each period.",
              answer=_periods, model=Page[ContributedInPeriod], query=OfPeriods, tag=TAG, parts=ID, datasets=datasets),
    Operation(path="/portfolios/{id}/attribution/effects", answer=_effects, model=Page[Effect], query=OfEffects,
              summary="Allocation, selection and interaction against the benchmark (Brinson).", tag=TAG, parts=ID,
              datasets=datasets),
    Operation(path="/portfolios/{id}/fees", summary="Returns before and after fees by year.", answer=_fees,
              model=Page[FeesOfYear], query=OfPortfolio, tag=TAG, parts=ID, datasets=datasets),
)  # fmt: skip
