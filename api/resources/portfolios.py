"""Portfolios: the tree, and every figure of one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from pydantic import Field, create_model

from access.viewer import CHANGING_ROLE
from api.body import Body, Named
from api.models import Aged, Figure, Number, Page, aged, at, day_of
from api.models import age as age_in_seconds
from api.operation import ADMIN, Ask, Operation
from api.paging import part_of
from api.parameters import Listed, Parameters
from api.portfolios import ID, OfPortfolio, data_of, datasets, finite, portfolio_of
from api.problem import Refused, named
from core.errors import ChangeRejected
from core.portfolios import RULE, RULES, WHOLE, Rule
from portfolio import given
from portfolio.chosen import key_of
from portfolio.data import PortfolioData
from portfolio.histories import kept
from portfolio.reports import as_of
from portfolio.summary import columns, side_by_side, unit_of
from portfolio.tree.facts import Node, nodes
from portfolio.tree.limited import add_seen, delete_seen, set_seen
from storage.state.portfolios import OWN

if TYPE_CHECKING:
    from analytics.summary import Summary

TAG = "Portfolios"


class Portfolio(Aged):
    """A node of the fund's tree."""

    id: str = Field(description="Its address below /portfolios/: origin and id.")
    origin: str = Field(description="own, sample or replay.")
    name: str
    parent: str | None = Field(description="Id of what it is part of; null: of nothing that you may see.")
    benchmark: str = Field(description="Key of its benchmark; empty: it has none.")
    currency: str
    nav: Number = Field(description="Newest value, in its currency.")
    first_day: date | None
    last_day: date | None
    values: int = Field(description="Days with a value.")
    rhythm: str = Field(description="How often it is valued, and how that is known.")
    parts: int = Field(description="How many parts it is the sum of; 0: its values are its own.")
    is_built: bool = Field(description="Whether values, its own or of a part, are built from trades.")
    has_ended: bool
    note: str


class Performance(Figure):
    """A figure of the window, beside the benchmark's own."""

    key: str
    title: str
    group: str
    definition: str
    reason: str = Field(description="Why the value is missing.")
    remark: str = Field(description="What must be known beside it.")
    benchmark_value: Number
    benchmark_reason: str


def _setting(rule: Rule) -> Any:
    kind = int if rule.name in WHOLE else str
    return (kind | None, Field(None, description=f"{rule.hint} An empty text: none." if kind is str else rule.hint))


PortfolioChanges: type[Body] = create_model(
    "PortfolioChanges", __base__=Body, __doc__="What is to be set of a portfolio; what is left out stays.",
    **{rule.name: _setting(rule) for rule in RULES},
)  # fmt: skip
NewPortfolio: type[Body] = create_model(
    "NewPortfolio", __base__=PortfolioChanges, __doc__="A portfolio without values yet.",
    name=(str, Field(description=RULE["name"].hint)),
)  # fmt: skip


def _age(node: Node, now: float) -> Aged:
    """Return how old the values of a node are; what is not the fund's own, and what has ended, has no age."""
    source = f"nav, {node.portfolio.origin}"
    if not _is_valued(node):
        return Aged(source=source)
    if node.last is None:
        return Aged(source=source, stale=True)
    newest = given.newest_value(node.portfolio.calendar, node.counts, node.last, node.newest)
    return aged(newest.as_of(now), now, newest.stale_after_seconds, source)


def _is_valued(node: Node) -> bool:
    """Return whether values of a node are expected now."""
    return node.portfolio.origin == OWN and not node.has_ended


def _age_of_all(found: list[Node], now: float) -> Aged:
    """Return the age of the newest value; stale where no value that is expected is recent."""
    ages = [_age(node, now) for node in found if _is_valued(node)]
    known = (as_of(node.newest, now) for node in found if _is_valued(node) and node.newest)
    newest = max(known, default=None)
    is_stale = bool(ages) and all(each.stale for each in ages)
    return Aged(as_of=at(newest), age_seconds=age_in_seconds(newest, now), stale=is_stale, source="nav")


def _node(ask: Ask[Parameters], node: Node) -> Portfolio:
    own, origin = node.portfolio, node.portfolio.origin
    return Portfolio(
        id=key_of(own), origin=origin, name=own.name, parent=f"{origin}:{own.parent}" if own.parent else None,
        benchmark=own.benchmark, currency=own.currency, nav=finite(node.last_value),
        first_day=day_of(node.first) if node.first is not None else None,
        last_day=day_of(node.last) if node.last is not None else None, values=node.values, rhythm=node.rhythm,
        parts=node.made_of, is_built=node.built > 0, has_ended=node.has_ended, note=own.note,
        **_age(node, ask.now).model_dump(),
    )  # fmt: skip


def _portfolios(ask: Ask[Listed]) -> Page[Portfolio]:
    found = sorted(nodes(ask.stores, ask.viewer.portfolios), key=_key)
    part, following = part_of(found, lambda node: (_key(node),), ask.begins)
    items = [_node(ask, node) for node in part]
    return Page[Portfolio](items=items, next=following, **_age_of_all(found, ask.now).model_dump())


