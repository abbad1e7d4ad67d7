"""Health score: its arithmetic, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from dash import html

from access.viewer import Viewer
from core.errors import StorageError
from core.format import count, first_of, number, percent
from core.kinds.registry import KINDS
from core.memo import Memo
from core.model import SEVERITY, LiveReading, Status
from core.pipeline.health import Level
from dashboard.components.age import age
from dashboard.components.card import state_badge, verdict
from dashboard.components.choices import choice_button
from dashboard.components.panel import panels, verdict_slot
from dashboard.components.table import Cell, Column, cut_cell, data_table
from dashboard.overview.components import TITLES, place_of, title_of
from dashboard.overview.courses import Courses, courses_figure, read_courses
from dashboard.views.marks import of_everything
from dashboard.views.panel import GraphBody, Panel, TableBody
from dashboard.views.problem import problem_of
from dashboard.views.tab import Choices, Page, View
from portfolio.withheld import reading_for
from status.freshness import next_stale_at, reading_stale_after_seconds
from status.health import CAP, Line, Score, present_components, present_readings, score_of
from status.readings import OWN, Found
from storage.clickhouse.client import ClickHouse

if TYPE_CHECKING:
    from storage.stores import Stores

ID = "health"
VERDICT = f"{ID}-verdict"
STATES = {Level.GREEN: Status.OK, Level.YELLOW: Status.WARNING, Level.RED: Status.CRITICAL}
ROWS = f"{ID}-lines-rows"
CHART_PX = 180
READ_AGAIN_SECONDS = 60
_PAST: WeakKeyDictionary[ClickHouse, Memo[Courses]] = WeakKeyDictionary()
PAST = Panel(
    f"{ID}-past",
    "Score over time, 24 h",
    "0 to 100, the lowest of each step: of all together and, where one is chosen below, of a component.",
    GraphBody(CHART_PX),
    subtitle_slot=f"{ID}-past-of",
)
LINES = Panel(
    f"{ID}-lines",
    "How the score is made up",
    "Points: 100 ok, 60 warning, 20 critical, 0 down or unknown, or by the share of a limit: below 70 % 100, to 85 % "
    "60, above 20, whichever are less. Weights: health in the settings. What is not configured does not count.",
    TableBody(400, 0, ROWS),
    subtitle="what adds least for its weight first",
    tools=("csv", "xlsx", "full"),
)
COLUMNS = (
    Column("name", "Component", numeric=False),
    Column("area", "Area", numeric=False),
    Column("state", "State", numeric=False),
    Column("points", "Points", definition="0 to 100"),
    Column("limit", "Of its limit, %"),
    Column("weight", "Weight, %", definition="Its share of the whole"),
    Column("adds", "Adds", definition="Points times weight"),
    Column("lacks", "Lacks", definition="What it would add with 100 points, less what it adds"),
    Column("age", "Age"),
    Column("lowest", "Lowest, 24 h", definition="The fewest points within a day"),
    Column("course", "24 h", numeric=False, definition="Points over the last day"),
    Column("why", "Why", numeric=False),
)


def layout(_stores: Stores, _choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    return html.Div([verdict_slot(VERDICT), panels(PAST.element(), LINES.element())], className="fw-content")


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return what the page shows. While ClickHouse is away the score of now goes on."""
    now = stores.clock.now()
    readings = [told for each in present_readings(stores) if (told := reading_for(each, viewer.portfolios)) is not None]
    score = score_of(present_components(stores.settings, readings, now), stores.settings.health)
    chosen = next((line.found for line in score.lines if line.found.id == choices.get("component")), None)
    past, problem = _past(stores, readings, chosen, now)
    lines = sorted(score.lines, key=lambda line: line.adds - 100 * line.weight)
    rows = [_row(line, past, is_drawn=line.found is chosen) for line in lines]
    stored_at = past.newest if past is not None else None
    return View(
        figures={PAST.graph: courses_figure(past, CHART_PX) if past and stored_at else {"data": [], "layout": {}}},
        slots={
            VERDICT: _verdict(score),
            PAST.subtitle_slot: _drawn(chosen),
            LINES.slot: data_table(ROWS, COLUMNS, rows, caption=LINES.title),
        },
        as_of={LINES.id: max((each.ts for each in readings), default=None), PAST.id: stored_at},
        notes={
            LINES.id: "" if readings else "Nothing has been read yet.",
            PAST.id: problem or ("" if stored_at else "No health score is stored yet."),
        },
        stale_at=next_stale_at(readings, now),
    )


