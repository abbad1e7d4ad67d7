"""Reading files in tests, and comparing what was read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from portfolio.imports.mapping import Mapping
from portfolio.imports.understand import Understood, understand

NOW = datetime(2027, 1, 3, tzinfo=UTC).timestamp()
Row = tuple[str, str, float, float]
"""Name, ISO day or time, value, flow."""


def read(content: str | bytes, name: str = "file.csv", now: float = NOW, **said: object) -> Understood:
    data = content.encode() if isinstance(content, str) else content
    return understand(name, data, Mapping(**said), now)  # type: ignore[arg-type]


def rows(understood: Understood) -> list[Row]:
    points = understood.points
    assert points is not None, understood.lines()
    return [
        (points.names[code], when(ts), value, flow)
        for code, ts, value, flow in zip(
            points.code.tolist(), points.ts.tolist(), points.value.tolist(), points.flow.tolist(), strict=True
        )
    ]


def when(ts: int) -> str:
    text = datetime.fromtimestamp(ts, UTC).isoformat().removesuffix("+00:00")
    return text.removesuffix("T00:00:00")


def told(understood: Understood) -> str:
    """Return the refusal as a text."""
    assert understood.points is None, understood.lines()
    return "\n".join(understood.lines())


def weekdays(first: date, count: int) -> list[date]:
    days = (first + timedelta(days=at) for at in range(2 * count + 7))
    return [day for day in days if day.weekday() < 5][:count]
