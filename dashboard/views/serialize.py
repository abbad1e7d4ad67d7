"""From a View to what is sent: plain values, rounded figures, serialised once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
import orjson
from dash.development.base_component import Component

from dashboard.charts.theme import HOVER
from dashboard.components.markup import markup
from dashboard.views.delta import delta_encoded
from dashboard.views.tab import Choices, Page, View

FIGURES = "/figure"
"""Where figures are fetched that come into view: /figure/<page>/<graph>?<choices>; and what is told to who points at
one: /figure/<page>/<graph>/hover?<choices>."""
DIGITS = 6
"""What a chart can show."""
LARGE = 10_000
"""Values from here on keep two decimals."""
LONG = 32
_FLOATS = {float, type(None)}
_POWERS = np.array([float(f"1e{power}") for power in range(23)])
"""Powers of ten that a float holds exactly."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A view ready to send: JSON that every viewer's answer shares."""

    version: str
    about: Mapping[str, orjson.Fragment]
    """What is sent in any case: version, choices, ages, notes."""
    figures: Mapping[str, bytes]
    """By graph id; of one of Page.lazy_graphs where it is fetched."""
    slots: Mapping[str, bytes]
    """HTML by slot id, as a JSON text."""
    stale_at: float | None = None
    """From when on (epoch seconds) it says of something that it is so, and that may not be so any more."""
    lazy: Mapping[str, bytes] = field(default_factory=dict)
    """Figures of Page.lazy_graphs as JSON, by graph id."""
    hovers: Mapping[str, bytes] = field(default_factory=dict)
    """What traces have for who points at them as JSON, by graph id."""
    marks: bytes | None = None
    """Events and notes on its charts, as a JSON list; None: not known now, and those that are drawn stay."""

    def payload(self, before: Prepared | None = None) -> orjson.Fragment:
        """Return what a page is sent that shows nothing yet, or the view `before`: of that one only what differs."""
        base: dict[str, Any] = {} if before is None else {"base": before.version}
        if self.marks is not None and (before is None or before.marks != self.marks):
            base["marks"] = orjson.Fragment(self.marks)
        figures = _changed(self.figures, {} if before is None else before.figures)
        slots = _changed(self.slots, {} if before is None else before.slots)
        return orjson.Fragment(_dump({**self.about, **base, "figures": figures, "slots": slots}))


def prepare(page: Page, choices: Choices, version: str, view: View, marks: bytes | None = None) -> Prepared:
    """Return `view` serialised, with the marks on its charts.

    Raises KeyError naming what the view has and the page does not declare.
    """
    _check(page.id, "graph", view.figures, page.graphs)
    _check(page.id, "slot", view.slots, page.slots)
    hovers = {id: found for id, figure in view.figures.items() if (found := _hover(figure))}
    figures = {
        id: _encoded(_with_revision(_without_hover(figure), id, choices))
        | ({HOVER: _reference(page, choices, f"{id}/{HOVER}", hovers[id])} if id in hovers else {})
        for id, figure in view.figures.items()
    }
    lazy = {id: _dump(figures[id]) for id in page.lazy_graphs if id in figures}
    sent = figures | {id: _reference(page, choices, id, content) for id, content in lazy.items()}
    about = {
        "version": version,
        "page": page.id,
        "choices": dict(choices),
        "as_of": plain(view.as_of),
        "notes": plain(view.notes),
        "stale_after_seconds": plain(view.stale_after_seconds),
    }
    return Prepared(
        version,
        {name: orjson.Fragment(_dump(value)) for name, value in about.items()},
        {id: _dump(figure) for id, figure in sent.items()},
        {id: _dump(markup(view.slots.get(id))) for id in page.slots},
        view.stale_at,
        lazy,
        hovers,
        marks,
    )


def _changed(now: Mapping[str, bytes], before: Mapping[str, bytes]) -> dict[str, orjson.Fragment]:
    return {id: orjson.Fragment(content) for id, content in now.items() if before.get(id) != content}


def plain(value: Any) -> Any:
    """Return `value` as JSON-ready dicts, lists, texts and numbers; NaN and infinities become None."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Component):
        return _component(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"cannot send a {type(value).__name__}: {value!r:.80}")


def _component(value: Component) -> dict[str, Any]:
    """Return what `value.to_plotly_json()` does, plain: of its attributes those that are properties were given."""
    given = {name: plain(item) for name, item in vars(value).items() if not name.startswith(("_", "available_"))}
    return {"props": given, "type": value._type, "namespace": value._namespace}


def rounded(value: Any) -> Any:
    """Return `value` as `plain` does, with floats rounded to what a chart can show (six digits)."""
    if type(value) is float:
        return _round(value)
    if isinstance(value, (list, tuple)):
        if len(value) >= LONG and set(map(type, value)) <= _FLOATS:
            return _rounded_column(value)
        return [_round(item) if type(item) is float else rounded(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): rounded(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return rounded(value.tolist())
    return plain(value)


def _round(value: float) -> float | None:
    if not math.isfinite(value):
        return None
    if abs(value) >= LARGE:
        return round(value, 2)
    return float(f"{value:.{DIGITS}g}")


def _rounded_column(values: Sequence[float | None]) -> list[float | None]:
    """Return what `_round` makes of each, all at once: a whole number over a power of ten is the nearest float."""
    column = np.array(values, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        size = np.abs(column)
        digits = np.where(size > 0, DIGITS - 1 - np.floor(np.log10(size)), 0.0)
        scale = _POWERS[np.clip(np.nan_to_num(digits), 0, len(_POWERS) - 1).astype(np.intp)]
        found = np.where(size >= LARGE, np.round(column * 100) / 100, np.round(column * scale) / scale)
    if np.isfinite(found).all():
        whole: list[float | None] = found.tolist()
        return whole
    return [value if math.isfinite(value) else None for value in found.tolist()]


def _reference(page: Page, choices: Choices, graph: str, content: bytes) -> dict[str, str]:
    """Return where a figure is fetched, with a stamp that changes when it does."""
    return {
        "lazy": f"{FIGURES}/{page.id}/{graph}?{choices.query}",
        "stamp": blake2b(content, digest_size=8).hexdigest(),
    }


def _encoded(figure: Mapping[str, Any]) -> dict[str, Any]:
    return delta_encoded(rounded(figure))


def _hover(figure: Mapping[str, Any]) -> bytes:
    """Return what the traces of a figure have for who points at them, as a list by trace; empty when none has any."""
    found = [trace.get(HOVER, {}) for trace in figure.get("data", ())]
    return _dump(_encoded({"data": found})["data"]) if any(found) else b""


def _without_hover(figure: Mapping[str, Any]) -> dict[str, Any]:
    traces = figure.get("data", ())
    return {**figure, "data": [{key: each for key, each in trace.items() if key != HOVER} for trace in traces]}


def _with_revision(figure: Mapping[str, Any], id: str, choices: Choices) -> dict[str, Any]:
    layout = {"uirevision": f"{id}?{choices.query}", **figure.get("layout", {})}
    return {**figure, "layout": layout}


def _dump(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)


def _check(page: str, kind: str, given: Mapping[str, Any], declared: Sequence[str]) -> None:
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise KeyError(f"page {page} built {kind} {', '.join(unknown)} that it does not declare")
