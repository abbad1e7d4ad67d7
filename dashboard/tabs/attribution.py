"""Attribution: where a portfolio's return came from, why it differs from its benchmark's, and what fees took of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from dash import html

from access.viewer import Viewer
from core.errors import NoPortfolio
from core.model import Status
from dashboard.attribution import cards, charts, tables
from dashboard.attribution.tables import ID, PATH, UNITS, Unit
from dashboard.charts.drawn import Drawn
from dashboard.components.attributes import attributes
from dashboard.components.card import empty, verdict
from dashboard.components.choices import (
    choice_bar,
    choice_button,
    choice_input,
    choice_segments,
    spacer,
)
from dashboard.components.panel import panels, slot
from dashboard.portfolio import choice_bar as portfolio_bar
from dashboard.portfolio.common_choices import (
    DEFAULT_GROUP,
    WHICH_AND_WHEN,
    as_of_choice,
    chosen_group,
    group_choice,
    portfolio_choice,
)
from dashboard.views.panel import GraphBody, Panel, TableBody
from dashboard.views.tab import Choices, Page, View
from portfolio.allowed import seen
from portfolio.attribution import Attribution, attribution
from portfolio.brinson import LINKINGS, MODELS, SEGMENTS, WAYS, Brinson, attributed_to
from portfolio.by_period import PERIODS, Every
from portfolio.data import PortfolioData
from portfolio.fees import Fees, fees
from portfolio.holdings import GROUPS, Group, report_stale_after_seconds
from portfolio.query import DEFAULT_WINDOW, PortfolioQuery
from portfolio.reading import read
from portfolio.warnings import warnings
from storage.state.portfolios import list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

DEFAULT_EVERY: Every = "year"
DEFAULT_UNIT: Unit = "return"
REMARKS, STRIP, MARK, SPAN, WINDOWS, BENCHMARK = (
    f"{ID}-{name}" for name in ("remarks", "strip", "mark", "span", "windows", "benchmark")
)
CALLED = {
    "BF": "Brinson-Fachler", "BHB": "Brinson-Hood-Beebower", "carino": "Cariño", "menchero": "Menchero",
    "grap": "GRAP", "arithmetic": "arithmetic", "geometric": "geometric",
}  # fmt: skip
FEED = (
    "Programs send positions, trades and NAV (docs/your-data.md), or files of these names in the inbox of the data "
    "folder do."
)
CONSTITUENTS = (
    "Shows allocation and selection, once it is known what {} is made of: send benchmark_weights (benchmark, ts, "
    "instrument, weight) and prices of its instruments, or choose a benchmark that is a blend."
)
BARS = Panel(
    f"{ID}-bars", "Contribution",
    "What each group added to the portfolio's time-weighted return, before costs: Σ P&L / capital × growth until then. "
    "With cash and other, costs and what is not explained they add up to it exactly.",
    GraphBody(320), subtitle_slot=f"{ID}-bars-said", span=5,
)  # fmt: skip
COURSE = Panel(
    f"{ID}-course", "Course of contributions",
    "What each group had added since the beginning of the window.",
    GraphBody(320), subtitle_slot=f"{ID}-course-said", span=7,
)  # fmt: skip
GROUPED = Panel(
    f"{ID}-groups", "Groups",
    "P&L, costs and contribution by group. Their sum is the portfolio's own return and P&L of the window.",
    TableBody(300), subtitle_slot=f"{ID}-groups-said",
)  # fmt: skip
BY_PERIOD = Panel(
    f"{ID}-periods", "By period",
    "What each group added in each period, in points of the window's return or in money: rows add up to what the "
    "period added, columns to what the group did.",
    TableBody(300, 420), subtitle_slot=f"{ID}-periods-said", controls_slot=f"{ID}-periods-units",
)  # fmt: skip
EFFECTS = Panel(
    f"{ID}-brinson", "Against the benchmark",
    "Brinson attribution of each day, linked over the window. Allocation: (w − W)(b − B), of Brinson-Hood-Beebower "
    "(w − W) b; selection: W (r − b); interaction: (w − W)(r − b). Everything adds up to the excess return.",
    TableBody(300), subtitle_slot=f"{ID}-brinson-said", controls_slot=f"{ID}-brinson-models",
)  # fmt: skip
ALL = Panel(
    f"{ID}-positions", "Positions",
    "What each position added, those that were closed meanwhile too.",
    TableBody(420, 620, tables.POSITIONS), subtitle_slot=f"{ID}-positions-said",
)  # fmt: skip
CURRENCIES = Panel(
    f"{ID}-currencies", "Currency effect",
    "Of what positions added after costs: gained locally, by the currency's move on what was held, and both together.",
    TableBody(120), subtitle_slot=f"{ID}-currencies-said",
)  # fmt: skip
FEE_CURVES = Panel(
    f"{ID}-gross-net", "Gross and net of fees",
    "Growth before and after management and performance fees, by the terms that are set of the portfolio. The unit "
    "begins with its first value: high-water mark and accruals of before the window count.",
    GraphBody(280), subtitle_slot=f"{ID}-gross-net-said", span=6,
)  # fmt: skip
FEE_YEARS = Panel(
    f"{ID}-fees", "Fees by year",
    "Returns before and after fees of the whole history, and what the fees were. The management fee accrues each day "
    "on the value of the day before (days / 365), the performance fee on what is above the mark.",
    TableBody(160, 320), subtitle_slot=f"{ID}-fees-said", span=6,
)  # fmt: skip
PANELS = (BARS, COURSE, GROUPED, BY_PERIOD, EFFECTS, ALL, CURRENCIES, FEE_CURVES, FEE_YEARS)
GRAPHS = tuple(panel.graph for panel in PANELS if panel.graph)
SLOTS = (
    REMARKS, STRIP, MARK, SPAN, WINDOWS, BENCHMARK, *(panel.subtitle_slot for panel in PANELS),
    *(panel.controls_slot for panel in PANELS if panel.controls_slot), *(panel.slot for panel in PANELS if panel.slot),
)  # fmt: skip
Name = TypeVar("Name", bound=str)


def layout(stores: Stores, choices: Choices, viewer: Viewer) -> html.Div:
    """Return the page without data."""
    known = seen(list_portfolios(stores.state), viewer.portfolios)
    bar = choice_bar(
        portfolio_choice(ID, known, choices),
        slot(BENCHMARK),
        html.Div(portfolio_bar.window_buttons(choices.get("window", DEFAULT_WINDOW), page=ID), id=WINDOWS,
                 className="fw-slot"),
        choice_input(ID, "from", choices, default="", label="From", type="date",
                     hint="First day; takes the place of the window"),
        choice_input(ID, "to", choices, default="", label="To", type="date",
                     hint="Last day; takes the place of the window"),
        as_of_choice(ID, choices),
        group_choice(ID, choices),
        choice_segments(ID, "every", [(each, each.capitalize()) for each in PERIODS], choices, default=DEFAULT_EVERY,
                        label="Period"),
        spacer(),
        slot(SPAN),
        slot(MARK),
    )  # fmt: skip
    content = [slot(REMARKS), slot(STRIP, 116, narrow_height=480), panels(*(panel.element() for panel in PANELS))]
    return html.Div([bar, html.Div(content, className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return where a return came from."""
    query, problems = PortfolioQuery.parse(choices)
    try:
        data = read(stores, query, viewer.portfolios)
    except NoPortfolio:
        return _nothing("No portfolio yet", {})
    adjusted = [*problems, *_unknown(choices), *warnings(stores, data, query)]
    bar = {
        WINDOWS: portfolio_bar.windows(data, ID), BENCHMARK: portfolio_bar.benchmark(stores, data, ID),
        SPAN: portfolio_bar.span(data, ID), MARK: portfolio_bar.mark(data),
        REMARKS: [verdict(Status.WARNING, " ".join(adjusted), word="adjusted choices")] if adjusted else [],
    }  # fmt: skip
    if len(data.part) < 2:
        return _nothing(f"{data.portfolio.name} has no return in this window", bar)
    found = attribution(stores, data, viewer.portfolios)
    if found is None:
        return _fees_alone(stores, data, bar)
    return _view(stores, choices, data, found, bar)


