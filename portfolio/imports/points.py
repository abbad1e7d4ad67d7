"""The rows of a sheet as points: which portfolio or instrument, when, how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from core.currency import ISO_4217, pair_of
from core.format import count, noun
from core.ingest.kinds import KINDS
from portfolio.imports.columns import read_columns
from portfolio.imports.dates import Dates, read_dates
from portfolio.imports.headers import currency_of, is_per_share
from portfolio.imports.mapping import OF_INSTRUMENTS, PORTFOLIO_NAME, Mapping
from portfolio.imports.mistakes import Mistakes, shown
from portfolio.imports.numbers import Marks, Numbers, find_marks, is_empty, read_numbers
from portfolio.imports.shape import Shape, called
from portfolio.imports.sheet import MOST_ROWS, Cell, Column, Sheet

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = ("date", "portfolio", "nav", "flow")
"""Of a file as Fundwatch describes it: its numbers are written with a decimal point."""
VALUE_NAMES = {"nav": "nav", "returns": "return", "prices": "price", "index": "return", "rates": "rate"}
OF_RETURNS = ("returns", "index")
LOWEST_RATE = -100.0
RATIO_AT_MOST = 0.5
"""Largest return that is taken for a ratio without being told: 50 in a hundred. A typical one is a tenth of that."""
PER_SHARE = (
    "values are of one share or unit: returns are right, but what the portfolio is worth is not known, and its money "
    "and limits on money are of one share"
)
_SIGNS = {"€": "EUR", "£": "GBP"}


@dataclass(frozen=True, slots=True)
class Points:
    """n points of k portfolios or instruments, in the order of the file."""

    names: tuple[str, ...]
    code: NDArray[np.int64]
    """(n,): which name."""
    ts: NDArray[np.int64]
    """(n,): epoch seconds."""
    value: NDArray[np.float64]
    """(n,): NAV, price, return as a ratio, or rate in percent a year."""
    flow: NDArray[np.float64]
    """(n,): money in (+) and out (−)."""
    line: NDArray[np.int64]
    """(n,): where it stands in the file."""
    zone: NDArray[np.int64]
    """(n,): seconds east of UTC that its time is written in, NO_ZONE where none is."""

    def __len__(self) -> int:
        return len(self.ts)

    def take(self, at: NDArray[np.int64] | NDArray[np.bool_]) -> Points:
        """Return the points at these places."""
        arrays = {name: getattr(self, name)[at] for name in ("code", "ts", "value", "flow", "line", "zone")}
        return replace(self, **arrays)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the rows of a sheet hold, and how they were read."""

    points: Points
    marks: Marks
    date_order: str
    unit: str
    currencies: tuple[tuple[str, str], ...]
    """Portfolio and currency, of those whose currency the file tells."""
    notes: tuple[str, ...]
    """What was left out, and what was taken for granted."""


def read_points(sheet: Sheet, shape: Shape, said: Mapping, recalled: Mapping, mistakes: Mistakes) -> Reading | None:
    """Return the points of a sheet. None: there are none that can be taken, `mistakes` says why."""
    notes: list[str] = []
    columns, lines = read_columns(sheet, shape, mistakes, notes)
    if not len(lines):
        if not mistakes:
            mistakes.whole("there are no rows under the header")
        return None
    if len(lines) * len(shape.values) > MOST_ROWS:
        mistakes.whole(
            f"it has more than {MOST_ROWS:,} rows, or values of portfolios that stand side by side: split it"
        )
        return None
    dates = _dates(columns, lines, shape, said, recalled, mistakes)
    names, code = _names(columns, lines, shape, said.over(recalled), mistakes)
    numbers, marks = _numbers(columns, sheet, shape, said, recalled, mistakes)
    if numbers is None:
        return None
    unit = _unit(shape, numbers, said, recalled, mistakes) if shape.kind in (*OF_RETURNS, "rates") else ""
    currencies = _currencies(columns, lines, names, code, shape, numbers, said, mistakes)
    flow = _flow(numbers, lines, shape, mistakes, notes)
    parts = [
        _part(numbers[place], lines, dates, code if header == "" else number, flow, shape, unit, mistakes)
        for number, (place, header) in enumerate(shape.values)
    ]
    points = Points(names, *(_joined(arrays) for arrays in zip(*parts, strict=True)))
    skipped = len(lines) * len(shape.values) - len(points)
    if skipped and not mistakes:
        notes.append(f"{count(skipped, 'empty cell')} left out")
    if mistakes:
        return None
    points = _single(points, mistakes, notes)
    if not len(points):
        mistakes.whole("every value is empty")
    if mistakes:
        return None
    if shape.kind == "nav" and any(is_per_share(shape.header[place]) for place, _ in shape.values):
        notes.append(PER_SHARE)
    if shape.left_out:
        notes.append(f"columns left out: {', '.join(shape.left_out)}")
    return Reading(points, marks, dates.order, unit, currencies, tuple(notes))


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return arrays as one; a single one as it is: half a million points are 4 MB an array."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _dates(
    columns: dict[int, Column],
    lines: NDArray[np.int64],
    shape: Shape,
    said: Mapping,
    recalled: Mapping,
    mistakes: Mistakes,
) -> Dates:
    column = columns[shape.date]
    if shape.time is not None:
        timed = Column()
        for days, times in zip(column.parts(), columns[shape.time].parts(), strict=True):
            timed.add([_with_time(*pair) for pair in zip(days, times, strict=True)])
        column = timed
    return read_dates(column, lines, said.date_order, recalled.date_order, mistakes)


