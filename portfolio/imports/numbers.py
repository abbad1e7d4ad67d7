"""Numbers as people write them: which mark is the decimal one, which groups thousands, and the values.

A mark is found out from numbers that can be read in one way only: 1.234,56 and 0,5 and 1'000. Where every number of a
file can be read in two ways (1,234 is 1234 or 1.234), it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from core.currency import CURRENCIES
from portfolio.imports.mistakes import Mistakes, shown
from portfolio.imports.sheet import Cell, Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

EMPTY = frozenset({"", "-", "–", "—", ".", "n/a", "na", "#n/a", "#na", "#n/a n/a", "nan", "null", "none", "nil"})
_MONEY = rf"[€$£¥]|{'|'.join(CURRENCIES)}"
_NUMBER = re.compile(
    rf"(?P<open>\()?(?P<sign>[+-])?\s*(?P<money>{_MONEY})?\s*(?P<sign2>[+-])?"
    r"(?P<body>(?:\d[\d.,' ]*|[.,]\d+))(?P<power>[eE][+-]?\d+)?\s*(?P<unit>%)?\s*"
    rf"(?P<money2>{_MONEY})?(?P<close>\))?",
    re.ASCII,
)
_SIGNS = str.maketrans({"−": "-", "’": "'", "`": "'", "´": "'", "\u00a0": " ", "\u202f": " ", "\u2009": " "})
_NOT_PLAIN = re.compile(r"[^0-9.\n+\-eE]")
_CERTAIN_POINT = re.compile(r"^[+-]?(?:\d{4,}|0\d*)?\.\d|^[+-]?\d+\.(?:\d{0,2}|\d{4,})$|\.\d+[eE]", re.MULTILINE)
_LONE = re.compile(r"(\d*)([.,])(\d*)")


@dataclass(frozen=True, slots=True)
class Marks:
    """The decimal mark, and the marks that may group thousands."""

    decimal: str = "."
    thousands: str = ""


@dataclass(slots=True)
class _Evidence:
    """What the numbers seen so far tell: a mark, and the text that told it."""

    decimal: dict[str, str] = field(default_factory=dict)
    thousands: dict[str, str] = field(default_factory=dict)
    either: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The values of a column (NaN where there is none), which cells are empty, wrong, and written with a % sign."""

    cells: Column
    values: NDArray[np.float64]
    empty: NDArray[np.bool_]
    wrong: NDArray[np.bool_]
    percent: NDArray[np.bool_]
    money: frozenset[str] = frozenset()
    """Signs of currencies that stand in it."""


def find_marks(
    columns: Sequence[Column],
    said: Marks,
    recalled: Marks,
    mistakes: Mistakes,
    is_point_certain: bool = False,
    are_shares: bool = False,
) -> Marks:
    """Return the marks of the numbers in `columns`, which are read with the same ones.

    What is said holds; what is recalled, or `is_point_certain`, decides where the file tells nothing. Rates and returns
    (`are_shares`) are never in thousands: their only mark is the decimal one. A file that tells two things, or leaves
    it open, is a mistake.
    """
    if said.decimal and said.thousands:
        return said
    found = _Evidence()
    for column in columns:
        for cells in column.parts():
            _look(cells, found)
    if said.decimal or said.thousands:
        decimal = said.decimal or ("," if said.thousands == "." else "." if said.thousands == "," else "")
        if decimal:
            grouping = said.thousands or "".join(mark for mark in found.thousands if mark != decimal)
            return Marks(decimal, grouping or _other(decimal))
    if len(found.decimal) > 1 or found.decimal.keys() & found.thousands.keys() or len(found.thousands) > 1:
        texts = dict.fromkeys([*found.decimal.values(), *found.thousands.values()])
        told = " and ".join(shown(text) for text in list(texts)[:2])
        mistakes.whole(f"numbers are written in two ways, such as {told}", ["decimal", "thousands"])
        return Marks()
    for thousands in found.thousands:
        lone = next(iter(found.decimal), None) or (_other(thousands) if thousands in ".," else None)
        return Marks(lone or next(iter(found.either), "."), thousands)
    for decimal in found.decimal:
        return Marks(decimal, _other(decimal))
    if not found.either or recalled.decimal:
        decimal = recalled.decimal or "."
        return Marks(decimal, recalled.thousands or _other(decimal))
    if is_point_certain and "," not in found.either:
        return Marks(".", ",")
    mark, text = next(iter(found.either.items()))
    if are_shares and len(found.either) == 1:
        return Marks(mark, _other(mark))
    as_one, as_other = text.replace(mark, ""), text.replace(mark, ".")
    mistakes.whole(
        f"numbers such as {shown(text)} can be {as_one} or {as_other}: say --decimal . or --decimal ,", ["decimal"]
    )
    return Marks()


def read_numbers(column: Column, marks: Marks) -> Numbers:
    """Return the numbers of a column."""
    money: set[str] = set()
    read = [_read_part(cells, marks, money) for cells in column.parts()]
    values, empty, wrong, percent = (np.concatenate(arrays) for arrays in zip(*read, strict=True))
    return Numbers(column, values, empty, wrong, percent, frozenset(money))


def is_number(cell: Cell) -> bool:
    """Return whether a cell is a number in some way of writing."""
    if not isinstance(cell, str):
        return isinstance(cell, int | float) and not isinstance(cell, bool)
    return _NUMBER.fullmatch(cell.translate(_SIGNS).strip()) is not None