def _view(stores: Stores, choices: Choices, data: PortfolioData, found: Attribution, bar: dict[str, Any]) -> View:
    group, every = chosen_group(choices), _one_of(PERIODS, choices, "every", DEFAULT_EVERY)
    unit = _one_of(UNITS, choices, "unit", DEFAULT_UNIT)
    segment = group if group in SEGMENTS else DEFAULT_GROUP
    against = attributed_to(
        stores, data, found, segment, _one_of(MODELS, choices, "model", MODELS[0]),
        _one_of(LINKINGS, choices, "linking", LINKINGS[0]), _one_of(WAYS, choices, "way", WAYS[0]),
    )  # fmt: skip
    by_fees, no_fees = _fees(data)
    bars, course = charts.bars(found, group), charts.course(found, group)
    drawn = {BARS: bars, COURSE: course, FEE_CURVES: _fee_curves(by_fees, no_fees)}
    by = f"by {GROUPS[group].lower()}"
    seen_at = float(data.nav.newest)
    stale_after = report_stale_after_seconds(data.portfolio, stores.clock.now())
    return View(
        figures={panel.graph: dict(each.figure) for panel, each in drawn.items()},
        slots={
            **bar,
            REMARKS: [*bar[REMARKS], *cards.remarks(found)],
            STRIP: html.Div(cards.strip(data, found, against, by_fees), className="fw-cards"),
            **{panel.subtitle_slot: each.subtitle for panel, each in drawn.items()},
            GROUPED.subtitle_slot: by,
            GROUPED.slot: tables.groups_table(found, group, choices),
            BY_PERIOD.subtitle_slot: f"{by}, {'points of the window’s return' if unit == 'return' else _money(data)}",
            BY_PERIOD.controls_slot: _switch("unit", [*UNITS.items()], unit, DEFAULT_UNIT, "Figures"),
            BY_PERIOD.slot: tables.periods_table(found, group, every, unit),
            EFFECTS.subtitle_slot: _effects_said(data, against, segment),
            EFFECTS.controls_slot: _models(choices),
            EFFECTS.slot: _effects(data, against, segment),
            ALL.subtitle_slot: _money(data),
            ALL.slot: tables.positions_table(found),
            CURRENCIES.subtitle_slot: _currencies(found),
            CURRENCIES.slot: tables.currencies_table(found),
            **_fee_years(by_fees, no_fees),
        },
        as_of={
            **(dict.fromkeys((panel.id for panel in PANELS), seen_at) if stale_after is not None else {}),
            **{panel.id: None for panel, each in drawn.items() if each.note},
        },
        notes={
            **dict.fromkeys((panel.id for panel in PANELS), ""),
            **{panel.id: each.note for panel, each in drawn.items()},
        },
        stale_after_seconds=dict.fromkeys((panel.id for panel in PANELS), stale_after),
    )  # fmt: skip


