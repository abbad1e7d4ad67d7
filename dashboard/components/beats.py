"""The strip of a service's newest checks: a bar each, oldest left, one element however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from dash import html

from core.format import count, number
from dashboard.components.attributes import attributes
from status.history import BEATS, Beat

HEIGHTS = {"none": 30, "up": 55, "pending": 78, "down": 100}
"""In percent: a failed check stands out by its height too, never by colour alone."""
COLOURS = {"up": "var(--fw-ok)", "pending": "var(--fw-warning)", "down": "var(--fw-critical)", "none": "var(--fw-line)"}
WORDS = {"up": "up", "pending": "failed but retried", "down": "down", "none": "not checked"}


def beat_strip(beats: Sequence[Beat]) -> html.Div:
    """Return the strip (assets/css/24-beats.css); without a check an empty one."""
    states = ["none"] * (BEATS - len(beats)) + [beat.state for beat in beats[-BEATS:]]
    present = [state for state in HEIGHTS if state in states]
    counts = {state: sum(beat.state == state for beat in beats) for state in ("up", "pending", "down")}
    told = ", ".join(f"{number(each)} {WORDS[state]}" for state, each in counts.items() if each) or "none yet"
    label = f"Last {count(len(beats), 'check')}: {told}"
    return html.Div(
        className="fw-beats",
        style={
            "backgroundImage": ", ".join(_layer(states, state) for state in present),
            "backgroundSize": ", ".join(f"100% {HEIGHTS[state]}%" for state in present),
        },
        role="img",
        title=label,
        **attributes(aria_label=label),
    )


def _layer(states: Sequence[str], shown: str) -> str:
    """Return the gradient that draws the checks of one state and leaves out the others."""
    stops, place = [], 0
    for is_shown, run in groupby(states, lambda state: state == shown):
        end = place + len(list(run))
        stops.append(f"{COLOURS[shown] if is_shown else '#0000'} {100 * place / BEATS:.4g}% {100 * end / BEATS:.4g}%")
        place = end
    return f"linear-gradient(to right, {', '.join(stops)})"
