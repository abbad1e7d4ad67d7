"""Overview: whether the money is safe, and what is wrong; each item leads to its place. It opens first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from dash import html

from access.viewer import Viewer
from core.alerts.spec import FiringAlert
from core.clock import DAY_SECONDS
from core.errors import StorageError
from core.format import number
from core.kinds.registry import KINDS
from core.memo import Memo
from core.pipeline.health import HEALTH
from core.readiness import READINESS
from core.roles import Role
from dashboard.components.card import empty
from dashboard.components.panel import panels, slot
from dashboard.frame.places import OVERVIEW, SAFE
from dashboard.overview import alerts, past, safe
from dashboard.overview.components import component_grid
from dashboard.overview.portfolios import portfolio_table
from dashboard.views.marks import of_everything
from dashboard.views.panel import GraphBody, Panel, TableBody
from dashboard.views.problem import problem_of
from dashboard.views.route import Route
from dashboard.views.tab import Choices, Tab, View
from portfolio.allowed import seen
from portfolio.glance import Glance, glances
from portfolio.limits.known import drawdown_limits
from portfolio.withheld import reading_for
from status.alerts import alerts_now
from status.freshness import is_stale, next_stale_at, reading_stale_after_seconds
from status.health import Score, present_components, present_readings, score_of
from status.readiness import Readiness
from status.readings import OWN, every_dataset
from storage.clickhouse.client import ClickHouse
from storage.state.portfolios import list_portfolios

if TYPE_CHECKING:
    from core.model import LiveReading
    from core.settings.model import Settings
    from storage.stores import Stores

ID = OVERVIEW
TALL_PX = 252
ROW_PX, NARROW_ROW_PX, HEAD_PX = 26, 175, 27
"""Of the table of portfolios: a row of it, that as a card on a narrow screen, its heading."""
NOTHING_PX, NOTHING_READ_PX = 183, 76
"""Of what stands where there is no portfolio; of the components on a narrow screen while nothing has been read."""
COMPONENTS_PX = 380
CHART_PX = 150
PAST_PX = 180
READ_AGAIN_SECONDS = 15
"""The last 24 hours are read again so often: a minute more or less does not show."""
BANNER = f"{ID}-safe"

PORTFOLIOS = Panel(
    f"{ID}-portfolios",
    "Portfolios",
    "As of the last value of each; the figures are those of the page Portfolio. Returns are time-weighted.",
    TableBody(TALL_PX, TALL_PX, ""),
    subtitle="as of the last value of each",
    span=8,
    tools=("csv", "xlsx", "full"),
)
OPEN = Panel(
    f"{ID}-alerts",
    "Open alerts",
    "What fires now, the gravest first, of equal ones the newest. Source: the alert engine.",
    TableBody(TALL_PX, TALL_PX, narrow_height=80),
    subtitle_slot=f"{ID}-alert-counts",
    span=4,
    tools=("full",),
)
COMPONENTS = Panel(
    f"{ID}-components",
    "Components",
    "Everything that is watched, as its newest reading says it: in trouble first. What has no reading is unknown.",
    TableBody(COMPONENTS_PX),
    subtitle="in trouble first",
    span=8,
    tools=("full",),
)
TREND = Panel(
    f"{ID}-health",
    "Health score, 24 h",
    "0 to 100: components by their state and their limits, weighted by area. The line is the lowest of each step.",
    GraphBody(CHART_PX),
    subtitle_slot=f"{ID}-health-now",
)
PAST = Panel(
    f"{ID}-past",
    "Trading and P&L, 24 h",
    "Above: when anything that trading rests on was not ok; grey: nobody watched. Below: growth within the day, since "
    "the close before.",
    GraphBody(PAST_PX),
    subtitle_slot=f"{ID}-past-told",
)
PANELS = (PORTFOLIOS, OPEN, COMPONENTS, TREND, PAST)
SUBTITLES = (OPEN.subtitle_slot, TREND.subtitle_slot, PAST.subtitle_slot)
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class _Past:
    trend: Any
    watched: past.Watched


_PAST: WeakKeyDictionary[ClickHouse, Memo[_Past]] = WeakKeyDictionary()


def layout(stores: Stores, _choices: Choices, viewer: Viewer) -> html.Div:
    """Return the tab without data, with as much room as its portfolios and components will take."""
    known, _ = _tried(lambda: seen(list_portfolios(stores.state), viewer.portfolios))
    narrow = COMPONENTS_PX if present_readings(stores) else NOTHING_READ_PX
    raster = panels(
        replace(PORTFOLIOS, holds=_room(len(known or ()))).element(),
        OPEN.element(),
        replace(COMPONENTS, holds=TableBody(COMPONENTS_PX, narrow_height=narrow)).element(),
        html.Div([TREND.element(), PAST.element()], className="fw-column fw-span-4"),
    )
    return html.Div([slot(BANNER, 58, narrow_height=92), raster], className="fw-content fw-overview")


def _room(rows: int) -> TableBody:
    height = min(HEAD_PX + rows * ROW_PX, TALL_PX) if rows else NOTHING_PX
    return TableBody(height, TALL_PX, "", narrow_height=rows * NARROW_ROW_PX or NOTHING_PX)


def build(stores: Stores, _choices: Choices, viewer: Viewer) -> View:
    """Return what the tab shows. While a store is away the rest goes on."""
    now, limits = stores.clock.now(), viewer.portfolios
    readings = [told for each in present_readings(stores) if (told := reading_for(each, limits)) is not None]
    found = present_components(stores.settings, readings, now)
    score = score_of(found, stores.settings.health)
    ready, names = safe.seen_readiness(stores, now, limits)
    known = alerts_now(stores)
    engine = known.reading
    firing, why_no_alerts = _tried(lambda: alerts.seen_alerts(stores, known.firing, limits))
    shown, why_no_portfolios = _tried(lambda: glances(stores, limits))
    falls, _ = _tried(lambda: drawdown_limits(stores))
    span = (now - DAY_SECONDS, now)
    read, why_no_past = _tried(lambda: _past(stores, readings, span, is_whole=limits is None))
    course, _ = _tried(lambda: past.read_course(stores, shown or [], span[0]))
    is_checked = safe.word_of(ready) != safe.UNCHECKED
    newest = max((each.ts for each in readings), default=None)
    drawn = {TREND.graph: past.trend_figure(read.trend, span, CHART_PX)} if read and read.trend else {}
    if read:
        has_sources = bool(past.trading_sources(stores))
        drawn[PAST.graph] = past.past_figure(read.watched, course, span, has_sources=has_sources, is_checked=is_checked)
    return View(
        figures=drawn,
        slots={
            BANNER: safe.banner(ready, names),
            PORTFOLIOS.slot: _portfolios(shown, ready, falls or {}),
            OPEN.slot: _alerts(firing, engine, now),
            OPEN.subtitle_slot: alerts.counts_line(firing) if firing is not None else None,
            COMPONENTS.slot: component_grid(found, score),
            TREND.subtitle_slot: _score_line(score),
            PAST.subtitle_slot: _past_line(stores, read, is_checked=is_checked),
        },
        as_of={
            PORTFOLIOS.id: None if why_no_portfolios and shown is None else now,
            OPEN.id: engine.ts if engine else None,
            COMPONENTS.id: newest,
            TREND.id: now if read and read.trend else None,
            PAST.id: now if read else None,
        },
        notes={
            PORTFOLIOS.id: why_no_portfolios,
            OPEN.id: why_no_alerts or ("" if engine else "No alert is known: they are not evaluated."),
            COMPONENTS.id: stores.live.problem and f"Redis does not answer: {stores.live.problem}",
            TREND.id: why_no_past or ("" if read and read.trend else "No health score is stored yet."),
            PAST.id: why_no_past,
        },
        stale_after_seconds={OPEN.id: reading_stale_after_seconds(engine)},
        stale_at=next_stale_at([*readings, engine, *stores.live.every_reading([READINESS])], now),
    )


def _tried(read: Callable[[], Read]) -> tuple[Read | None, str]:
    """Return what is read, or None and why it cannot be."""
    try:
        return read(), ""
    except StorageError as error:
        return None, problem_of(error)


def _past(stores: Stores, readings: list[LiveReading], span: tuple[float, float], *, is_whole: bool) -> _Past:
    memo = _PAST.setdefault(stores.clickhouse, Memo(4))

    def read() -> _Past:
        reading = next((each for each in readings if each.collector == HEALTH), None)
        return _Past(past.read_trend(stores, reading, *span), past.read_watched(stores, *span, is_whole=is_whole))

    return memo.get((int(span[1] // READ_AGAIN_SECONDS), is_whole), read)


def _portfolios(shown: list[Glance] | None, ready: Readiness, limits: Mapping[str, float]) -> Any:
    if shown is None:
        return None
    if not shown:
        link = html.A("Import", href="/import")
        return empty("No portfolio yet", html.P(["A file brings the first: ", link, "."]))
    return portfolio_table(shown, ready, limits)


def _alerts(firing: list[FiringAlert] | None, engine: LiveReading | None, now: float) -> Any:
    if firing is None:
        return None
    return alerts.alert_list(firing, is_evaluated=engine is not None and not is_stale(engine, now))


def _score_line(score: Score) -> list[Any]:
    """Return the score of now as a link to its arithmetic, and why it is capped."""
    shown = html.Strong(number(score.value), className=f"fw-score fw-score-{score.level}")
    told: list[Any] = [
        html.A([shown, f" of 100, {score.level}"], href="/health"),
        html.Span(" now", className="fw-when-live"),
        html.Span(" when Fundwatch last answered", className="fw-when-lost"),
    ]
    if score.capped_by:
        told.append(f" · at most 20: {', '.join(score.capped_by)}")
    return told


def _past_line(stores: Stores, read: _Past | None, *, is_checked: bool) -> str | None:
    if read is None:
        return None
    return past.watched_line(read.watched, len(past.trading_sources(stores)), is_checked=is_checked)


def _routes(stores: Stores) -> list[Route]:
    def badge(_choices: Choices, viewer: Viewer) -> Any:
        return safe.badge_answer(*safe.seen_readiness(stores, stores.clock.now(), viewer.portfolios))

    return [Route(SAFE, badge, Role.VIEWER)]


def _fit(settings: Settings) -> Tab:
    return replace(TAB, datasets=(*every_dataset(settings), *ALSO))


ALSO = ("portfolio",)
"""Data sets beside those of readings."""
TAB = Tab(
    id=ID,
    title="Overview",
    icon="overview",
    key="1",
    path=f"/{ID}",
    layout=layout,
    build=build,
    varies_by=("role", "portfolios"),
    datasets=(*OWN, *KINDS, *ALSO),
    panels=PANELS,
    slots=(BANNER, PORTFOLIOS.slot, OPEN.slot, COMPONENTS.slot, *SUBTITLES),
    graphs=(TREND.graph, PAST.graph),
    concerned=of_everything,
    routes=_routes,
    fit=_fit,
)
