"""What was understood of a file, as a page shows it: whole, before anything is taken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from dash import html

from core.clock import DAY_SECONDS
from core.currency import ASSUMED_CURRENCY
from core.errors import Mistake
from core.format import FARTHEST, count, first_of, number
from core.model import Status
from dashboard.components.age import local_time
from dashboard.components.attributes import attributes
from dashboard.components.card import verdict
from dashboard.components.table import Column, data_table
from dashboard.imports.fields import changes, columns, confirm, questions
from dashboard.imports.look import Looked
from dashboard.imports.words import DATE_ORDERS, DECIMALS, KINDS, UNITS, on_page
from portfolio.imports.doubts import REASONS, Doubt
from portfolio.imports.mapping import OF_INSTRUMENTS
from portfolio.imports.points import OF_RETURNS, VALUE_NAMES, Points
from portfolio.imports.understand import Understood, day

EDGE_ROWS = 5
"""First and last rows that are shown."""
MOST_NAMES = 50
MOST_DOUBTS = 10
"""Rows of a kind of doubt that are shown."""


def answer(looked: Looked) -> html.Section:
    """Return everything that a person must know of the file, and may change."""
    understood = looked.understood
    return html.Section(
        [
            html.H2(understood.name, id="import-heading", className="fw-import-name", tabIndex=-1),
            html.P(_seems(understood), className="fw-import-seems"),
            _verdict(looked),
            *_told_again(looked),
            *_mistakes(looked),
            _fields("What the file leaves open", questions(understood, sorted(looked.known)), is_asked=True),
            *_understood(looked),
            _fields("How it is read", changes(understood, sorted(looked.known))),
            *_columns(understood),
            *_end(looked),
        ],
        className="fw-panel fw-import-answer",
        **attributes(aria_labelledby="import-heading"),
    )


def in_words(looked: Looked) -> str:
    """Return the sentence that a screen reader hears when a file was looked at."""
    return f"{looked.understood.name}: {_state(looked)[2]}"


def _verdict(looked: Looked) -> html.Div:
    status, word, sentence = _state(looked)
    return verdict(status, sentence, word=word)


def _state(looked: Looked) -> tuple[Status, str, str]:
    """Return how the file stands, in a word, and in a sentence."""
    understood = looked.understood
    if understood.asks:
        sentence = "One answer is missing." if len(understood.asks) == 1 else "Some answers are missing."
        return Status.WARNING, "question", sentence
    if not looked.can_be_taken:
        mistakes = looked.against.mistakes if looked.against else understood.mistakes
        kinds = count(len(mistakes), "kind of mistake", "kinds of mistakes")
        return Status.CRITICAL, "refused", f"It cannot be imported: {kinds}. Nothing was taken."
    what = f"{count(len(understood.points or ()), 'value')} from {day(understood.first)} to {day(understood.last)}"
    if understood.doubts:
        doubted = sum(doubt.count for doubt in understood.doubts)
        return Status.WARNING, "doubt", f"{what}; {count(doubted, 'value')} hard to believe."
    return Status.OK, "understood", f"{what}. Nothing looks wrong."


def _seems(understood: Understood) -> str:
    parts = [f"It seems to be {understood.seems}." if understood.seems else ""]
    if understood.sheet and len(understood.sheets) > 1:
        parts.append(f"Sheet {understood.sheet} of {len(understood.sheets)}.")
    return " ".join(filter(None, parts))


def _told_again(looked: Looked) -> list[Any]:
    if looked.again is None:
        return []
    when = local_time(looked.again.imported)
    told: list[Any] = [
        "The same file was imported on ",
        when,
        f" as import {looked.again.id}. Rows that are the same stay so.",
    ]
    return [html.P(told, className="fw-import-again")]


def _mistakes(looked: Looked) -> list[Any]:
    """Return each kind of mistake with its count and first lines, and what to do."""
    understood = looked.understood
    mistakes = (*understood.mistakes, *(looked.against.mistakes if looked.against else ()))
    if not mistakes:
        return []
    remedy = on_page(looked.against.remedy if looked.against else understood.remedy)
    return [
        html.Ul([_mistake(each) for each in mistakes], className="fw-import-mistakes"),
        *([html.P(remedy, className="fw-import-remedy")] if remedy else []),
    ]


def _mistake(mistake: Mistake) -> html.Li:
    reason = on_page(mistake.reason)
    if not mistake.first:
        return html.Li(reason[:1].upper() + reason[1:])
    return html.Li([html.B(count(mistake.count, "line")), f": {reason}", *_lines(mistake)])


def _lines(mistake: Mistake) -> list[Any]:
    lines = [html.Li(f"line {line}: {text}" if text else f"line {line}") for line, text in mistake.first]
    left = mistake.count - len(mistake.first)
    more = [html.Li(f"and {number(left)} more")] if left > 0 else []
    return [html.Ul([*lines, *more], className="fw-import-lines")]


def _fields(title: str, fields: Sequence[Any], *, is_asked: bool = False) -> Any:
    if not fields:
        return None
    name = "fw-import-fields fw-import-asked" if is_asked else "fw-import-fields"
    return html.Fieldset([html.Legend(title), html.Div(list(fields), className="fw-form")], className=name)


def _columns(understood: Understood) -> list[Any]:
    if not understood.header:
        return []
    is_asked = "columns" in understood.asks
    name = "fw-import-columns fw-import-asked" if is_asked else "fw-import-columns"
    return [html.Details([html.Summary("Columns"), columns(understood)], open=is_asked, className=name)]


def _understood(looked: Looked) -> list[Any]:
    """Return kind, names, values and notes of a file that can be read."""
    understood, points = looked.understood, looked.understood.points
    if points is None:
        return []
    return [
        html.P(_how(understood), className="fw-import-how"),
        *[html.P(f"{note[:1].upper()}{note[1:]}.", className="fw-import-note") for note in understood.notes],
        *_remembered(looked),
        html.Div(
            [
                html.Div([_names_table(looked, points), *_doubts(understood)], className="fw-import-part"),
                _rows_table(understood, points),
            ],
            className="fw-import-parts",
        ),
    ]


def _how(understood: Understood) -> str:
    """Return in a sentence how the file was read."""
    written = [
        f"dates with the {DATE_ORDERS[understood.date_order]}" if understood.date_order else "",
        f"a decimal {DECIMALS[understood.decimal].split(':')[0]}" if understood.decimal else "",
        f"returns in {UNITS[understood.unit].split(':')[0]}" if understood.unit == "percent" else "",
        "returns as ratios" if understood.unit == "ratio" else "",
    ]
    kind = KINDS[understood.kind]
    told = ", ".join(filter(None, written))
    chained = " They become an index that begins at 100." if understood.kind in OF_RETURNS else ""
    return f"Read as {kind}{f', with {told}' if told else ''}.{chained}"


def _remembered(looked: Looked) -> list[Any]:
    if looked.understood.said == looked.said:
        return []
    return [html.P("Some of it is remembered from files with the same header.", className="fw-import-note")]


def _names_table(looked: Looked, points: Points) -> html.Div:
    noun = "Instrument" if looked.understood.kind in OF_INSTRUMENTS else "Portfolio"
    titles = [
        Column("name", noun, numeric=False), Column("state", "Known", numeric=False),
        Column("often", "Comes", numeric=False), Column("currency", "Currency", numeric=False),
        Column("rows", "Values"), Column("first", "First"), Column("last", "Last"),
    ]  # fmt: skip
    if looked.understood.kind in OF_INSTRUMENTS:
        titles = [column for column in titles if column.key != "currency"]
    rows = [_name_row(looked, points, number) for number in range(min(len(points.names), MOST_NAMES))]
    table = data_table("import-names", titles, rows, caption=f"{noun}s of the file", sortable=False, stack=True)
    left = len(points.names) - MOST_NAMES
    more = html.P(f"And {number(left)} more.", className="fw-nothing") if left > 0 else None
    return html.Div([html.H3(count(len(points.names), noun.lower())), table, more], className="fw-import-part")


def _name_row(looked: Looked, points: Points, at: int) -> dict[str, Any]:
    name, of = points.names[at], points.ts[points.code == at]
    near = dict(looked.names.near).get(name)
    state = f"will be new; there is “{near}”: misspelt?" if near else "will be new"
    told = dict(looked.understood.currencies).get(name)
    is_new = name in looked.names.new
    currency = told or (f"not told: {ASSUMED_CURRENCY}" if is_new else f"{looked.known.get(name, '')}, as it is")
    return {
        "name": name,
        "state": state if is_new else "is there already",
        "often": looked.understood.frequencies[at],
        "currency": currency,
        "rows": number(len(of)),
        "first": day(int(of.min())) if len(of) else None,
        "last": day(int(of.max())) if len(of) else None,
    }


def _rows_table(understood: Understood, points: Points) -> html.Div:
    """Return the first and the last points as they would be taken."""
    total = len(points)
    first = range(min(EDGE_ROWS, total))
    last = range(max(total - EDGE_ROWS, EDGE_ROWS), total)
    has_flow = bool(points.flow.any())
    value = VALUE_NAMES[understood.kind].capitalize().replace("Nav", "NAV")
    titles = [
        Column("line", "Line"), Column("when", "When", numeric=False), Column("name", "Of", numeric=False),
        Column("value", value), *([Column("flow", "Cash flow")] if has_flow else []),
    ]  # fmt: skip
    rows = [_point_row(points, at) for at in first]
    left = len(range(len(first), last.start)) if last else 0
    if left > 0:
        rows.append({"line": "…", "when": f"{number(left)} more", "name": "", "value": "", "flow": ""})
    rows += [_point_row(points, at) for at in last]
    table = data_table("import-rows", titles, rows, caption="First and last rows", sortable=False, stack=False)
    return html.Div([html.H3("First and last rows"), table], className="fw-import-part")


def _point_row(points: Points, at: int) -> dict[str, Any]:
    return {
        "line": str(int(points.line[at])),
        "when": _moment(int(points.ts[at])),
        "name": points.names[int(points.code[at])],
        "value": _plain(float(points.value[at])),
        "flow": _plain(float(points.flow[at])) if points.flow[at] else "",
    }


def _moment(ts: int) -> str:
    """Return the day of a moment, with its time in UTC where it has one: files are read in UTC."""
    moment = datetime.fromtimestamp(ts, UTC)
    return moment.date().isoformat() if ts % DAY_SECONDS == 0 else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _plain(value: float) -> str:
    """Return a number with every digit that the file gave it."""
    if abs(value) >= FARTHEST:
        return f"{value:.6g}"
    whole, _, decimals = np.format_float_positional(abs(value), unique=True, trim="-").partition(".")
    sign = "−" if value < 0 else ""
    return f"{sign}{number(float(whole))}{f'.{decimals}' if decimals else ''}"


def _doubts(understood: Understood) -> list[Any]:
    if not understood.doubts:
        return []
    parts = [part for doubt in understood.doubts for part in _doubt(doubt)]
    return [html.Div([html.H3("Hard to believe"), *parts], className="fw-import-part")]


def _doubt(doubt: Doubt) -> list[Any]:
    rows = [html.Li(f"line {row.line}: {row.text}") for row in doubt.rows[:MOST_DOUBTS]]
    left = doubt.count - len(rows)
    more = [html.Li(f"and {number(left)} more")] if left > 0 else []
    reason = REASONS[doubt.kind]
    told = f": {reason}" if doubt.count == 1 else f", each {reason}"
    return [
        html.P([html.B(count(doubt.count, "value")), told], className="fw-import-doubt"),
        html.Ul([*rows, *more], className="fw-import-lines"),
    ]


def _end(looked: Looked) -> list[Any]:
    """Return what must be confirmed, and the buttons."""
    near, doubts = looked.names.near, looked.understood.doubts
    boxes = []
    if looked.can_be_taken and near:
        told = first_of([f"“{name}” (not “{like}” misspelt)" for name, like in near])
        boxes.append(confirm("new", f"New, and so meant: {told}"))
    if looked.can_be_taken and doubts:
        doubted = sum(doubt.count for doubt in doubts)
        these = "this value although it is" if doubted == 1 else f"these {count(doubted, 'value')} although they are"
        boxes.append(confirm("accept", f"Take {these} hard to believe"))
    take = html.Button(
        "Import",
        type="button",
        className="fw-button fw-import-take",
        disabled=not looked.can_be_taken,
        **attributes(data_import="take"),
    )
    leave = html.Button("Leave it", type="button", className="fw-button", **attributes(data_import="leave"))
    return [*boxes, html.Div([take, leave], className="fw-form-end")]