def _past(
    stores: Stores, readings: Sequence[LiveReading], chosen: Found | None, now: float
) -> tuple[Courses | None, str]:
    """Return the last day, read anew as often as its finest step; or why it is not known."""
    memo = _PAST.setdefault(stores.clickhouse, Memo(16))
    key = (int(now // READ_AGAIN_SECONDS), chosen.id if chosen else "")
    try:
        return memo.get(key, lambda: read_courses(stores, readings, chosen, now)), ""
    except StorageError as error:
        return None, problem_of(error)


def _drawn(chosen: Found | None) -> Any:
    if chosen is None:
        return "all together; choose a component below"
    whole = choice_button(ID, {"component": None}, "All together alone")
    return [f"all together, and {title_of(chosen)}: ", whole]


def _verdict(score: Score) -> html.Div:
    told = f"{number(score.before_cap, 1)} is what {count(len(score.lines), 'component')} add up to."
    worst = [line.found for line in score.lines if SEVERITY[line.found.part.status] >= SEVERITY[Status.CRITICAL]]
    if worst:
        named = first_of([f"{title_of(each)} {each.part.status}" for each in worst])
        told = f"Not all of it is well: {named}. {told}"
    if score.capped_by:
        lost = ", ".join(score.capped_by)
        told += f" At most {number(CAP)} while what trading rests on is down or unknown: {lost}."
    return verdict(
        STATES[score.level], [html.Strong(f"{number(score.value, 1)} of 100"), f". {told}"], word=score.level
    )


def _row(line: Line, past: Courses | None, *, is_drawn: bool) -> dict[str, Cell | str | None]:
    found, reading = line.found, line.found.reading
    of_limit = None if line.limit_share is None else percent(line.limit_share).removesuffix(" %")
    return {
        "name": Cell(html.A(title_of(found), href=place_of(found)), sort=title_of(found), hint=found.id),
        "area": TITLES[line.area],
        "state": Cell(state_badge(found.part.status), SEVERITY[found.part.status]),
        "points": Cell([state_badge(STATES[line.level], number(line.points))], line.points),
        "limit": Cell(of_limit, line.limit_share),
        "weight": Cell(number(100 * line.weight, 2), line.weight),
        "adds": Cell(number(line.adds, 2), line.adds),
        "lacks": Cell(number(100 * line.weight - line.adds, 2), 100 * line.weight - line.adds),
        "age": Cell(age(reading.ts, reading_stale_after_seconds(reading)), reading.ts) if reading else None,
        "lowest": Cell(number(lowest), lowest) if past and (lowest := past.lowest(found)) is not None else None,
        "course": _course(found, past, is_drawn=is_drawn),
        "why": cut_cell(line.why),
    }


def _course(found: Found, past: Courses | None, *, is_drawn: bool) -> Cell | None:
    course = past.spark(found) if past else None
    if course is None:
        return None
    button = choice_button(
        ID,
        {"component": None if is_drawn else found.id},
        "Draw",
        pressed=is_drawn,
        label=f"Draw {title_of(found)} above",
    )
    return Cell(html.Div([course, button], className="fw-course"), sort="")


PAGE = Page(
    id=ID,
    title="Health score",
    path=f"/{ID}",
    layout=layout,
    build=build,
    varies_by=("portfolios",),
    datasets=(*OWN, *KINDS, "alerts"),
    panels=(PAST, LINES),
    slots=(VERDICT, PAST.subtitle_slot, LINES.slot),
    graphs=(PAST.graph,),
    concerned=of_everything,
)