def _portfolio(ask: Ask[Parameters]) -> Portfolio:
    wanted = key_of(portfolio_of(ask))
    found = nodes(ask.stores, ask.viewer.portfolios)
    return next(_node(ask, node) for node in found if key_of(node.portfolio) == wanted)


def _own(ask: Ask[Parameters]) -> str:
    """Return the id of the portfolio of the path. Raises Refused for one that is not the fund's own."""
    found = portfolio_of(ask)
    if found.origin != OWN:
        detail = f"{found.name} is of the {found.origin}, which stays as it is."
        raise Refused(422, detail, field="id", fix="Give a portfolio of your own: its id begins with own:.")
    return found.id


def _answered(ask: Ask[Parameters], id: str) -> Portfolio:
    """Return an own portfolio as it is now."""
    return _portfolio(replace(ask, parts={"id": f"{OWN}:{id}"}))


def _fields(body: Body) -> dict[str, str]:
    """Return the settings that were sent, as texts; a portfolio is named by its id with or without own:."""
    found = {name: str(value) for name, value in body.model_dump(exclude_none=True).items()}
    return found | ({"parent": found["parent"].removeprefix(f"{OWN}:")} if "parent" in found else {})


def _add(ask: Ask[Parameters]) -> Portfolio:
    fields = _fields(ask.sent(NewPortfolio))
    return _answered(ask, add_seen(ask.stores, ask.viewer.portfolios, fields, ask.viewer.name))


def _set(ask: Ask[Parameters]) -> Portfolio:
    id = _own(ask)
    set_seen(ask.stores, ask.viewer.portfolios, id, _fields(ask.sent(PortfolioChanges)), ask.viewer.name)
    return _answered(ask, id)


def _delete(ask: Ask[Parameters]) -> Portfolio:
    id = _own(ask)
    gone = _answered(ask, id)
    try:
        delete_seen(ask.stores, ask.viewer.portfolios, id, ask.sent(Named).name, ask.viewer.name)
    except ChangeRejected as error:
        raise named(error) from error
    return gone


def _key(node: Node) -> str:
    return key_of(node.portfolio)


def _performance(ask: Ask[OfPortfolio]) -> Page[Performance]:
    told = data_of(ask)
    data = told.data
    found = _figures(ask, data)
    beside = len(columns(data)) - 1 if data.benchmark else None
    metrics = found.metrics
    part, following = part_of([*range(len(metrics))], lambda place: (place,), ask.begins)
    age = told.age.model_dump()
    items = [
        Performance(
            key=metric.key, title=metric.title, group=metric.group, definition=metric.definition,
            value=finite(found.of(metric.key, 0)), unit=unit_of(metric, data), reason=found.reason(metric.key, 0),
            remark=found.remark(metric.key, 0),
            benchmark_value=finite(found.of(metric.key, beside)) if beside is not None else None,
            benchmark_reason=found.reason(metric.key, beside) if beside is not None else "there is no benchmark",
            **age,
        )
        for metric in (metrics[place] for place in part)
    ]  # fmt: skip
    return Page[Performance](items=items, next=following, told=told.told, **age)


def _figures(ask: Ask[OfPortfolio], data: PortfolioData) -> Summary:
    """Return every figure, worked out once a version of the data for all who ask the same."""
    asked = ask.query.model_dump_json(exclude={"limit", "cursor"})
    return kept(ask.stores, ("api performance", key_of(data.portfolio), asked), lambda: side_by_side(data))


OPERATIONS = (
    Operation(path="/portfolios", summary="Every portfolio that you may see.", answer=_portfolios,
              model=Page[Portfolio], query=Listed, tag=TAG, datasets=datasets),
    Operation(path="/portfolios/{id}/performance", summary="Every figure of a portfolio over a window.",
              answer=_performance, model=Page[Performance], query=OfPortfolio, tag=TAG, parts=ID, datasets=datasets),
    Operation(path="/portfolios/{id}", summary="One portfolio.", answer=_portfolio, model=Portfolio, tag=TAG,
              parts=ID, datasets=datasets),
    Operation(path="/portfolios", method="POST", status=201, summary="Add a portfolio of your own, without values.",
              answer=_add, body=NewPortfolio, model=Portfolio, tag=TAG, role=CHANGING_ROLE, scope=ADMIN),
    Operation(path="/portfolios/{id}", method="PATCH", summary="Change settings of a portfolio.", answer=_set,
              body=PortfolioChanges, model=Portfolio, tag=TAG, parts=ID, role=CHANGING_ROLE, scope=ADMIN),
    Operation(path="/portfolios/{id}", method="DELETE", answer=_delete, body=Named, model=Portfolio, tag=TAG, parts=ID,
              summary="Delete a portfolio with all its values; it answers with what it was.", role=CHANGING_ROLE,
              scope=ADMIN),
)  # fmt: skip
