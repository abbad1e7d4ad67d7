"""Components as HTML text: pages get what changes as HTML, not as components that Dash would draw one by one."""

from __future__ import annotations

import re
from functools import cache
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
    written: list[str] = []
    _write(part, written.append)
    return "".join(written)


def _write(part: Any, write: Any) -> None:
    if part is None:
        return
    if isinstance(part, (list, tuple)):
        for each in part:
            _write(each, write)
        return
    if not isinstance(part, Component):
        write(str(escape(part)))
        return
    if part._namespace != "dash_html_components":
        raise TypeError(f"{part._namespace}.{part._type} is no HTML")
    tag = part._type.lower()
    write(f"<{tag}")
    # Dash keeps attributes in an order that each process has anew: the same markup is the same text everywhere.
    for name, value in sorted(vars(part).items()):
        if value is None or value is False or name == "children" or name.startswith(("_", "available_")):
            continue
        write(_attribute(name, value))
    write(">")
    if tag not in VOID:
        _write(getattr(part, "children", None), write)
        write(f"</{tag}>")


def _attribute(name: str, value: Any) -> str:
    if name == "style":
        value = ";".join(f"{_css_name(key)}:{item}" for key, item in value.items())
    if value is True:
        return f" {NAMES.get(name, name)}"
    return f' {NAMES.get(name, name)}="{escape(value)}"'


@cache
def _css_name(name: str) -> str:
    return _CAPITAL.sub("-", name).lower()