def _with_time(day: Cell, time: Cell) -> Cell:
    if is_empty(time):
        return day
    if isinstance(day, date):
        day = day.strftime("%Y-%m-%d")
    return f"{str(day).strip()} {str(time).strip()}"


def _names(
    columns: dict[int, Column], lines: NDArray[np.int64], shape: Shape, said: Mapping, mistakes: Mistakes
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the names, and which one each row has (of no use where each column has its own)."""
    nothing = np.zeros(len(lines), dtype=np.int64)
    if shape.name is None:
        names = tuple(header or called(said.portfolio, shape.kind) for _, header in shape.values)
        for name in names:
            if not name:
                or_nav = _OR.get(shape.kind, "")
                mistakes.whole(f"no column names the {_noun(shape)}: say --portfolio NAME{or_nav}", ["portfolio"])
            elif not PORTFOLIO_NAME.fullmatch(name):
                mistakes.whole(f"column {shown(name)} is {_NO_NAME}", ["columns"])
        return names, nothing
    known: dict[Cell, int] = {}
    code = np.fromiter((known.setdefault(cell, len(known)) for cell in columns[shape.name]), np.int64, len(lines))
    index: dict[str, int] = {}
    told = [called(_name(cell), shape.kind) for cell in known]
    places = np.array([index.setdefault(name, len(index)) for name in told], dtype=np.int64)
    wrong = [place for place, name in enumerate(told) if not PORTFOLIO_NAME.fullmatch(name)]
    at = np.flatnonzero(np.isin(code, wrong))
    cells = list(known)
    mistakes.add_many(f"{_noun(shape)} is {_NO_NAME}", lines[at].tolist(), lambda n: cells[code[at[n]]] or "")
    return tuple(index), places[code]


_NO_NAME = "no name: 1 to 64 letters, digits, spaces or _.&()/+'-"


_OR = {
    "prices": ", and --kind nav if it is a portfolio",
    "returns": ", and --kind index if it is an instrument, such as a benchmark",
}


def _noun(shape: Shape) -> str:
    return "instrument" if shape.kind in OF_INSTRUMENTS else "portfolio"


def _name(cell: Cell) -> str:
    """Return a name; one that a workbook holds as a number without its decimals."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def _numbers(
    columns: dict[int, Column], sheet: Sheet, shape: Shape, said: Mapping, recalled: Mapping, mistakes: Mistakes
) -> tuple[dict[int, Numbers] | None, Marks]:
    """Return the numbers of each column of values, flows and withdrawals, all written with the same marks."""
    moved = [place for place in (shape.flow, shape.withdrawal) if place is not None]
    places = [place for place, _ in shape.values] + moved
    as_described = sheet.separator == "," and _is_described(shape.header)
    found = Mistakes()
    marks = find_marks(
        [columns[place] for place in places],
        Marks(said.decimal, said.thousands),
        Marks(recalled.decimal, recalled.thousands),
        found,
        is_point_certain=as_described,
        are_shares=shape.kind in (*OF_RETURNS, "rates"),
    )
    for mistake in found.found():
        mistakes.whole(mistake.reason, found.asks)
    return None if found else {place: read_numbers(columns[place], marks) for place in places}, marks