def _fees(data: PortfolioData) -> tuple[Fees | None, str]:
    """Return the portfolio before and after fees, or why there is none."""
    try:
        found = fees(data)
    except ValueError as error:
        return None, f"Fees cannot be applied: {error}."
    return found, ""


def _fee_curves(by_fees: Fees | None, no_fees: str) -> Drawn:
    if by_fees is None:
        return Drawn(note=no_fees or "Shows both curves, once fees are set of the portfolio.")
    return charts.fee_curves(by_fees)


def _fee_years(by_fees: Fees | None, no_fees: str) -> dict[str, Any]:
    if by_fees is None:
        told = html.P(no_fees or tables.how_to_set_fees(), className="fw-nothing")
        return {FEE_YEARS.subtitle_slot: "", FEE_YEARS.slot: told}
    return {FEE_YEARS.subtitle_slot: tables.terms(by_fees), FEE_YEARS.slot: tables.fees_table(by_fees)}


def _fees_alone(stores: Stores, data: PortfolioData, bar: dict[str, Any]) -> View:
    """Return what is known of a portfolio that reported no positions: its return before and after fees."""
    by_fees, no_fees = _fees(data)
    curves = _fee_curves(by_fees, no_fees)
    nothing = _nothing(f"{data.portfolio.name} reported no positions in this window", bar)
    stale_after = report_stale_after_seconds(data.portfolio, stores.clock.now())
    shown = {FEE_YEARS.id, *([FEE_CURVES.id] if by_fees else [])}
    aged = dict.fromkeys(shown, float(data.nav.newest)) if by_fees and stale_after is not None else {}
    strip = [nothing.slots[STRIP], *([html.Div(cards.fees_card(by_fees), className="fw-cards")] if by_fees else [])]
    return replace(
        nothing,
        figures={FEE_CURVES.graph: dict(curves.figure)},
        slots={
            **nothing.slots,
            STRIP: html.Div(strip),
            FEE_CURVES.subtitle_slot: curves.subtitle,
            **_fee_years(by_fees, no_fees),
        },
        as_of={**{id: at for id, at in nothing.as_of.items() if id not in shown}, **aged},
        notes={**nothing.notes, FEE_CURVES.id: curves.note, FEE_YEARS.id: ""},
        stale_after_seconds=dict.fromkeys(aged, stale_after),
    )


