"""Components as HTML text, for what is sent on request instead of being drawn by Dash."""

from __future__ import annotations

import re
from typing import Any

from dash.development.base_component import Component
from markupsafe import escape

NAMES = {"className": "class", "tabIndex": "tabindex", "colSpan": "colspan", "htmlFor": "for"}
VOID = frozenset({"br", "hr", "img", "input"})
_CAPITAL = re.compile(r"(?=[A-Z])")


def markup(part: Any) -> str:
    """Return a component of `dash.html`, a list of them or a text as HTML; texts and attributes are escaped.

    Raises TypeError for a component of another library.
    """
    if part is None:
        return ""
    if isinstance(part, (list, tuple)):
        return "".join(markup(each) for each in part)
    if not isinstance(part, Component):
        return str(escape(part))
    described = part.to_plotly_json()
    if described["namespace"] != "dash_html_components":
        raise TypeError(f"{described['namespace']}.{described['type']} is no HTML")
    tag = described["type"].lower()
    props = described["props"]
    given = "".join(_attribute(name, value) for name, value in props.items() if name != "children")
    return f"<{tag}{given}>" if tag in VOID else f"<{tag}{given}>{markup(props.get('children'))}</{tag}>"


def _attribute(name: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    if name == "style":
        value = ";".join(f"{_CAPITAL.sub('-', key).lower()}:{item}" for key, item in value.items())
    if value is True:
        return f" {NAMES.get(name, name)}"
    return f' {NAMES.get(name, name)}="{escape(str(value))}"'