def _is_described(header: Sequence[str]) -> bool:
    """Return whether a header is one that the documents describe: its numbers have a decimal point."""
    told = {name.lower() for name in header}
    if len(told) < len(header):
        return False
    rows = [{column.name for column in KINDS[kind].columns} for kind in ("nav", "prices")]
    return told == {*COLUMNS} or ("ts" in told and any(told <= known for known in rows))


def _unit(shape: Shape, numbers: dict[int, Numbers], said: Mapping, recalled: Mapping, mistakes: Mistakes) -> str:
    """Return whether returns are percent or ratios: by their sign or header, else by what they can be.

    Rates are percent unless it is said: 0.05 % is as usual as 5 %.
    """
    if shape.kind == "rates":
        return said.unit or recalled.unit or "percent"
    columns = [numbers[place] for place, _ in shape.values]
    signed = np.concatenate([column.percent[~column.empty & ~column.wrong] for column in columns])
    if signed.any() or said.unit:
        if signed.any() and (not signed.all() or said.unit == "ratio"):
            mistakes.whole("some returns have a % sign and some have none", ["unit"])
        return said.unit or "percent"
    if shape.is_percent:
        return "percent"
    if recalled.unit:
        return recalled.unit
    size = np.abs(np.concatenate([column.values[~np.isnan(column.values)] for column in columns]))
    if size.size and (size.max() > RATIO_AT_MOST or np.median(size) > RATIO_AT_MOST / 10):
        largest = size.max()
        told_as = f"returns as large as {largest:g} can be {largest:g} % or {largest * 100:g} %"
        mistakes.whole(f"{told_as}: say --unit percent or --unit ratio", ["unit"])
    return "ratio"


def _flow(
    numbers: dict[int, Numbers], lines: NDArray[np.int64], shape: Shape, mistakes: Mistakes, notes: list[str]
) -> NDArray[np.float64]:
    """Return the money that moved in each row: none where the cell is empty."""
    flow = np.zeros(len(lines))
    if shape.kind != "nav":
        return flow
    for place, sign in ((shape.flow, 1.0), (shape.withdrawal, -1.0)):
        if place is None:
            continue
        column = numbers[place]
        _tell_wrong(column, "flow", lines, mistakes)
        amounts = np.nan_to_num(column.values)
        # Money that was withdrawn is written with and without its minus.
        flow += amounts if sign > 0 else -np.abs(amounts)
        if column.empty.any():
            notes.append(
                f"{shown(shape.header[place])} is empty in {count(int(column.empty.sum()), 'row')}: no money moved"
            )
    return flow


def _tell_wrong(column: Numbers, name: str, lines: NDArray[np.int64], mistakes: Mistakes) -> None:
    at = np.flatnonzero(column.wrong | (column.percent & (name not in ("return", "rate"))))
    reason = f"{name} is no number such as 1250000.50"
    mistakes.add_many(reason, lines[at].tolist(), lambda n: column.cells[int(at[n])] or "")


def _part(
    column: Numbers,
    lines: NDArray[np.int64],
    dates: Dates,
    code: NDArray[np.int64] | int,
    flow: NDArray[np.float64],
    shape: Shape,
    unit: str,
    mistakes: Mistakes,
) -> tuple[NDArray[np.int64] | NDArray[np.float64], ...]:
    """Return the points of one column of values, without its empty cells, as arrays in the order of Points."""
    name = VALUE_NAMES[shape.kind]
    _tell_wrong(column, name, lines, mistakes)
    values = _in_unit(column.values, shape.kind, unit)
    codes = np.broadcast_to(np.asarray(code, dtype=np.int64), lines.shape)
    if shape.kind == "nav":
        _tell(values < 0, "nav is negative", values, lines, mistakes)
    elif shape.kind == "rates":
        _tell(values <= LOWEST_RATE, "rate is −100 % a year or less", values, lines, mistakes)
    elif shape.kind == "prices":
        _tell(values <= 0, "price is zero or negative", values, lines, mistakes)
    else:
        _tell(values <= -1, "return is −100 % or less", values, lines, mistakes)
    if shape.kind == "nav" and not any(header for _, header in shape.values):
        _tell(column.empty, "nav is empty", None, lines, mistakes)
    elif shape.kind in OF_RETURNS and column.empty.any():
        # The first return of a series is often written, and empty: there is nothing before it.
        begun = np.array(_begun(codes, dates.ts, column.empty), dtype=np.bool_)
        ends = not any(header for _, header in shape.values)
        _tell(column.empty & begun & ends, "return is empty", None, lines, mistakes)
    arrays = (codes, dates.ts, values, flow, lines, dates.zone)
    return tuple(array[~column.empty] for array in arrays) if column.empty.any() else arrays


