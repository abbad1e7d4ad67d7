"""Scenarios of stress that people keep, for all to see: what moves, by how much."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from core.errors import ChangeRejected
from storage.state.audit import Entry, add_entry
from storage.state.database import State, Transaction, metadata
from storage.state.limits import gone

DATASET = "scenarios"
"""Its version (storage.live.redis.Live.version) moves when one is kept or deleted."""
NAME_CHARACTERS, WHO_CHARACTERS = 80, 80
MOST = 200
NOT_KEPT, NOT_DELETED = "Nothing was kept.", "Nothing was deleted."

scenarios = sa.Table(
    "scenarios",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("moves", sa.Text, nullable=False),
    sa.Column("who", sa.String(80), nullable=False),
    sa.Column("made_at", sa.Float, nullable=False),
    sa.UniqueConstraint("name", name="scenarios_by_name"),
)
Moves = Mapping[str, float]
"""Returns by what moves: −0.1 is a fall of 10 %."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What moves; each on top of the others, currencies against the portfolio's."""

    name: str
    market: float = 0.0
    """Each position moves by its beta to the portfolio's benchmark times this."""
    sectors: Moves = field(default_factory=dict)
    asset_classes: Moves = field(default_factory=dict)
    strategies: Moves = field(default_factory=dict)
    """By key (origin:id) of the portfolio that holds what moves."""
    currencies: Moves = field(default_factory=dict)
    who: str = ""
    made_at: float = 0.0
    """Epoch seconds."""
    id: int = 0


MOVES = ("market", "sectors", "asset_classes", "strategies", "currencies")


def add_scenario(state: State, scenario: Scenario) -> Scenario:
    """Keep a scenario and return it with its number. Raises ChangeRejected: its name is taken; StorageUnavailable."""
    with state.begin() as connection:
        known = scenarios_in(connection)
        if any(each.name.casefold() == scenario.name.casefold() for each in known):
            raise ChangeRejected(NOT_KEPT, {"name": f"{scenario.name} is there already; give another one"})
        if len(known) >= MOST:
            raise ChangeRejected(NOT_KEPT, {"name": f"{MOST} are kept already; delete one first"})
        row = {
            "name": scenario.name,
            "moves": _packed(scenario),
            "who": scenario.who[:WHO_CHARACTERS],
            "made_at": scenario.made_at,
        }
        (id,) = connection.execute(sa.insert(scenarios).values(**row)).inserted_primary_key or (0,)
        detail = _packed(scenario)
        add_entry(connection, Entry(scenario.made_at, scenario.who, "scenario kept", scenario.name, detail=detail))
        return replace(scenario, id=int(id))


def delete_scenario(state: State, id: int, who: str, now: float) -> Scenario:
    """Delete a scenario and return it. Raises ChangeRejected: there is none; StorageUnavailable."""
    with state.begin() as connection:
        found = next((each for each in scenarios_in(connection) if each.id == id), None)
        if found is None:
            raise ChangeRejected(NOT_DELETED, {"id": f"there is no scenario {id}"})
        connection.execute(sa.delete(scenarios).where(scenarios.c.id == id))
        add_entry(connection, Entry(now, who, "scenario deleted", found.name, detail=_packed(found)))
        return found


def scenarios_in(connection: Transaction) -> list[Scenario]:
    """Return every scenario, by name."""
    return [_scenario(row) for row in connection.execute(sa.select(scenarios).order_by(scenarios.c.name))]


def forget_in_scenarios(connection: Transaction, ids: Iterable[str]) -> None:
    """Let no scenario of one of these own portfolios be of whatever gets its id next."""
    keys = {f"own:{id}" for id in ids}
    for each in scenarios_in(connection):
        if keys.isdisjoint(each.strategies):
            continue
        moves = {gone(key) if key in keys else key: move for key, move in each.strategies.items()}
        values = {"moves": _packed(replace(each, strategies=moves))}
        connection.execute(sa.update(scenarios).where(scenarios.c.id == each.id).values(**values))


def _packed(scenario: Scenario) -> str:
    found: dict[str, Any] = {name: getattr(scenario, name) for name in MOVES if getattr(scenario, name)}
    return json.dumps(found, ensure_ascii=False, sort_keys=True)


def _scenario(row: Any) -> Scenario:
    return Scenario(name=row.name, who=row.who, made_at=row.made_at, id=row.id, **json.loads(row.moves))