def _effects_said(data: PortfolioData, against: Brinson | None, segment: Group) -> str:
    if data.benchmark is None or against is None:
        return ""
    return f"{data.benchmark.name}, by {GROUPS[segment].lower()}, {against.first} – {against.last}"


def _effects(data: PortfolioData, against: Brinson | None, segment: Group) -> Any:
    if data.benchmark is None:
        return html.P("Choose a benchmark to see effects against it.", className="fw-nothing")
    if against is None:
        return html.P(CONSTITUENTS.format(data.benchmark.name), className="fw-nothing")
    told = [html.P(" ".join(against.told), className="fw-note")] if against.told else []
    return html.Div([*told, tables.brinson_table(against, GROUPS[segment])])


def _models(choices: Choices) -> list[Any]:
    sets: tuple[tuple[str, Sequence[str], str], ...] = (
        ("way", WAYS, "Way"), ("model", MODELS, "Model"), ("linking", LINKINGS, "Linking"),
    )  # fmt: skip
    way = _one_of(WAYS, choices, "way", WAYS[0])
    shown = sets if way == "arithmetic" else sets[:1]
    return [
        _switch(name, [(each, CALLED[each]) for each in offered], _one_of(offered, choices, name, offered[0]),
                offered[0], label)
        for name, offered, label in shown
    ]  # fmt: skip


def _switch(name: str, offered: Sequence[tuple[str, str]], pressed: str, default: str, label: str) -> html.Span:
    buttons = [
        choice_button(ID, {name: None if value == default else value}, text, pressed=value == pressed)
        for value, text in offered
    ]
    return html.Span(buttons, className="fw-segments", role="group", **attributes(aria_label=label))


def _unknown(choices: Choices) -> list[str]:
    """Return a sentence for each choice of this page that is not on offer."""
    offered: dict[str, tuple[str, Sequence[str]]] = {
        "group": ("Grouped by", [*GROUPS]), "every": ("Period", PERIODS), "unit": ("Figures", [*UNITS]),
        "model": ("Model", MODELS), "linking": ("Linking", LINKINGS), "way": ("Way", WAYS),
    }  # fmt: skip
    usual = {"group": DEFAULT_GROUP, "every": DEFAULT_EVERY}
    return [
        f"{label}: “{choices[name]}” is none of {', '.join(names)}. {usual.get(name, names[0])} is used."
        for name, (label, names) in offered.items()
        if name in choices and choices[name] not in names
    ]


def _one_of(offered: Sequence[Name] | Mapping[Name, str], choices: Choices, name: str, default: Name) -> Name:
    return next((each for each in offered if each == choices.get(name)), default)


def _money(data: PortfolioData) -> str:
    return f"money in {data.portfolio.currency}"


def _currencies(found: Attribution) -> str:
    others = {place.currency for place in found.book.positions} - {found.portfolio.currency}
    return "" if others else f"every position is in {found.portfolio.currency}: there is none"


def _nothing(title: str, bar: dict[str, Any]) -> View:
    return View(
        slots={**bar, STRIP: empty(title, FEED)},
        as_of=dict.fromkeys(panel.id for panel in PANELS),
        notes=dict.fromkeys(
            (panel.id for panel in PANELS), "Shows where the return came from as soon as positions are reported."
        ),
    )


PAGE = Page(
    id=ID,
    title="Attribution",
    path=PATH,
    parent="portfolio",
    layout=layout,
    build=build,
    varies_by=("portfolios",),
    shared_choices=WHICH_AND_WHEN,
    datasets=("portfolio",),
    panels=PANELS,
    slots=SLOTS,
    graphs=GRAPHS,
    lazy_graphs=(FEE_CURVES.graph,),
)
