"""The choices of the Portfolio tab, and the lines that say what is shown and what could not be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import dash_bootstrap_components as dbc
import numpy as np
from dash import html

from access.viewer import CHANGING_ROLE
from analytics.performance import WINDOWS
from core import format as text
from core.model import Status
from dashboard.charts.rows import short
from dashboard.components.age import local_time
from dashboard.components.attributes import attributes
from dashboard.components.card import verdict
from dashboard.components.choices import (
    choice_bar,
    choice_button,
    choice_input,
    choice_segments,
    more_choices,
    plain_select,
    spacer,
)
from dashboard.components.needing import needing
from dashboard.components.panel import slot
from dashboard.portfolio.common_choices import MARKS, as_of_choice, portfolio_choice
from dashboard.views.tab import Choices
from portfolio.allowed import Limits, seen
from portfolio.chosen import benchmarks, default_benchmark
from portfolio.data import PortfolioData, is_whole
from portfolio.frequency import offered, windows_offered
from portfolio.imports.accepted import AcceptedDoubts
from portfolio.imports.understand import day as utc_day
from portfolio.query import (
    BETWEEN_KEYS,
    CONFIDENCES,
    DEFAULT_CONFIDENCE,
    DEFAULT_RISK_FREE,
    DEFAULT_ROLLING,
    DEFAULT_WINDOW,
    FREQUENCY_NAMES,
    NO_BENCHMARK,
    ROLLING,
)
from portfolio.since import gap_within
from portfolio.told import told
from storage.clickhouse.reads.restatements import Restatement
from storage.state.portfolios import list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

ID = "portfolio"
SLOTS = (
    "portfolio-benchmark", "portfolio-windows", "portfolio-frequency", "portfolio-rolling", "portfolio-span",
    "portfolio-mark", "portfolio-compared", "portfolio-notes",
)  # fmt: skip
LINE_SLOTS = ("portfolio-drawdowns-line", "portfolio-months-line")
"""Where it is chosen which of the compared portfolios a panel tells."""
SELDOM = ("rf", "trials", "rolling", "confidence")
"""Choices that show from the start when one of them was made."""
IMPORT = "/import"
"""The page that files are imported on."""
NAMES_LIST = "portfolio-names"
MOST_RESTATEMENTS = 3


def bar(stores: Stores, choices: Choices, limits: Limits) -> html.Div:
    """Return the bar of choices, among the portfolios that may be seen."""
    known = seen(list_portfolios(stores.state), limits)
    own = [each for each in known if each.origin == "own"]
    return choice_bar(
        portfolio_choice(ID, known, choices),
        *([] if own else [html.A("Import your own", href=IMPORT, className="fw-choice", **needing(CHANGING_ROLE))]),
        slot("portfolio-benchmark"),
        html.Div(window_buttons(choices.get("window", DEFAULT_WINDOW)), id="portfolio-windows", className="fw-slot"),
        choice_input(ID, "from", choices, default="", label="From", type="date",
                     hint="First day shown; takes the place of the window"),
        choice_input(ID, "to", choices, default="", label="To", type="date",
                     hint="Last day shown; takes the place of the window"),
        more_choices(
            [
                as_of_choice(ID, choices),
                slot("portfolio-frequency"),
            ],
            [
                _adder(),
                choice_input(ID, "rf", choices, default=DEFAULT_RISK_FREE, label="Risk-free", unit="%",
                             hint="Risk-free rate, percent a year; empty: that of the portfolio’s currency"),
                choice_input(ID, "trials", choices, default="", label="Trials",
                             hint="Strategies tried before this one was chosen: deflates its Sharpe ratio in All "
                                  "metrics"),
                html.Div(
                    [
                        slot("portfolio-rolling"),
                        choice_input(ID, "rolling", choices, default="", label="or",
                                     hint="Returns in a rolling figure, any number; empty for as many as usual"),
                    ],
                    className="fw-choice",
                ),
                html.Div(
                    [
                        html.Span("VaR", className="fw-choice-label"),
                        choice_segments(ID, "confidence", [(each, f"{each} %") for each in CONFIDENCES], choices,
                                        default=DEFAULT_CONFIDENCE, label="VaR confidence"),
                    ],
                    className="fw-choice",
                ),
            ],
            is_open=any(name in choices for name in SELDOM),
        ),
        slot("portfolio-compared"),
        spacer(),
        slot("portfolio-span"),
        slot("portfolio-mark"),
    )  # fmt: skip


def windows(data: PortfolioData, page: str = ID) -> html.Div:
    """Return the choice of the window of a page: none is pressed while a range of days takes its place.

    Those that are shorter than the time between two values cannot be chosen.
    """
    pressed = data.query.window if data.query.span is None else ""
    return window_buttons(pressed, windows_offered(data.own.cadence), data.own.cadence.rhythm, page)


def window_buttons(
    pressed: str, there: Sequence[str] = WINDOWS, rhythm: str = "", page: str = ID
) -> html.Div:  # fmt: skip
    """Return the windows as buttons of a page; those that are not `there` cannot be chosen."""
    buttons = [
        choice_button(
            page, {"window": None if name == DEFAULT_WINDOW else name, "from": None, "to": None}, name,
            pressed=name == pressed, off="" if name in there else f"Too short for {rhythm} values",
        )
        for name in WINDOWS
    ]  # fmt: skip
    return html.Div(buttons, className="fw-segments", role="group", **attributes(aria_label="Window"))


def rolling(data: PortfolioData) -> html.Div:
    """Return the choice of how many returns a rolling figure has."""
    usual = DEFAULT_ROLLING[data.frequency]
    buttons = [
        choice_button(
            ID, {"rolling": None if count == usual else str(count)}, str(count), pressed=count == data.rolling,
            label=f"Rolling figures of {count} {data.units}",
        )
        for count in sorted({*ROLLING[data.frequency], data.rolling})
    ]  # fmt: skip
    return html.Div(
        [html.Span("Rolling", className="fw-choice-label"), *buttons,
         html.Span(data.units, className="fw-choice-label")],
        className="fw-choice", role="group", **attributes(aria_label="Rolling"),
    )  # fmt: skip


def frequencies(data: PortfolioData) -> html.Div:
    """Return the choice of how often returns are measured: never more often than there are values."""
    choices = offered(data.own.cadence)
    names = {each: FREQUENCY_NAMES[each] for each in choices}
    if data.own.cadence.rhythm == "irregular":
        names[choices[0]] = "irregular"
    buttons = [
        choice_button(
            ID, {"frequency": None if each == choices[0] else each, "rolling": None}, name,
            pressed=each == data.frequency,
            label=f"{name.capitalize()} returns",
        )
        for each, name in names.items()
    ]  # fmt: skip
    return html.Div(
        [html.Span("Returns", className="fw-choice-label"), *buttons],
        className="fw-choice",
        role="group",
        **attributes(aria_label="Returns"),
    )


def benchmark(stores: Stores, data: PortfolioData, page: str = ID) -> html.Label:
    """Return a page's choice of what the portfolio stands beside: what it may have, its own first, then none."""
    options = [*benchmarks(stores, data.portfolio).items(), (NO_BENCHMARK, "no benchmark")]
    used = data.benchmark.key if data.benchmark else data.query.benchmark or data.portfolio.benchmark or NO_BENCHMARK
    return plain_select(
        page, "benchmark", options, chosen=used if used in dict(options) else NO_BENCHMARK,
        default=default_benchmark(data.portfolio), label="vs", key=data.own.key,
    )  # fmt: skip


