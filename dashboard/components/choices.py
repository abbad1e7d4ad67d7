"""Controls that write a tab's choices: to the URL and to the next refresh (assets/js/31-choices.js)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from dashboard.components.attributes import attributes
from dashboard.views.tab import Choices

TAKEN_AFTER_MS = 300
"""A day, or words to find, are taken this long after the last touch: the next letter may change them."""
Options = Sequence[tuple[str, str]]
"""(value, label) pairs."""


def choice_bar(*children: Any) -> html.Div:
    """Return the bar under the header that holds a tab's choices. `spacer()` pushes what follows right."""
    return html.Div(list(children), className="fw-choices", role="group", **attributes(aria_label="Choices"))


def spacer() -> html.Span:
    """Return the gap that pushes the rest of a choice bar to the right."""
    return html.Span(className="fw-spacer")


def choice_select(tab: str, name: str, options: Options, choices: Choices, *, default: str, label: str) -> html.Label:
    """Return a drop-down for the choice `name`. A value that is not on offer counts as the default."""
    return html.Label(
        [
            html.Span(label, className="fw-choice-label"),
            dbc.Select(
                id=choice_id(tab, name, default),
                options=[{"value": value, "label": text} for value, text in options],
                value=chosen(options, choices, name, default),
                size="sm",
                class_name="fw-select",
            ),
        ],
        className="fw-choice",
    )


def plain_select(
    tab: str, name: str, options: Options, *, chosen: str, default: str, label: str, key: str
) -> html.Label:
    """Return a drop-down for the choice `name` whose options depend on the data: for slots (33-plain-select.js).

    key: of what the options are of; with another one it is another drop-down.
    """
    offered = [html.Option(text, value=value, selected=value == chosen) for value, text in options]
    more = attributes(data_choice=name, data_tab=tab, data_default=default, data_value=chosen)
    box = html.Select(offered, id=f"{tab}-{name} {key}", className="form-select form-select-sm fw-select", **more)
    return html.Label([html.Span(label, className="fw-choice-label"), box], className="fw-choice")


def choice_segments(tab: str, name: str, options: Options, choices: Choices, *, default: str, label: str) -> html.Div:
    """Return a row of segments (radio buttons) for the choice `name`."""
    return html.Div(
        dbc.RadioItems(
            id=choice_id(tab, name, default),
            options=[{"value": value, "label": text} for value, text in options],
            value=chosen(options, choices, name, default),
            inline=True,
            class_name="fw-segments",
            input_class_name="btn-check",
            label_class_name="fw-segment",
        ),
        className="fw-choice",
        role="radiogroup",
        **attributes(aria_label=label),
    )


def choice_input(
    tab: str,
    name: str,
    choices: Choices,
    *,
    default: str,
    label: str,
    type: str = "text",
    unit: str = "",
    hint: str = "",
) -> html.Label:
    """Return a box for the choice `name`, taken when it is left or with Enter; a date when it is picked, words to find
    when typing pauses.

    What is typed may make no sense.
    """
    parts: list[Any] = [
        html.Span(label, className="fw-choice-label"),
        dbc.Input(
            id=choice_id(tab, name, default),
            value=choices.get(name, default),
            type=type,
            debounce=TAKEN_AFTER_MS if type in ("date", "search") else True,
            autocomplete="off",
            size="sm",
            class_name=f"fw-input fw-input-{type}",
        ),
    ]
    if unit:
        parts.append(html.Span(unit, className="fw-choice-label"))
    return html.Label(parts, className="fw-choice", title=hint or None)


def choice_button(
    tab: str,
    changes: Mapping[str, str | None],
    text: Any,
    *,
    pressed: bool | None = None,
    label: str | None = None,
    off: str = "",
) -> html.Button:
    """Return a button that looks like a link and makes `changes` to the tab's choices; None takes one back.

    pressed: whether the choice holds, for a button that switches it on and off. label: what it does, when `text` alone
    does not say it. off: why it cannot be chosen now.
    """
    state = None if pressed is None else str(pressed).lower()
    return html.Button(
        text,
        type="button",
        className="fw-choice-button",
        title=off or label,
        disabled=bool(off) or None,
        **attributes(data_tab=tab, data_choose=json.dumps(dict(changes)), aria_pressed=state, aria_label=label),
    )


def more_choices(often: Sequence[Any], seldom: Sequence[Any], *, is_open: bool = False) -> html.Div:
    """Return choices of which those that are made `seldom` stand behind a button (assets/js/32-more-choices.js).

    A narrow screen folds all of them. is_open: whether they show from the start, on a wide one.
    """
    toggle = html.Button(
        "More choices", type="button", className="fw-more-toggle", **attributes(aria_expanded=str(is_open).lower())
    )
    folds = [
        html.Div(list(often), className="fw-more-body"),
        html.Div(list(seldom), className="fw-more-body fw-seldom"),
    ]
    return html.Div([toggle, *folds], className="fw-more", **attributes(data_open="" if is_open else None))


def chosen(options: Options, choices: Choices, name: str, default: str) -> str:
    """Return the chosen value when it is on offer, else `default`."""
    value = choices.get(name, default)
    return value if any(value == offered for offered, _ in options) else default


def choice_id(tab: str, name: str, default: str) -> dict[str, str]:
    """Return the id that lets the frame collect a tab's controls; it carries the default to leave it out."""
    return {"type": "choice", "tab": tab, "name": name, "default": default}
