"""What a tab of watched sources shows: the present from Redis, charts from ClickHouse, either without the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dash import html

from core.errors import StorageError
from dashboard.charts.rules import rule_lines
from dashboard.components.card import cards
from dashboard.sources.actions import actions_table
from dashboard.sources.changes import CHANGES, changes_place
from dashboard.sources.charts import chart_figure, metrics_of
from dashboard.sources.choosing import chosen_instances, folded_instances
from dashboard.sources.rows import strips_of
from dashboard.sources.shown import Shown
from dashboard.sources.strip import ServerRow, kinds_line, source_verdict
from dashboard.sources.tab import WINDOWS, SourceTab
from dashboard.views.problem import problem_of
from dashboard.views.span import Span, chosen_span, filled_span, span_line
from dashboard.views.tab import Choices, View
from portfolio.withheld import actions_for
from status.freshness import NO_READING, next_stale_at, reading_stale_after_seconds
from status.instances import Instance, instances, newest, slowest_stale_after_seconds
from storage.clickhouse.reads.sources import SourceSeries, read_sources
from storage.state.actions import Action, recent_actions

if TYPE_CHECKING:
    from access.viewer import Viewer
    from storage.stores import Stores


def view(tab: SourceTab, stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return the view of a tab, over the window that is chosen."""
    found = instances(stores, *tab.kinds)
    span = chosen_span(choices, stores.clock.now(), WINDOWS)
    filled = filled_span(stores, span, [each.collector for each in chosen_instances(found, choices)])
    return view_over(tab, stores, choices, viewer, found, filled)


def view_over(
    tab: SourceTab, stores: Stores, choices: Choices, viewer: Viewer, found: list[Instance], span: Span
) -> View:
    """Return the view of a tab: of the instances `found` of its kinds, over `span`."""
    chosen = chosen_instances(found, choices)
    series, problem = _series(tab, stores, chosen, span)
    done, lost = _actions(stores, (*tab.kinds, *tab.asked))
    done = actions_for(done, viewer.portfolios)
    rules = rule_lines(stores, viewer.portfolios)
    shown = Shown(tab.id, tab.kinds, found, chosen, series, span, done, viewer.may_act, rules=rules)
    if tab.more is not None and not problem:
        shown, problem = _with_more(tab, stores, shown)
    return _draw(tab, shown, problem, lost, choices, stores.clock.now())


def _draw(tab: SourceTab, shown: Shown, problem: str, lost: str, choices: Choices, now: float) -> View:
    charted, tabled = tab.charted, tab.tabled
    of_readings = {f"{tab.id}-{name}": each for name, each in (tab.readings(shown) if tab.readings else {}).items()}
    empty = {} if problem else _empty(tab, shown)
    notes = dict.fromkeys(charted, problem) if problem else empty
    return View(
        figures={} if problem else _figures(tab, shown),
        slots={
            f"{tab.id}-span": span_line(tab.id, shown.span),
            f"{tab.id}-verdict": source_verdict(shown.all, shown.only if choices.get("instance", "") else None),
            **({f"{tab.id}-cards": _cards(tab, shown)} if tab.sections else {}),
            **({f"{tab.id}-own": _own(tab, shown)} if tab.folds_own else {}),
            **{f"{tab.id}-{name}-table": make(shown) for name, make in tab.tables.items()},
            **{id: content for section in tab.sections for id, content in section.slots(shown).items()},
            **_changes(tab, shown, choices, now),
            f"{tab.id}-actions-table": actions_table(tab.id, shown.actions),
        },
        as_of={
            **dict.fromkeys(charted, newest(shown.chosen)),
            **dict.fromkeys(empty),
            # Without any instance a table may still hold what is known without one.
            **(dict.fromkeys(tabled, newest(shown.chosen, tables=True)) if shown.all else {}),
            **{panel: each.ts if each else None for panel, each in of_readings.items()},
        },
        notes={
            **notes,
            **{panel: "" if each else problem or NO_READING for panel, each in of_readings.items()},
            f"{tab.id}-actions": lost,
        },
        stale_after_seconds={
            **dict.fromkeys((*charted, *tabled), slowest_stale_after_seconds(shown.chosen)),
            **{panel: reading_stale_after_seconds(each) for panel, each in of_readings.items()},
        },
        stale_at=next_stale_at((*(each.reading for each in shown.all), *of_readings.values()), now),
    )