def _adder() -> html.Div:
    """Return the box that adds a portfolio to those compared (assets/js/32-more-choices.js)."""
    box = dbc.Input(
        type="search", placeholder="add a portfolio", list=NAMES_LIST, size="sm", autocomplete="off",
        class_name="fw-input fw-input-name",
    )  # fmt: skip
    return html.Div(
        [
            html.Label([html.Span("Compare", className="fw-choice-label"), box], className="fw-choice"),
            html.Datalist(id=NAMES_LIST),
            html.Span(className="fw-adder-said", role="status"),
        ],
        className="fw-adder",
        **attributes(data_tab=ID, data_name="compare", data_offers="portfolio"),
    )


def compared(data: PortfolioData, colors: Sequence[str]) -> html.Div | None:
    """Return a chip for every portfolio compared, in the colour of its line; pressed, it goes."""
    if not data.compared:
        return None
    keys = [line.key for line in data.compared]
    chips = []
    for at, line in enumerate(data.compared):
        left = BETWEEN_KEYS.join(key for key in keys if key != line.key)
        mark = html.Span("●", style={"color": f"var(--fw-{colors[at].removeprefix('@')})"})
        chip = choice_button(
            ID,
            {"compare": left or None, **({"line": None} if line is data.told else {})},
            [mark, f" {line.name} ✕"],
            label=f"Remove {line.name}",
        )
        chips.append(chip)
    return html.Div(chips, className="fw-chips")