def _in_unit(values: NDArray[np.float64], kind: str, unit: str) -> NDArray[np.float64]:
    """Return returns as ratios, rates as percent."""
    if kind == "rates":
        return values * 100 if unit == "ratio" else values
    return values / 100 if unit == "percent" else values


def _begun(codes: NDArray[np.int64], ts: NDArray[np.int64], empty: NDArray[np.bool_]) -> list[bool]:
    """Return of each row whether its series has a value before it."""
    first: dict[int, int] = {}
    for code, moment, is_nothing in zip(codes.tolist(), ts.tolist(), empty.tolist(), strict=True):
        if not is_nothing:
            first[code] = min(first.get(code, moment), moment)
    return [moment > first.get(code, moment) for code, moment in zip(codes.tolist(), ts.tolist(), strict=True)]


def _tell(
    wrong: NDArray[np.bool_],
    reason: str,
    values: NDArray[np.float64] | None,
    lines: NDArray[np.int64],
    mistakes: Mistakes,
) -> None:
    at = np.flatnonzero(wrong)
    mistakes.add_many(reason, lines[at].tolist(), lambda n: "" if values is None else f"{values[at[n]]:g}")


def _currencies(
    columns: dict[int, Column],
    lines: NDArray[np.int64],
    names: Sequence[str],
    code: NDArray[np.int64],
    shape: Shape,
    numbers: dict[int, Numbers],
    said: Mapping,
    mistakes: Mistakes,
) -> tuple[tuple[str, str], ...]:
    """Return the currency of each portfolio that a person, a column, a header or a sign in its numbers tells."""
    if said.currency:
        return tuple((name, said.currency) for name in names)
    if shape.currency is not None:
        found: dict[str, str] = {}
        for row, cell in enumerate(columns[shape.currency]):
            text = _name(cell).upper()
            if text not in ISO_4217:
                mistakes.add("currency is none such as EUR", int(lines[row]), cell or "")
            elif found.setdefault(names[code[row]], text) != text:
                mistakes.add("a portfolio has two currencies", int(lines[row]), text)
        return tuple(found.items())
    told: list[tuple[str, str]] = []
    for place, header in shape.values:
        pair = pair_of(header) if shape.kind == "prices" else None
        named = pair.quote if pair else currency_of(shape.header[place])
        coins = {_SIGNS.get(coin, coin) for coin in numbers[place].money} | {named} - {""}
        if len(coins) > 1:
            mistakes.whole(f"amounts are in two currencies: {' and '.join(sorted(coins))}", ["currency"])
        elif coins and len(coin := next(iter(coins))) == 3:
            told += [(header, coin)] if header else [(name, coin) for name in names]
    return tuple(told)


def _single(points: Points, mistakes: Mistakes, notes: list[str]) -> Points:
    """Return the points without those that are there twice and say the same; others at one time are a mistake."""
    order = np.lexsort((points.line, points.ts, points.code))
    code, ts = points.code[order], points.ts[order]
    again = np.flatnonzero((code[1:] == code[:-1]) & (ts[1:] == ts[:-1])) + 1
    if not again.size:
        return points
    repeats: list[int] = []
    for at in again.tolist():
        here, before = order[at], order[at - 1]
        if points.value[here] == points.value[before] and not points.flow[here] and not points.flow[before]:
            repeats.append(int(here))
            continue
        moment = datetime.fromtimestamp(int(points.ts[here]), UTC).isoformat().removesuffix("+00:00")
        when = moment.removesuffix("T00:00:00")
        text = f"{points.names[points.code[here]]} at {when}, first in line {points.line[before]}"
        mistakes.add("repeats a time with another value", int(points.line[here]), text)
    if repeats:
        notes.append(
            f"{count(len(repeats), 'row')} that only {noun(len(repeats), 'repeats', 'repeat')} another one left out"
        )
    return points.take(np.setdiff1d(np.arange(len(points)), repeats))
