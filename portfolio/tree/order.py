"""A change of the fund's tree as it is ordered from the command line, also through the inbox of a running Fundwatch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from core.errors import ChangeRejected
from portfolio.series import decide
from portfolio.tree import delete, merge, settings
from portfolio.tree.names import ids_by_name
from storage.state.portfolios import OWN, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

DOES = ("set", "add", "merge", "delete", *decide.DOES)


@dataclass(frozen=True, slots=True)
class ChangeOrder:
    """What is to be done: one of DOES. Raises ChangeRejected for anything else."""

    do: str
    portfolio: str = ""
    """Id or name; empty for one that is added. Of what is decided of benchmarks: the symbol, blend or currency."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Settings by name; of a merge `into` and `wins`, of a deletion `typed`."""
    who: str = ""

    def __post_init__(self) -> None:
        if self.do not in DOES:
            raise ChangeRejected(f"{self.do!r} is nothing that can be done: give one of {', '.join(DOES)}")

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of an order, as the inbox tells it."""

    sentence: str
    rows: int = 0

    def __str__(self) -> str:
        return self.sentence


def read_change(name: str, content: bytes | None) -> ChangeOrder:
    """Return the order that a file holds. Raises ChangeRejected when it is none."""
    try:
        found = json.loads(content or b"")
        fields = {str(key): str(value) for key, value in found.get("fields", {}).items()}
        return ChangeOrder(
            str(found["do"]), str(found.get("portfolio", "")), fields, str(found.get("who", "inbox")) or "inbox"
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        example = '{"do": "set", "portfolio": "alpha", "fields": {"currency": "EUR"}}'
        raise ChangeRejected(f"{name} does not say what to change: write {example}") from error


def carry_out(stores: Stores, order: ChangeOrder) -> Carried:
    """Do what is ordered, and return what was done. Raises as the functions of this folder do."""
    if order.do in decide.DOES:
        return Carried(decide.decide(stores, order.do, order.portfolio, order.fields, who=order.who))
    ids = ids_by_name(stores.state)
    id, fields = ids.get(order.portfolio, order.portfolio), order.fields
    match order.do:
        case "add":
            return Carried(f"{fields.get('name', '')} added, id {settings.add(stores, fields, order.who)}.")
        case "set":
            return Carried(settings.change(stores, id, fields, order.who))
        case "merge":
            into, wins = (ids.get(fields.get(each, ""), fields.get(each, "")) for each in ("into", "wins"))
            gone = _still(stores, order) if id == into else id
            return Carried(merge.merge(stores, gone, into, wins, order.who))
        case _:
            return Carried(delete.delete(stores, id, fields.get("typed", ""), order.who))


def _still(stores: Stores, order: ChangeOrder) -> str:
    """Return the id of the portfolio that still has this name: a merge was cut off, and files mean the other one."""
    names = {each.name: each.id for each in list_portfolios(stores.state, OWN)}
    return names.get(order.portfolio, order.portfolio)