def is_empty(cell: Cell) -> bool:
    """Return whether a cell holds nothing, or what programs write for nothing."""
    return cell is None or (isinstance(cell, str) and cell.strip().lower() in EMPTY) or cell != cell


def _plain(cells: Sequence[Cell], marks: Marks) -> NDArray[np.float64] | None:
    """Return the values at once where every cell is a number as computers write it; None: not every cell is."""
    if marks.decimal != "." or not cells or not all(type(cell) is str for cell in cells):
        return None
    if _NOT_PLAIN.search("\n".join(cells)):  # type: ignore[arg-type]
        return None
    try:
        return np.fromiter(map(float, cells), dtype=np.float64, count=len(cells))  # type: ignore[arg-type]
    except ValueError:
        return None


def _read_part(cells: Sequence[Cell], marks: Marks, money: set[str]) -> tuple[NDArray[Any], ...]:
    """Return values, and which of them are empty, wrong, in percent; adds the signs of currencies to `money`."""
    plain = _plain(cells, marks)
    if plain is not None:
        nothing = np.zeros(len(cells), dtype=np.bool_)
        finite = np.isfinite(plain)
        return np.where(finite, plain, np.nan), nothing, ~finite, nothing
    known: dict[str, tuple[float, bool, bool, bool]] = {}
    rows = [_typed(cell) if not isinstance(cell, str) else _known(cell, marks, known, money) for cell in cells]
    values, *told = zip(*rows, strict=True)
    return np.array(values, dtype=np.float64), *(np.array(each, dtype=np.bool_) for each in told)


def _look(cells: Sequence[Cell], found: _Evidence) -> None:
    texts = [cell for cell in cells if type(cell) is str]
    joined = "\n".join(texts)
    if not _NOT_PLAIN.search(joined):
        certain = _CERTAIN_POINT.search(joined)
        if certain and not re.search(r"\.\d*\.", joined):
            found.decimal.setdefault(".", joined[certain.start() :].split("\n", 1)[0])
            return
        if "." not in joined:
            return
    for text in dict.fromkeys(texts):
        match = _NUMBER.fullmatch(text.translate(_SIGNS).strip())
        if match:
            _weigh(match["body"].strip(), bool(match["power"]), text, found)


def _weigh(body: str, has_power: bool, text: str, found: _Evidence) -> None:
    """Add what one number tells of the marks."""
    points, commas = body.count("."), body.count(",")
    grouping = next((mark for mark in "' " if mark in body), None)
    if grouping:
        found.thousands.setdefault(grouping, text)
    if points and commas:
        last = max(".,", key=body.rfind)
        found.decimal.setdefault(last, text)
        found.thousands.setdefault(_other(last), text)
        return
    mark = "." if points else "," if commas else None
    if mark is None:
        return
    if points + commas > 1:
        found.thousands.setdefault(mark, text)
        return
    lone = _LONE.fullmatch(body)
    if grouping or has_power or lone is None or len(lone[3]) != 3 or len(lone[1]) not in (1, 2, 3) or lone[1][0] == "0":
        found.decimal.setdefault(mark, text)
    else:
        found.either.setdefault(mark, text)


def _other(mark: str) -> str:
    return "," if mark == "." else "."


def _known(
    cell: str, marks: Marks, known: dict[str, tuple[float, bool, bool, bool]], money: set[str]
) -> tuple[float, bool, bool, bool]:
    if cell not in known:
        known[cell] = _read(cell, marks, money)
    return known[cell]


def _read(cell: str, marks: Marks, money: set[str]) -> tuple[float, bool, bool, bool]:
    """Return value, whether it is empty, whether it is wrong, whether it is in percent."""
    text = cell.translate(_SIGNS).strip()
    if text.lower() in EMPTY:
        return np.nan, True, False, False
    match = _NUMBER.fullmatch(text)
    body = match and _ungrouped(match["body"].strip(), marks)
    if not match or not body or (match["open"] is None) != (match["close"] is None):
        return np.nan, False, True, False
    signs = [sign for sign in (match["sign"], match["sign2"]) if sign]
    coins = {coin for coin in (match["money"], match["money2"]) if coin}
    value = float(body + (match["power"] or ""))
    if len(signs) > 1 or len(coins) > 1 or (match["open"] and signs) or not np.isfinite(value):
        return np.nan, False, True, False
    money |= coins
    is_negative = bool(match["open"]) or signs == ["-"]
    return -value if is_negative else value, False, False, match["unit"] is not None


def _ungrouped(body: str, marks: Marks) -> str:
    """Return a number's digits with a decimal point; empty when its groups are none of three digits."""
    whole, decimal, part = body.partition(marks.decimal)
    if decimal and not part.isdigit() and part:
        return ""
    for mark in {marks.thousands, "'", " "} - {""}:
        if mark in whole:
            first, *groups = whole.split(mark)
            if not (first.isdigit() and len(first) <= 3 and all(of.isdigit() and len(of) == 3 for of in groups)):
                return ""
            whole = whole.replace(mark, "")
    if not (whole.isdigit() or (not whole and part)):
        return ""
    return f"{whole or '0'}.{part or '0'}"


def _typed(cell: Cell) -> tuple[float, bool, bool, bool]:
    if cell is None or cell != cell:
        return np.nan, True, False, False
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not np.isfinite(cell):
        return np.nan, False, True, False
    return float(cell), False, False, False
