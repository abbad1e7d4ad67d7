"""What portfolios stand beside: instruments with prices or rates, and benchmarks made of them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from access.viewer import CHANGING_ROLE
from api.body import Body, Named
from api.models import Answered, Page
from api.operation import ADMIN, Ask, Operation
from api.paging import part_of
from api.parameters import Listed, Parameters
from api.portfolios import datasets
from api.problem import none_of
from core.currency import CASH
from core.errors import ChangeRejected
from portfolio.series.decide import BLENDED, SERIES, UNBLENDED, decide
from portfolio.series.reference import BLEND, catalogue
from storage.state.portfolios import OWN
from storage.state.series import Blend, DayCount, Kind, Rebalancing, Series

TAG = "Benchmarks"
SYMBOL = {"symbol": "Of the instrument, as files call it."}
ID = {"id": "Of the benchmark: its name when it was added, as 60/40."}


class Instrument(Answered):
    """Something with prices or rates. It is there once a file or a program has sent some."""

    symbol: str
    name: str
    kind: str = Field(description="price, total_return (with dividends), rate (percent a year) or fx.")
    currency: str = Field(description="Of its prices, or that a rate is paid on; empty: not known.")
    day_count: str = Field(description="Of a rate; empty: it is none.")
    note: str


class InstrumentChanges(Body):
    """What is to be set of an instrument; what is left out stays."""

    name: str | None = Field(None, description="What it is called.")
    kind: Kind | None = Field(None, description="What its values are.")
    currency: str | None = Field(None, description="Such as EUR; empty: not known, never converted.")
    day_count: DayCount | None = Field(None, description="Of a rate: how days of interest become a share of a year.")
    note: str | None = Field(None, description="Shown beside it.")


class Part(BaseModel):
    """A part of a benchmark."""

    model_config = Body.model_config

    symbol: str = Field(description=f"Of an instrument, or {CASH}, which earns the risk-free rate.")
    weight_percent: float = Field(description="Its share; those of all parts sum to 100.")


class Benchmark(Answered):
    """A benchmark made of instruments (a blend)."""

    id: str
    key: str = Field(description="What a portfolio that stands beside it has as its benchmark.")
    name: str
    parts: list[Part]
    rebalancing: str = Field(description="When the weights are restored: at the end of each day, month, quarter …")
    currency: str = Field(description="That its parts are converted to; empty: that of the portfolio.")


class BenchmarkChanges(Body):
    """What is to be set of a benchmark; what is left out stays."""

    name: str | None = Field(None, description="What it is called; of a new one it becomes the id.")
    parts: list[Part] | None = Field(None, description="What it is made of, all parts together.")
    rebalancing: Rebalancing | None = Field(None, description="When the weights are restored.")
    currency: str | None = Field(None, description="That its parts are converted to; empty: that of the portfolio.")


class NewBenchmark(BenchmarkChanges):
    """A benchmark made of instruments."""

    name: str = Field(description="What it is called; it becomes the id.")
    parts: list[Part] = Field(description="What it is made of.")


def _instrument_of(each: Series) -> Instrument:
    return Instrument(
        symbol=each.symbol, name=each.name, kind=each.kind, currency=each.currency, day_count=each.day_count,
        note=each.note,
    )  # fmt: skip


def _benchmark_of(each: Blend) -> Benchmark:
    parts = [Part(symbol=symbol, weight_percent=weight) for symbol, weight in each.parts]
    return Benchmark(
        id=each.id, key=BLEND + each.id, name=each.name, parts=parts, rebalancing=each.rebalancing,
        currency=each.currency,
    )  # fmt: skip


def _instruments(ask: Ask[Listed]) -> Page[Instrument]:
    found = sorted(catalogue(ask.stores, OWN).series.values(), key=lambda each: each.symbol)
    part, following = part_of(found, lambda each: (each.symbol,), ask.begins)
    return Page[Instrument](items=[_instrument_of(each) for each in part], next=following, source="state database")


def _instrument(ask: Ask[Parameters]) -> Instrument:
    known, symbol = catalogue(ask.stores, OWN).series, ask.parts["symbol"]
    if symbol not in known:
        raise none_of("symbol", symbol, known, status=404, noun="instrument")
    return _instrument_of(known[symbol])


def _set_instrument(ask: Ask[Parameters]) -> Instrument:
    was = _instrument(ask)
    fields = ask.sent(InstrumentChanges).model_dump(exclude_none=True)
    decide(ask.stores, SERIES, was.symbol, fields, who=ask.viewer.name)
    return _instrument(ask)


def _benchmarks(ask: Ask[Listed]) -> Page[Benchmark]:
    found = sorted(catalogue(ask.stores, OWN).blends.values(), key=lambda each: each.id)
    part, following = part_of(found, lambda each: (each.id,), ask.begins)
    return Page[Benchmark](items=[_benchmark_of(each) for each in part], next=following, source="state database")


def _benchmark(ask: Ask[Parameters], id: str = "") -> Benchmark:
    known, id = catalogue(ask.stores, OWN).blends, id or ask.parts["id"]
    if BLEND + id not in known:
        raise none_of("id", id, [each.id for each in known.values()], status=404, noun="benchmark")
    return _benchmark_of(known[BLEND + id])


def _blend(ask: Ask[Parameters], id: str, body: BenchmarkChanges) -> None:
    fields: dict[str, Any] = body.model_dump(exclude_none=True, exclude={"parts"})
    parts = None if body.parts is None else [(each.symbol, repr(each.weight_percent)) for each in body.parts]
    decide(ask.stores, BLENDED, id, fields, parts, who=ask.viewer.name)


def _add_benchmark(ask: Ask[Parameters]) -> Benchmark:
    body = ask.sent(NewBenchmark)
    _blend(ask, "", body)
    return _benchmark(ask, body.name.strip())


def _set_benchmark(ask: Ask[Parameters]) -> Benchmark:
    was = _benchmark(ask)
    _blend(ask, was.id, ask.sent(BenchmarkChanges))
    return _benchmark(ask)


def _delete_benchmark(ask: Ask[Parameters]) -> Benchmark:
    gone = _benchmark(ask)
    if ask.sent(Named).name.strip() != gone.name:
        raise ChangeRejected(f"{gone.name} stays as it is.", {"name": f"type its name, {gone.name}"})
    decide(ask.stores, UNBLENDED, gone.id, {}, who=ask.viewer.name)
    return gone


OPERATIONS = (
    Operation(path="/instruments", summary="What has prices or rates.", answer=_instruments, model=Page[Instrument],
              query=Listed, tag=TAG, datasets=datasets),
    Operation(path="/instruments/{symbol}", summary="One instrument.", answer=_instrument, model=Instrument, tag=TAG,
              parts=SYMBOL, datasets=datasets),
    Operation(path="/instruments/{symbol}", method="PATCH", summary="Say what the values of an instrument are.",
              answer=_set_instrument, body=InstrumentChanges, model=Instrument, tag=TAG, parts=SYMBOL,
              role=CHANGING_ROLE, scope=ADMIN, is_shared=True),
    Operation(path="/benchmarks", summary="Benchmarks that are made of instruments.", answer=_benchmarks,
              model=Page[Benchmark], query=Listed, tag=TAG, datasets=datasets),
    Operation(path="/benchmarks/{id}", summary="One of them.", answer=_benchmark, model=Benchmark, tag=TAG, parts=ID,
              datasets=datasets),
    Operation(path="/benchmarks", method="POST", status=201, summary="Make a benchmark of instruments.",
              answer=_add_benchmark, body=NewBenchmark, model=Benchmark, tag=TAG, role=CHANGING_ROLE, scope=ADMIN,
              is_shared=True),
    Operation(path="/benchmarks/{id}", method="PATCH", summary="Change a benchmark.", answer=_set_benchmark,
              body=BenchmarkChanges, model=Benchmark, tag=TAG, parts=ID, role=CHANGING_ROLE, scope=ADMIN,
              is_shared=True),
    Operation(path="/benchmarks/{id}", method="DELETE", summary="Delete a benchmark that no portfolio has.",
              answer=_delete_benchmark, body=Named, model=Benchmark, tag=TAG, parts=ID, role=CHANGING_ROLE,
              scope=ADMIN, is_shared=True),
)  # fmt: skip
