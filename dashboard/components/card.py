"""Cards (one headline figure), verdict lines and state badges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from core.model import Status
from dashboard.components.age import age
from dashboard.components.attributes import attributes
from dashboard.components.quick import quick
from dashboard.components.spark import spark as sparkline

LONG_VALUE = 10
"""Characters of a figure from which it is written smaller."""
STATE_WORDS = {
    Status.OK: "ok",
    Status.WARNING: "warning",
    Status.CRITICAL: "critical",
    Status.DOWN: "down",
    Status.UNKNOWN: "unknown",
    Status.NOT_CONFIGURED: "not configured",
}
STATE_SIGNS = {
    Status.OK: "✓",
    Status.WARNING: "▲",
    Status.CRITICAL: "✕",
    Status.DOWN: "✕",
    Status.UNKNOWN: "?",
    Status.NOT_CONFIGURED: "○",
}


def state_badge(status: Status, word: str | None = None) -> html.Span:
    """Return the state as sign and word, never as colour alone."""
    return quick(
        html.Span,
        [
            quick(html.Span, STATE_SIGNS[status], className="fw-sign", **attributes(aria_hidden="true")),
            word or STATE_WORDS[status],
        ],
        className=f"fw-state fw-state-{status.value}",
    )


def card(
    id: str,
    title: str,
    value: str,
    unit: str = "",
    *,
    state: Status | None = None,
    word: str | None = None,
    why: Any = "",
    bar_ratio: float | None = None,
    spark: Sequence[float | None] | None = None,
    as_of: float | None = None,
    stale_after_seconds: float | None = None,
    definition: str = "",
    tone: str = "",
    strip: Any = None,
    act: Any = None,
) -> html.Article:
    """Return a card: `value` is formatted already, `unit` follows it small.

    word: shown instead of the state's own ("paused").
    why: one short line under the figure. bar_ratio: 0 to 1 of its limit, drawn as a bar in the state's
    colour. spark: recent values, oldest first; None is a gap. as_of: epoch seconds, shown as a ticking age
    that is stale beyond `stale_after_seconds`.
    definition: formula, window, n, source; on hover. tone: "gain" or "loss", for profit and loss only.
    strip: a part of its own between the sparkline and the last line. act: what can be done, below it.
    """
    level = state.value if state else "none"
    head: list[Any] = [quick(html.H2, title, className="fw-card-title")]
    if state:
        head.append(state_badge(state, word))
    foot: list[Any] = [quick(html.Span, why, className="fw-card-why")] if why else []
    if as_of is not None:
        foot.append(age(as_of, stale_after_seconds))
    parts: list[Any] = [
        quick(html.Div, head, className="fw-card-head"),
        quick(
            html.P,
            [value, quick(html.Span, unit, className="fw-card-unit")] if unit else value,
            className=_value_class(value, tone),
        ),
    ]
    if bar_ratio is not None:
        parts.append(bar(bar_ratio, f"{title}: share of its limit"))
    if spark is not None:
        parts.append(sparkline(spark))
    if strip is not None:
        parts.append(strip)
    parts.append(quick(html.Div, foot, className="fw-card-foot"))
    if act is not None:
        parts.append(act)
    return quick(html.Article, parts, id=id, className=f"fw-card fw-level-{level}", title=definition or None)


def _value_class(value: str, tone: str) -> str:
    names = {"fw-card-value": True, f"fw-tone-{tone}": bool(tone), "fw-long": len(value) > LONG_VALUE}
    return " ".join(name for name, holds in names.items() if holds)


def cards(
    *children: Any, minimum_px: int = 140, is_reason_above_age: bool = False, is_alone: bool = False
) -> html.Div:  # fmt: skip
    """Return a strip of cards that wraps; each at least `minimum_px` wide, its reason beside its age or above it.

    is_alone: whether its cards keep to a width, few as they may be.
    """
    name = "fw-cards fw-reason-above-age" if is_reason_above_age else "fw-cards"
    name += " fw-alone" if is_alone else ""
    return html.Div(list(children), className=name, style={"--card": f"{minimum_px}px"})


def cards_slot(
    id: str, *counts: int, alone: int = 0, minimum_px: int = 140, height: int = 110, is_headed: bool = False
) -> html.Div:  # fmt: skip
    """Return the slot of strips of so many cards, each at least `height` px high, with a place for each until then.

    alone: cards of a first strip that keep to a width. is_headed: whether a line of links stands above the cards.
    """
    head = [html.Div(className="fw-kinds fw-kinds-place")] if is_headed else []
    strips = [
        cards(
            *(html.Div(className="fw-skeleton fw-card-place") for _ in range(count)),
            minimum_px=minimum_px,
            is_alone=is_alone,
        )
        for count, is_alone in ((alone, True), *((count, False) for count in counts))
        if count
    ]
    return html.Div([*head, *strips], id=id, className="fw-slot", style={"--card-height": f"{height}px"})


def bar(ratio: float, label: str) -> html.Div:
    """Return a progress bar; `ratio` is clipped to 0 … 1."""
    share = min(max(ratio, 0.0), 1.0)
    return html.Div(
        html.Div(className="fw-bar-fill", style={"width": f"{share * 100:.1f}%"}),
        className="fw-bar",
        role="progressbar",
        **attributes(aria_label=label, aria_valuenow=f"{share * 100:.0f}", aria_valuemin="0", aria_valuemax="100"),
    )


def verdict(status: Status, sentence: Any, *, word: str | None = None, badge: html.Span | None = None) -> html.Div:
    """Return the one line at the top of a tab that says how things stand; badge: instead of that of the state."""
    return html.Div(
        [badge or state_badge(status, word), html.P(sentence, className="fw-verdict-text")],
        className=f"fw-verdict fw-level-{status.value}",
        role="status",
    )


def empty(title: str, how: Any) -> html.Div:
    """Return what stands where data would be: what it would show and how to get it."""
    return html.Div(
        [html.H2(title, className="fw-empty-title"), html.Div(how, className="fw-empty-how")],
        className="fw-empty",
    )
