"""A small picture of a course: the line, its thresholds, and since when it fires. Pure; PNG, without a browser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from core.clock import DAY_SECONDS
from core.format import in_unit

WIDTH, HEIGHT = 560, 150
"""Pixels as it is shown; it is twice as fine, for screens that are."""
SCALE = 2
LEFT, RIGHT, TOP, BOTTOM = 8, 92, 10, 22
TEXT_PIXELS = 12
PAPER, INK, MUTED, LINE, LIMIT, SHADE = "#ffffff", "#16202c", "#5a6878", "#0b62c4", "#b4232c", "#fbeeee"
"""Mail is read on white, and forwarded to those who have other themes."""


@dataclass(frozen=True, slots=True)
class Course:
    """What is drawn. Times are epoch seconds."""

    times: Sequence[float]
    values: Sequence[float | None]
    """None: a gap."""
    thresholds: Sequence[float]
    begins: float
    ends: float
    fires_since: float
    unit: str


def drawn(course: Course) -> bytes:
    """Return the picture as PNG. Raises ValueError: there is nothing to draw."""
    known = [value for value in course.values if value is not None and math.isfinite(value)]
    if not known:
        raise ValueError("nothing of it is stored in that time")
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), PAPER)
    pen = ImageDraw.Draw(image)
    low, high = _range([*known, *course.thresholds])
    span = max(course.ends - course.begins, 1.0)

    def x(at: float) -> float:
        share = (min(max(at, course.begins), course.ends) - course.begins) / span
        return SCALE * (LEFT + share * (WIDTH - LEFT - RIGHT))

    def y(value: float) -> float:
        return SCALE * (TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM))

    floor, right = SCALE * (HEIGHT - BOTTOM), SCALE * (WIDTH - RIGHT)
    pen.rectangle([x(course.fires_since), SCALE * TOP, right, floor], fill=SHADE)
    pen.line([SCALE * LEFT, floor, right, floor], fill=MUTED, width=SCALE)
    for threshold in course.thresholds:
        _dashed(pen, SCALE * LEFT, right, y(threshold))
    for part in _without_gaps(course):
        places = [(x(at), y(value)) for at, value in part]
        if len(places) == 1:
            places.append((places[0][0] + SCALE, places[0][1]))
        pen.line(places, fill=LINE, width=2 * SCALE, joint="curve")
    labels = [(y(each), in_unit(each, course.unit), LIMIT) for each in course.thresholds]
    _at_line_ends(pen, right, [*labels, (y(known[-1]), in_unit(known[-1], course.unit), LINE)])
    _times(pen, course, floor, right)
    file = BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return low - room, high + room


def _without_gaps(course: Course) -> list[list[tuple[float, float]]]:
    parts: list[list[tuple[float, float]]] = [[]]
    for at, value in zip(course.times, course.values, strict=True):
        if value is None or not math.isfinite(value):
            parts.append([])
        else:
            parts[-1].append((at, value))
    return [part for part in parts if part]


def _dashed(pen: ImageDraw.ImageDraw, left: float, right: float, at: float) -> None:
    step = 6 * SCALE
    for start in range(round(left), round(right), 2 * step):
        pen.line([start, at, min(start + step, right), at], fill=LIMIT, width=SCALE)


def _at_line_ends(pen: ImageDraw.ImageDraw, right: float, labels: Sequence[tuple[float, str, str]]) -> None:
    """Write each label beside the end of its line, pushed down where it would lie on the one above."""
    least = 0.0
    for at, text, colour in sorted(labels):
        place = max(at - TEXT_PIXELS * SCALE / 2, least)
        pen.text((right + 6 * SCALE, place), _plain(text), fill=colour, font=_font())
        least = place + (TEXT_PIXELS + 2) * SCALE


def _times(pen: ImageDraw.ImageDraw, course: Course, floor: float, right: float) -> None:
    form = "%m-%d %H:%M" if course.ends - course.begins > DAY_SECONDS else "%H:%M"
    begins, ends = (f"{datetime.fromtimestamp(at, UTC):{form}}" for at in (course.begins, course.ends))
    pen.text((SCALE * LEFT, floor + 3 * SCALE), begins, fill=MUTED, font=_font())
    pen.text((right, floor + 3 * SCALE), f"{ends} UTC", fill=MUTED, font=_font(), anchor="ra")


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(TEXT_PIXELS * SCALE)


def _plain(text: str) -> str:
    """Return a text of letters that the font has, which comes with Pillow."""
    return text.replace("−", "-").replace("\u202f", " ").replace("\u00a0", " ")
