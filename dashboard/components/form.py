"""Forms that change something: plain HTML that stands in slots and is posted by assets/js/68-forms.js.

What a reader has typed survives a refresh; what stands beside a field says what it is for and what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from dash import html
from dash.development.base_component import Component

from core.roles import Role
from dashboard.components.attributes import attributes
from dashboard.components.needing import needing

Options = Sequence[tuple[str, str]]
"""(value, label) pairs."""
DOES = "does"
"""Name of the field that says which button of several was pressed."""


def id_of_form(page: str, what: str, of: str) -> str:
    """Return the id of a page's form about one thing: what was typed about another one is none of it."""
    return f"{page}-{what}-{blake2b(of.encode(), digest_size=6).hexdigest()}"


class Input(Component):
    """An input of HTML, which `dash.html` lacks: for slots alone, as Dash could not draw it."""

    _namespace = "dash_html_components"
    _type = "Input"

    def __init__(self, **given: Any) -> None:
        self._prop_names = list(given)
        self._valid_wildcard_attributes = ["data-", "aria-"]
        super().__init__(**given)


def form(
    post: str,
    *parts: Any,
    id: str,
    does: str,
    also: Options = (),
    question: str = "",
    into: str = "",
    judged: Sequence[str] = (),
    clears: bool = False,
    is_dangerous: bool = False,
    role: Role = Role.VIEWER,
    label: str = "",
) -> html.Form:
    """Return a form that posts the fields in `parts` to `post`, a rule among the page's forms.

    does: what its button says. question: asked before it is sent; {name} in it is what the field of that name
    says. also: further buttons; the field `does` is then the value of the one that was pressed, empty for the first.
    into: id of the place that shows the HTML of the answer. judged: ids of panels that tell of what was sent last and
    was right: they are empty while what is sent is refused. clears: whether its fields are emptied when it is
    done. role: the least that it is offered to (components/needing.py). label: what a screen reader says of the
    button, where several on a page say the same.
    """
    button = html.Button(
        does, type="submit", className=f"fw-button{' fw-button-do' if is_dangerous else ''}",
        **attributes(aria_label=label or None),
    )  # fmt: skip
    more = [html.Button(text, type="submit", name=DOES, value=value, className="fw-button") for value, text in also]
    return html.Form(
        [
            *parts,
            html.Div([button, *more, html.Span(className="fw-form-said", role="status")], className="fw-form-end"),
        ],
        id=id,
        className="fw-form",
        action=post,
        method="post",
        noValidate=True,
        **needing(role),
        **attributes(
            data_post=post,
            data_question=question or None,
            data_does=does,
            data_into=into or None,
            data_judged=" ".join(judged) or None,
            data_clears="" if clears else None,
        ),
    )


def hidden(name: str, value: str) -> Input:
    """Return a field that a reader does not see."""
    return Input(type="hidden", name=name, value=value)


def text_field(
    form_id: str,
    name: str,
    label: str,
    value: str = "",
    *,
    hint: Any = "",
    type: str = "text",
    options: Sequence[str] = (),
    is_read_only: bool = False,
    **more: str,
) -> html.Div:
    """Return a field with its label and hint. options: what the browser offers while it is typed."""
    field_id, listed = f"{form_id}-{name}", f"{form_id}-{name}-list" if options else None
    given = {
        **attributes(**more),
        **({"list": listed} if listed else {}),
        **({"readonly": "readonly"} if is_read_only else {}),
    }
    box = Input(
        type=type, id=field_id, name=name, value=value, autocomplete="off", className="fw-field-input",
        **{"aria-describedby": f"{field_id}-hint"}, **given,
    )  # fmt: skip
    offered = [html.Datalist([html.Option(value=each) for each in options], id=listed)] if listed else []
    return _field(field_id, label, [box, *offered], hint)


def long_field(
    form_id: str, name: str, label: str, value: str = "", *, hint: Any = "", most: int, rows: int = 3,
    is_code: bool = False,
) -> html.Div:  # fmt: skip
    """Return a field of several lines, of `most` characters, as wide as the form. is_code: letters of one width."""
    field_id = f"{form_id}-{name}"
    more = attributes(aria_describedby=f"{field_id}-hint")
    name_of_class = f"fw-field-input{' fw-field-code' if is_code else ''}"
    box = html.Textarea(
        value,
        id=field_id,
        name=name,
        rows=rows,
        maxLength=most,
        className=name_of_class,
        **more,
    )
    return _field(field_id, label, [box], hint, "fw-field fw-field-wide")


def moment_field(form_id: str, name: str, label: str, at: float | None = None, *, hint: Any = "") -> html.Div:
    """Return a field of a time, which its reader sees and types in the own zone; it is sent as RFC 3339, in UTC.

    at: epoch seconds; None: it is empty (assets/js/74-notes.js).
    """
    if at is None:
        return text_field(form_id, name, label, hint=hint, type="datetime-local", step="1")
    return text_field(form_id, name, label, hint=hint, type="datetime-local", step="1", data_ts=f"{at:.3f}")


def select_field(
    form_id: str,
    name: str,
    label: str,
    options: Options,
    value: str = "",
    *,
    hint: Any = "",
    is_read_only: bool = False,
    withheld: Options = (),
) -> html.Div:
    """Return a drop-down with its label and hint; withheld: what cannot be chosen, and says why."""
    field_id = f"{form_id}-{name}"
    offered = [html.Option(text, value=each, selected=each == value) for each, text in options]
    offered += [html.Option(text, value=each, disabled=True) for each, text in withheld]
    more = attributes(aria_describedby=f"{field_id}-hint")
    box = html.Select(offered, id=field_id, name=name, className="fw-field-input", disabled=is_read_only, **more)
    return _field(field_id, label, [box], hint)


def tick(form_id: str, name: str, label: Any, *, is_ticked: bool = False, hint: Any = "") -> html.Div:
    """Return a box to tick; ticked it sends "on", else nothing."""
    field_id = f"{form_id}-{name}"
    given = {"checked": "checked"} if is_ticked else {}
    box = Input(type="checkbox", id=field_id, name=name, **{"aria-describedby": f"{field_id}-hint"}, **given)
    return html.Div(
        [html.Label([box, " ", label], htmlFor=field_id, className="fw-tick"), *_below(field_id, hint)],
        className="fw-field",
    )


def _field(field_id: str, label: str, parts: list[Any], hint: Any, name: str = "fw-field") -> html.Div:
    return html.Div(
        [html.Label(label, htmlFor=field_id, className="fw-field-label"), *parts, *_below(field_id, hint)],
        className=name,
    )


def _below(field_id: str, hint: Any) -> list[Any]:
    return [
        html.Span(hint or None, id=f"{field_id}-hint", className="fw-field-hint"),
        html.Span(className="fw-field-wrong"),
    ]