def _changes(tab: SourceTab, shown: Shown, choices: Choices, now: float) -> dict[str, Any]:
    if CHANGES in tab.tables:
        return {}
    which = Choices.of({name: choices.get(name, "") for name in ("instance", "host") if choices.get(name, "")})
    stamp = " ".join(f"{each.collector} {each.status}" for each in shown.chosen)
    return {f"{tab.id}-{CHANGES}-table": changes_place(tab.id, which, stamp, now)}


def _figures(tab: SourceTab, shown: Shown) -> dict[str, dict[str, Any]]:
    return {
        f"{section.id(tab.id, chart.id)}-graph": chart_figure(chart, shown.series, about, shown.span.pair, shown.rules)
        for section in tab.sections
        for about in (section.of(shown).chosen,)
        for chart in section.charts
    }


def _cards(tab: SourceTab, shown: Shown) -> Any:
    line = kinds_line(tab.id, tab.kinds, shown.chosen)
    strips = [_strip(tab, tab.cards(shown))] if tab.cards is not None else _strips(tab, shown)
    return html.Div([*([line] if line is not None else []), *strips])


def _strips(tab: SourceTab, shown: Shown) -> list[html.Div]:
    alone, others = strips_of(tab.sections, shown)
    first = [cards(*alone, is_alone=True, is_reason_above_age=tab.is_reason_above_age)] if alone else []
    return [*first, *(_strip(tab, each) for each in others)]


def _strip(tab: SourceTab, found: Sequence[Any]) -> html.Div:
    return cards(*found, minimum_px=tab.card_px, is_reason_above_age=tab.is_reason_above_age)


def _own(tab: SourceTab, shown: Shown) -> list[Any]:
    """Return Fundwatch's own that are folded away: a card each, and where all of it is shown."""
    folded = folded_instances(shown.all, shown.chosen)
    series = SourceSeries(*shown.span.pair)
    found = [
        row.cards[0]
        for section in tab.sections
        for row in section.cards(
            replace(shown, kind=section.kind, series=series,
                    chosen=[each for each in folded if each.kind == section.kind])
        )
        if isinstance(row, ServerRow)
    ]  # fmt: skip
    links = [
        html.A(f"All of {each.title}", href=f"?{Choices.of({'instance': each.collector}).query}")
        for each in folded
    ]  # fmt: skip
    return [_strip(tab, found), html.P(links, className="fw-own-links")] if found else []


def _series(tab: SourceTab, stores: Stores, chosen: Sequence[Instance], span: Span) -> tuple[SourceSeries, str]:
    charts = [chart for section in tab.sections for chart in section.charts]
    more = (metric for section in tab.sections for metric in section.metrics)
    metrics = sorted({*metrics_of(charts), *more})
    try:
        return read_sources(stores, metrics, [each.name for each in chosen], *span.pair), ""
    except StorageError as error:
        return SourceSeries(*span.pair), problem_of(error)


def _with_more(tab: SourceTab, stores: Stores, shown: Shown) -> tuple[Shown, str]:
    assert tab.more is not None
    try:
        return replace(shown, more=tab.more(stores, shown)), ""
    except StorageError as error:
        return shown, problem_of(error)


def _empty(tab: SourceTab, shown: Shown) -> dict[str, str]:
    present = {data.metric for data in shown.series.series if any(value is not None for value in data.mean)}
    return {id: why for section in tab.sections for id, why in section.empty_charts(shown, present).items()}


def _actions(stores: Stores, kinds: Sequence[str]) -> tuple[list[Action], str]:
    try:
        return recent_actions(stores.state, kinds), ""
    except StorageError as error:
        return [], f"The state database does not answer: {error}"
