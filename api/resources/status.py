"""How Fundwatch itself is, how everything is, and each component."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from api.models import Aged, Answered, Number, Page, aged_reading, newest_of
from api.operation import Ask, Operation
from api.paging import part_of
from api.parameters import Listed, Parameters
from api.problem import none_of
from api.readings import components, is_fundwatch
from core.alerts.spec import ALERTS
from core.errors import StorageError
from core.model import Status as State
from core.model import worst
from core.pipeline.health import Area, Level
from portfolio.withheld import reading_for
from status.health import Line, present_components, present_readings, score_of
from status.readings import Found, every_dataset

if TYPE_CHECKING:
    from core.settings.model import Settings

TAG = "Status"


class Component(Aged):
    """A thing that is watched, and how it is."""

    id: str = Field(description="Its address below /components/.")
    name: str
    collector: str
    host: str = Field(description="The machine it is of; empty for a watched source.")
    status: State
    why: str
    reasons: list[str] = Field(description="Each cause by itself, gravest first.")
    value: Number
    unit: str


class Dependency(Answered):
    """A store that Fundwatch stands on."""

    name: str
    status: State
    why: str


class FundwatchStatus(Aged):
    """Fundwatch itself and what it stands on."""

    status: State = Field(description="The worst of what follows.")
    machine: str
    dependencies: list[Dependency]
    components: list[Component] = Field(description="Its own: collectors, writer, spool, data folder, stores.")


class HealthLine(Answered):
    """A component in the arithmetic of the health score."""

    id: str
    area: Area
    status: State
    points: float = Field(description="0 to 100.")
    level: Level = Field(description="Colour of the points.")
    limit_ratio: Number = Field(description="How much of its limit is in use.")
    weight_ratio: float = Field(description="Its share of the whole.")
    adds: float = Field(description="Points times weight.")
    why: str


class Health(Aged):
    """The states of all components, and the score of all of them."""

    score: float = Field(description="0 to 100.")
    level: Level = Field(description="Colour of the score.")
    before_cap: float = Field(description="The sum of what the lines add.")
    capped_by: list[str] = Field(description="What trading rests on and is down or unknown: the score is 20 at most.")
    status: State = Field(description="The worst of all.")
    counts: dict[str, int] = Field(description="How many components are in each state.")
    components: list[Component] | None = Field(description="Every one, with detailed=true; else null.")
    lines: list[HealthLine] | None = Field(description="The arithmetic of the score, with detailed=true; else null.")


class Detail(Parameters):
    """How much is told."""

    detailed: Literal["true", "false"] = Field("false", description="Whether every component is told of too.")


class Which(Listed):
    """Which components."""

    status: Literal["", "ok", "warning", "critical", "down", "unknown", "not_configured"] = Field(
        "", description="Only those in this state."
    )


def _component(found: Found, now: float) -> Component:
    part = found.part
    age = aged_reading(found.reading, now) if found.reading else Aged(stale=True, source=found.collector)
    return Component(
        id=found.id, name=part.name, collector=found.collector, host=found.host, status=part.status, why=part.why,
        reasons=[*part.causes], value=part.value, unit=part.unit, **age.model_dump(),
    )  # fmt: skip


def _line(line: Line) -> HealthLine:
    return HealthLine(
        id=line.found.id, area=line.area, status=line.found.part.status, points=line.points, level=line.level,
        limit_ratio=line.limit_share, weight_ratio=line.weight, adds=line.adds, why=line.why,
    )  # fmt: skip


def _age_of(found: list[Found], now: float) -> Aged:
    return newest_of([each.reading for each in found if each.reading], now)


def _dependency(name: str, ask: Ask[Parameters]) -> Dependency:
    try:
        if name == "ClickHouse":
            ask.stores.clickhouse.ping()
        elif name == "state database":
            with ask.stores.state.begin():
                pass
        elif ask.stores.live.known_version("pipeline") is None:
            return Dependency(name=name, status=State.DOWN, why=ask.stores.live.problem or "does not answer")
    except StorageError as error:
        return Dependency(name=name, status=State.DOWN, why=str(error))
    return Dependency(name=name, status=State.OK, why="answers")


def _status(ask: Ask[Parameters]) -> FundwatchStatus:
    found = [each for each in components(ask.stores, ask.now, ask.viewer.portfolios) if is_fundwatch(each)]
    stores = [_dependency(name, ask) for name in ("ClickHouse", "state database", "Redis")]
    return FundwatchStatus(
        status=worst([*(each.part.status for each in found), *(each.status for each in stores)]),
        machine=ask.stores.settings.machine,
        dependencies=stores,
        components=[_component(each, ask.now) for each in found],
        **_age_of(found, ask.now).model_dump(),
    )


def _health(ask: Ask[Detail]) -> Health:
    settings, limits = ask.stores.settings, ask.viewer.portfolios
    readings = [told for each in present_readings(ask.stores) if (told := reading_for(each, limits)) is not None]
    found = present_components(settings, readings, ask.now)
    states, score = [each.part.status for each in found], score_of(found, settings.health)
    is_detailed = ask.query.detailed == "true"
    return Health(
        score=score.value,
        level=score.level,
        before_cap=score.before_cap,
        capped_by=[*score.capped_by],
        lines=[*map(_line, score.lines)] if is_detailed else None,
        status=worst(states),
        counts={state: states.count(state) for state in State},
        components=[_component(each, ask.now) for each in found] if is_detailed else None,
        **_age_of(found, ask.now).model_dump(),
    )


def _components(ask: Ask[Which]) -> Page[Component]:
    every = components(ask.stores, ask.now, ask.viewer.portfolios)
    found = [each for each in every if ask.query.status in ("", each.part.status)]
    part, following = part_of(found, lambda each: (each.id,), ask.begins)
    items = [_component(each, ask.now) for each in part]
    return Page[Component](items=items, next=following, **_age_of(every, ask.now).model_dump())


def _one(ask: Ask[Parameters]) -> Component:
    every = {each.id: each for each in components(ask.stores, ask.now, ask.viewer.portfolios)}
    wanted = ask.parts["id"]
    if wanted not in every:
        raise none_of("id", wanted, every, status=404, noun="component")
    return _component(every[wanted], ask.now)


def _every_with_alerts(settings: Settings) -> tuple[str, ...]:
    return (*every_dataset(settings), ALERTS)


ID = {"id": "As `id` in /components says."}
OPERATIONS = (
    Operation(path="/status", summary="Fundwatch itself and every store it stands on.", answer=_status,
              model=FundwatchStatus,
              tag=TAG, datasets=every_dataset),
    Operation(path="/health", summary="The health score, and the states of all components.", answer=_health,
              model=Health, query=Detail, tag=TAG, datasets=_every_with_alerts),
    Operation(path="/components", summary="Every component that is watched.", answer=_components,
              model=Page[Component], query=Which, tag=TAG, datasets=every_dataset),
    Operation(path="/components/{id}", summary="One component.", answer=_one, model=Component, parts=ID, tag=TAG,
              datasets=every_dataset),
)  # fmt: skip