def lines(data: PortfolioData) -> list[html.Button]:
    """Return the switch between the chosen portfolio and those compared, for panels that tell one at a time."""
    if not data.compared:
        return []
    return [
        choice_button(
            ID, {"line": None if line is data.own else line.key, "highlight": None}, short(line.name),
            pressed=line is data.told, label=line.name,
        )
        for line in data.lines
    ]  # fmt: skip


def span(data: PortfolioData, page: str = ID) -> html.Span:
    """Return the days that a page shows, the way back from a zoom, and the day that windows are anchored at."""
    parts: list[Any] = ["no value in this range"]
    if len(data.part):
        parts = [f"{data.part.dates[0]} – {data.part.dates[-1]}"]
    parts += [f" · history starts {data.own.daily.dates[0]}"] if is_whole(data) else []
    if data.query.span is not None:
        parts += [" ", choice_button(page, {"from": None, "to": None}, f"back to {data.query.window}")]
    if data.own.cadence.rhythm == "irregular":
        parts.append(f" · irregular values, {text.number(data.own.cadence.periods, 1)} a year")
    if data.last_day is not None and data.query.span is None:
        parts.append(html.Span(f" · windows end with the last value, {data.last_day}", className="fw-anchor"))
    return html.Span(parts, className="fw-span")


def mark(data: PortfolioData) -> html.Span | None:
    """Return where the data comes from when it is not the fund's own, and where it ends."""
    word = MARKS.get(data.portfolio.origin)
    ends = ""
    if data.query.as_of is not None and data.last_day is not None:
        ends = f"as of {data.last_day}"
    elif word and len(data.own.daily):
        ends = f"{'at' if word == 'replay' else 'data ends'} {data.own.daily.dates[-1]}"
    said = " · ".join(each for each in (word, ends) if each)
    return html.Span(said, className="fw-mark", title=data.portfolio.note or None) if said else None


def adjusted_line(problems: Sequence[str]) -> list[Any]:
    """Return a line that says which choices could not be had, and what is shown instead; nothing without any."""
    return [verdict(Status.WARNING, " ".join(problems), word="adjusted choices")] if problems else []


def unknown_names(choices: Iterable[str], known: Sequence[str]) -> list[str]:
    """Return a sentence for each name in the address that means nothing on a page whose choices are `known`."""
    told = []
    for name in choices:
        if name in known:
            continue
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}."
        told.append(f"Address: “{name[:40]}” means nothing here and is left out; {hint}")
    return told


