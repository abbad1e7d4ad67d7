"""What a file says, understood: its kind, its columns, its points, and what is wrong or hard to believe.

Nothing here reads or writes storage: what is remembered and what stands round the file's points is handed in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import PurePath

import numpy as np

from analytics.cadence import cadence_of
from analytics.calendar import Dates
from core.clock import DAY_SECONDS
from core.errors import ImportDoubted, ImportRejected, Mistake
from core.format import count, cut, number
from portfolio.imports.content import read_content
from portfolio.imports.doubts import Around, Doubt, find_doubts
from portfolio.imports.headers import word_of
from portfolio.imports.mapping import PORTFOLIO_NAME, Mapping
from portfolio.imports.mistakes import Mistakes, shown
from portfolio.imports.points import COLUMNS, Points, Reading, read_points
from portfolio.imports.shape import Shape, find_shape, header_of, header_row
from portfolio.imports.sheet import LARGEST_BYTES, Cell, Sheet, Unreadable

Recall = Callable[[Sequence[str], str], Mapping]
"""What was said of files with this header and a name like this one."""
LookAround = Callable[[Points, str], Dict[str, Around]]
"""What is stored round points of this kind, by portfolio or instrument."""
A_DAY = 1.5
"""Points a day from which a series is intraday: a day on which the clocks change may have two."""
SHOWN_ROWS = 3
EXAMPLE_ROWS, EXAMPLE_CHARACTERS = 3, 24
EXAMPLES_WITHIN = 2_000
"""Rows under the header in which filled cells are looked for."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What a file says. Without points when it has mistakes."""

    name: str
    seems: str = ""
    """What the file seems to be."""
    kind: str = ""
    """nav, returns, prices, index or rates."""
    header: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    """What each column of the header is (one of mapping.ROLES); "" where it is left out."""
    examples: tuple[tuple[str, ...], ...] = ()
    """The first filled cells under each column's name, as they are written."""
    date_order: str = ""
    """Order of day, month and year; empty where each date tells it itself."""
    decimal: str = ""
    thousands: str = ""
    unit: str = ""
    """Of returns and rates: percent or ratio."""
    is_total_return: bool = False
    """Whether the file says that dividends are in its prices or returns."""
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    """Names of all sheets of a workbook."""
    points: Points | None = None
    frequencies: tuple[str, ...] = ()
    """How often each name of the points has one."""
    currencies: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    """What was left out, and what was taken for granted."""
    doubts: tuple[Doubt, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    asks: tuple[str, ...] = ()
    """Fields of a Mapping that would settle what the file leaves open."""
    remedy: str = ""
    said: Mapping = field(default_factory=Mapping)
    """What a person said of it now, and of files like it before."""

    @property
    def first(self) -> int:
        """Return the epoch seconds of the earliest point, 0 when there is none."""
        return int(self.points.ts.min()) if self.points is not None else 0

    @property
    def last(self) -> int:
        """Return the epoch seconds of the latest point, 0 when there is none."""
        return int(self.points.ts.max()) if self.points is not None else 0

    def mapping(self) -> Mapping:
        """Return everything that was understood, as if it had been said: it is remembered for the next such file."""
        return Mapping(
            self.said.portfolio,
            self.kind,
            self.date_order,
            self.decimal,
            self.thousands if self.thousands != self.decimal else "",
            self.unit,
            self.said.currency,
            self.said.sheet,
            self.said.columns,
        )

    def check(self, accept: bool = False) -> Points:
        """Return the points. Raises ImportRejected for mistakes, ImportDoubted for doubts that nobody accepts."""
        if self.mistakes or self.points is None:
            raise ImportRejected(self.name, self.mistakes, self.seems, self.remedy)
        if self.doubts and not accept:
            told = [doubt.mistake() for doubt in self.doubts]
            raise ImportDoubted(self.name, told, f"{self.seems}, and hard to believe", _CONFIRM)
        return self.points

    def lines(self) -> list[str]:
        """Return what was understood, a sentence a line, for a person to read."""
        if self.points is None:
            return ImportRejected(self.name, self.mistakes, self.seems, self.remedy).lines()
        kinds = {"nav": "NAV", "index": "returns (of an instrument)", "rates": "rates (percent a year)"}
        names = [f"{name} ({often})" for name, often in zip(self.points.names, self.frequencies, strict=True)]
        roles = zip(self.header, self.roles, strict=True)
        columns = [f"{name} = {role}" for name, role in roles if role not in ("", "skip")]
        written = [
            f"date order {self.date_order}" if self.date_order else "",
            f"decimal mark {self.decimal}" if self.decimal else "",
            f"in {self.unit}" if self.unit == "percent" else "as ratios" if self.unit else "",
        ]
        span = f"{count(len(self.points), 'point')}, {day(self.first)} to {day(self.last)}"
        told = [
            f"{self.name}: {self.seems}",
            f"{kinds.get(self.kind, self.kind)} of {', '.join(names)}; {span}",
            f"columns: {', '.join(columns)}; {', '.join(filter(None, written))}",
            *(f"currency of {name}: {currency}" for name, currency in self.currencies),
            *self.notes,
            *self.rows(),
        ]
        return told + [f"doubt: {doubt.mistake()}" for doubt in self.doubts]

    def rows(self) -> list[str]:
        """Return the first and the last points as texts."""
        if self.points is None:
            return []
        count = len(self.points)
        places = [*range(min(SHOWN_ROWS, count)), *range(max(count - SHOWN_ROWS, SHOWN_ROWS), count)]
        return [_row(self.points, at) for at in places]


def understand(
    name: str,
    content: bytes | None,
    said: Mapping,
    now: float,
    recall: Recall = lambda header, name: Mapping(),
    look_around: LookAround = lambda points, kind: {},
) -> Understood:
    """Return what a file says. None stands for content too large to read; `now` is in epoch seconds."""
    if content is None:
        reason = f"it is larger than {LARGEST_BYTES // 2**20} MiB"
        return Understood(name, mistakes=(Mistake(reason),), remedy="Split it.")
    try:
        seems, sheets = read_content(content)
    except Unreadable as error:
        return Understood(name, error.seems, mistakes=(Mistake(error.reason),), remedy=error.remedy)
    names = tuple(sheet.name for sheet in sheets if sheet.name)
    return replace(_of_sheets(name, seems, sheets, said, now, recall, look_around), sheets=names)


def _of_sheets(
    name: str, seems: str, sheets: Sequence[Sheet], said: Mapping, now: float, recall: Recall, look_around: LookAround
) -> Understood:
    """Return what the one sheet says that can be taken, or that was named."""
    tried = [_of_sheet(name, seems, sheet, said, now, recall, look_around) for sheet in _wanted(sheets, said)]
    if not tried:
        told = ", ".join(shown(sheet.name) for sheet in sheets)
        reason = f"there is no sheet {shown(said.sheet)}: it has {told}"
        return Understood(name, seems, mistakes=(Mistake(reason),), asks=("sheet",), remedy="Name one with --sheet.")
    understood = [each for each in tried if each.kind or each.points is not None]
    if len(understood) > 1:
        told = ", ".join(shown(each.sheet) for each in understood)
        reason = f"each of its sheets {told} can be meant: say --sheet NAME"
        return Understood(name, seems, mistakes=(Mistake(reason),), asks=("sheet",), remedy=_SAY)
    return (understood or tried)[0]


def stem_of(name: str) -> str:
    """Return what files of one kind have in common in their names: letters, without dates, numbers and signs."""
    stem = PurePath(name).name.split(".")[0]
    return re.sub(r"[\d\W_]+", " ", stem.lower()).strip()


def header_key(header: Sequence[str]) -> str:
    """Return what files with the same header have in common: its words, in order."""
    return "|".join(word_of(name) for name in header)


def day(ts: int) -> str:
    """Return the UTC day of a moment."""
    return datetime.fromtimestamp(ts, UTC).date().isoformat()


_CONFIRM = "Look at these rows. If they are right, confirm them: --accept."
_SAY = "Say it, and import the file again."
_CORRECT = "Correct these lines, and import the file again."


def _wanted(sheets: Sequence[Sheet], said: Mapping) -> list[Sheet]:
    return [sheet for sheet in sheets if not said.sheet or sheet.name == said.sheet]


def _of_sheet(
    name: str, seems: str, sheet: Sheet, said: Mapping, now: float, recall: Recall, look_around: LookAround
) -> Understood:
    """Return what a sheet says; without a kind when it does not look like one that can be taken."""
    at = header_row(sheet)
    if at is None:
        if len(sheet.rows[0]) == 1:
            reason = "it has one column only: separate columns with commas, semicolons, tabs or bars"
        else:
            reason = f"no line names the columns: the first must, such as {','.join(COLUMNS)}"
        return Understood(name, seems, sheet=sheet.name, mistakes=(Mistake(reason),), remedy="Add a header.")
    header = header_of(sheet, at)
    recalled = recall(header, name)
    # Kind and columns are as they were said; marks, orders and units that a file tells itself are as it tells them.
    meant = said.over(Mapping(recalled.portfolio, recalled.kind, currency=recalled.currency, columns=recalled.columns))
    mistakes = Mistakes()
    shape = find_shape(sheet, at, meant, mistakes)
    reading = _read(sheet, shape, said, meant, recalled, mistakes) if shape else None
    facts = Understood(name, seems, sheet=sheet.name, header=header, examples=_examples(sheet, at, header), said=meant)
    kind = shape.kind if shape else ""
    if shape is None or reading is None:
        told, asks = mistakes.found(), tuple(mistakes.asks)
        return replace(facts, kind=kind, mistakes=told, asks=asks, remedy=_remedy(name, mistakes))
    around = look_around(reading.points, kind)
    return replace(
        facts,
        kind=kind,
        roles=shape.roles,
        date_order=reading.date_order,
        decimal=reading.marks.decimal,
        thousands=reading.marks.thousands,
        unit=reading.unit,
        is_total_return=shape.is_total_return,
        points=reading.points,
        frequencies=_frequencies(reading.points),
        currencies=reading.currencies,
        notes=reading.notes,
        doubts=find_doubts(reading.points, kind, now, around),
    )


def _examples(sheet: Sheet, at: int, header: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    rows = sheet.rows[at + 1 : at + 1 + EXAMPLES_WITHIN]
    return tuple(_first_filled(rows, place) for place in range(len(header)))


def _first_filled(rows: Sequence[Sequence[Cell]], place: int) -> tuple[str, ...]:
    """Return the first cells of a column that have something in them: a cash flow is rare."""
    filled = (said for row in rows if place < len(row) and (said := _example(row[place])))
    return tuple(islice(filled, EXAMPLE_ROWS))


def _example(cell: Cell) -> str:
    return "" if cell is None else cut(str(cell).strip(), EXAMPLE_CHARACTERS)


def _read(
    sheet: Sheet, shape: Shape, said: Mapping, meant: Mapping, recalled: Mapping, mistakes: Mistakes
) -> Reading | None:
    """Return the points of a sheet whose columns are known."""
    if said.portfolio and (shape.name is not None or any(header for _, header in shape.values)):
        mistakes.whole("the file names its portfolios itself: leave --portfolio out")
        return None
    named = replace(said, portfolio=meant.portfolio, currency=meant.currency)
    return read_points(sheet, shape, named, recalled, mistakes)


def _remedy(name: str, mistakes: Mistakes) -> str:
    """Return what to do about the mistakes."""
    suggested = PurePath(name).name.split(".")[0]
    if "portfolio" in mistakes.asks and PORTFOLIO_NAME.fullmatch(suggested):
        return f"{_SAY} The file's own name suggests --portfolio {shown(suggested)}."
    if mistakes.asks:
        return _SAY
    if any(each.first for each in mistakes.found()):
        return _CORRECT
    return f"Expected are columns such as {','.join(COLUMNS)} (flow may be absent)."


def _frequencies(points: Points) -> tuple[str, ...]:
    order = np.argsort(points.code, kind="stable")
    borders = np.searchsorted(points.code[order], np.arange(len(points.names) + 1))
    found = []
    for code in range(len(points.names)):
        ts = points.ts[order[borders[code] : borders[code + 1]]]
        found.append(_frequency(np.unique(ts // DAY_SECONDS).astype("datetime64[D]"), len(ts)))
    return tuple(found)


def _frequency(dates: Dates, points: int) -> str:
    """Return how often a series of so many points on these days comes, in words."""
    if points > A_DAY * len(dates):
        return "intraday"
    found = cadence_of(dates)
    if math.isinf(found.longest_days):
        return "too few to tell"
    return found.rhythm if found.rhythm != "irregular" else f"irregular, {number(found.periods, 1)} a year"


def _row(points: Points, at: int) -> str:
    ts = int(points.ts[at])
    moment = datetime.fromtimestamp(ts, UTC)
    when = moment.date().isoformat() if ts % DAY_SECONDS == 0 else f"{moment:%Y-%m-%d %H:%M:%S}Z"
    flow = f", flow {points.flow[at]:,.10g}" if points.flow[at] else ""
    return f"line {points.line[at]}: {when} {points.names[points.code[at]]} {points.value[at]:,.10g}{flow}"
