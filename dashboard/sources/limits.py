"""Limits on a page: their words, and the tone of a value that has reached one."""

from __future__ import annotations

from core.format import bytes_, duration
from core.limits import Limit
from core.model import Status


def threshold_text(value: float, unit: str) -> str:
    """Return a threshold in words: 0.8 of a ratio is "80 %", 0.1 of seconds "100 ms"."""
    if unit == "ratio":
        return f"{value * 100:g} %"
    if unit == "seconds":
        return duration(value)
    return bytes_(value) if unit == "bytes" else f"{value:,.10g}".replace(",", "\u202f")


def limit_text(limit: Limit, unit: str) -> str:
    """Return from where on a value is bad: "Warning from 10 s, critical from 30 s"."""
    word = "below" if limit.is_floor else "from"
    named = (("warning", limit.warning), ("critical", limit.critical))
    said = ", ".join(f"{name} {word} {threshold_text(value, unit)}" for name, value in named if value is not None)
    return said[:1].upper() + said[1:]


def tone_of(limit: Limit, value: float | None) -> str:
    """Return the tone of a cell whose value has reached a limit; empty for one that has not, and for None."""
    status = limit.status(value) if value is not None else Status.OK
    return "" if status is Status.OK else status.value