def notes(data: PortfolioData, adjusted: Sequence[str] = (), doubted: Sequence[AcceptedDoubts] = ()) -> list[Any]:
    """Return what a reader must know before the figures: choices `adjusted`, values taken although they were
    `doubted`, restated values, a total loss.
    """
    return [
        *adjusted_line(adjusted),
        *_set(data),
        *_ended(data),
        *_gaps(data),
        *_from_nothing(data),
        *_doubted(doubted),
        *_restated(data.restatements, lambda mark: _whose(data, mark)),
    ]


def _change(mark: Restatement) -> str:
    value = text.money_change(mark.was, mark.now) if mark.was != mark.now else ""
    flow = f"flow {text.money_change(mark.flow_was, mark.flow_now)}" if mark.flow_was != mark.flow_now else ""
    return ", ".join(each for each in (value, flow) if each)


def _set(data: PortfolioData) -> list[Any]:
    """Return a line that says how the figures came about: what is set, the parts, benchmark and rate they stand on."""
    said = told(data)
    return [html.P(" ".join(said), className="fw-note")] if said else []


def _whose(data: PortfolioData, mark: Restatement) -> str:
    """Return the currency of a restated value, and the part that it is of."""
    of = data.fund.tree.get(mark.portfolio, data.portfolio)
    return of.currency if of.id == data.portfolio.id else f"{of.currency} of {of.name}"


def _ended(data: PortfolioData) -> list[Any]:
    """Return a line that says why the returns end before the values do; nothing when they do not."""
    known = len(data.own.daily)
    if known == len(data.nav):
        return []
    why = f"no return from {data.nav.dates[known]} on: the value is zero or negative. Figures end before that day."
    return [verdict(Status.CRITICAL, f"{data.portfolio.name}: {why}")]


def _gaps(data: PortfolioData) -> list[Any]:
    """Return a line that names the holes of the history, if it has any, and what they do to the figures."""
    gaps = gap_within(data.own.daily.dates, data.own.cadence)
    if not gaps:
        return []
    why = "Figures marked † lead across it or leave it out; no window or month that would begin in it has a return."
    return [verdict(Status.WARNING, f"{data.portfolio.name}: {gaps}. {why}", word="gap")]


def _from_nothing(data: PortfolioData) -> list[Any]:
    """Return a line that names the days on which a value came out of nothing: they have no return."""
    nav = data.nav
    came = np.flatnonzero((nav.value[:-1] == 0) & (nav.value[1:] > 0) & (nav.flow[1:] == 0)) + 1
    if not len(came):
        return []
    said = [f"from 0 to {text.money(float(nav.value[place]))} on {nav.dates[place]}" for place in came]
    why = f"the value went {text.first_of(said)} without a flow: no return is told of that."
    return [verdict(Status.WARNING, f"{data.portfolio.name}: {why}", word="no flow")]


def _doubted(found: Sequence[AcceptedDoubts]) -> list[Any]:
    """Return a line for each import that brought values which were taken although they were doubted."""
    return [verdict(Status.WARNING, _doubted_of(each), word="doubted") for each in found]


def _doubted_of(each: AcceptedDoubts) -> str:
    days = text.first_of(list(dict.fromkeys(utc_day(row.ts) for row in each.rows)))
    were = text.noun(len(each.rows), "was", "were")
    values = text.count(len(each.rows), "value")
    return f"{values} of {each.source} {were} taken although doubted: {days}."


def _restated(found: Sequence[Restatement], whose: Callable[[Restatement], str]) -> list[Any]:
    if not found:
        return []
    said: list[Any] = []
    for each in found[:MOST_RESTATEMENTS]:
        said += [f"{each.day}: {_change(each)} {whose(each)}, by {each.source} ", local_time(each.at), "; "]
    said.pop()
    if len(found) > MOST_RESTATEMENTS:
        said.append(f"; and {len(found) - MOST_RESTATEMENTS} more")
    return [verdict(Status.WARNING, [*said, "."], word="restated")]
