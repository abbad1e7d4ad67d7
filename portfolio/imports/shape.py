"""Which column is what: long (a row a portfolio and moment), wide (a column a portfolio), prices, returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.currency import pair_of
from portfolio.imports.dates import is_date
from portfolio.imports.headers import is_adjusted, is_percent, is_total_return, role_of
from portfolio.imports.mapping import Mapping
from portfolio.imports.mistakes import Mistakes, shown
from portfolio.imports.numbers import is_empty, is_number
from portfolio.imports.sheet import Cell, Sheet

HEADER_WITHIN = 30
"""Rows from the top within which the header is looked for."""
LOOKED_AT = 400
"""Rows by which it is judged what a column without a known header holds."""
_UNNAMED = ("", "unnamed: 0", "__index_level_0__")
"""How tables written without a name for their index call it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the columns of a sheet are, by their place."""

    kind: str
    header: tuple[str, ...]
    roles: tuple[str, ...]
    """What each column is; "" where it holds nothing."""
    first_row: int
    """Where the rows under the header begin."""
    date: int
    values: tuple[tuple[int, str], ...]
    """Columns of values, each with the portfolio that its header names; "" where another column, or nothing, does."""
    time: int | None = None
    name: int | None = None
    flow: int | None = None
    withdrawal: int | None = None
    currency: int | None = None
    is_percent: bool = False
    is_total_return: bool = False
    """Whether the header says that dividends are in the prices or returns."""
    left_out: tuple[str, ...] = ()

    @property
    def places(self) -> list[int]:
        """Return the places of the columns that are read."""
        single = (self.date, self.time, self.name, self.flow, self.withdrawal, self.currency)
        return sorted({*(place for place, _ in self.values), *(place for place in single if place is not None)})

    @property
    def width(self) -> int:
        """Return how many columns a row has; what is to the right of them is empty."""
        return len(self.header)


def header_row(sheet: Sheet) -> int | None:
    """Return which row names the columns; None: none does."""
    rows = sheet.rows[:HEADER_WITHIN]
    for at, row in enumerate(rows):
        names = [cell for cell in row if not is_empty(cell)]
        if len(names) > 1 and any(role_of(_text(cell)) == "date" for cell in names) and not any(map(is_date, names)):
            return at
    for at, row in enumerate(rows[:-1]):
        is_head = sum(not is_empty(cell) for cell in row) > 0 and not any(is_date(c) or _is_value(c) for c in row if c)
        unnamed = [place for place, cell in enumerate(row) if _text(cell).lower() in _UNNAMED]
        if is_head and any(is_date(_at(rows[at + 1], place)) for place in unnamed):
            return at
    for at, row in enumerate(rows[:-1]):
        # A first column of dates whose name is none that is known.
        is_head = all(isinstance(cell, str) and not is_date(cell) and not _is_value(cell) for cell in row[:2])
        if is_head and len(row) > 1 and is_date(_at(rows[at + 1], 0)):
            return at
    return None


def header_of(sheet: Sheet, at: int) -> tuple[str, ...]:
    """Return the names of the columns, those to the right that name nothing left out."""
    names = [_text(cell) for cell in sheet.rows[at]]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def find_shape(sheet: Sheet, at: int, said: Mapping, mistakes: Mistakes) -> Shape | None:
    """Return what the columns are, row `at` naming them. None: they lack something, which is added to `mistakes`."""
    header = header_of(sheet, at)
    below = sheet.rows[at + 1 : at + 1 + LOOKED_AT]
    roles = [_role(place, name, said, below, mistakes) for place, name in enumerate(header)]
    _check_said(header, said, mistakes)
    dates, times = _places(roles, "date"), _places(roles, "time")
    if not dates:
        dates, times = times, []
    if not dates:
        mistakes.whole(f"no column is a date: {_listed(header)}", ["columns"])
    names = _names(roles, header, mistakes)
    value = _value(roles, header, said, mistakes)
    for role in ("date", "time", "flow", "withdrawal", "currency"):
        _check_once(role, roles, header, mistakes)
    numeric = [place for place in _places(roles, "") if header[place] and _is_numeric(below, place)]
    series = _places(roles, "series")
    if value is None:
        series += numeric
        if names and len(series) == 1:
            value, series = series[0], []
    elif numeric and not names:
        told = _listed([header[place] for place in numeric])
        example = header[numeric[0]]
        mistakes.whole(
            f"beside {shown(header[value])} there are columns of numbers that their header does not tell: {told}: "
            f"say what each is: --column '{example}=flow' (money in and out), --column '{example}=series' "
            f"(a portfolio of its own) or --column '{example}=skip'",
            ["columns"],
        )
    if value is None and not series:
        mistakes.whole(f"no column holds values (nav, return or price): {_listed(header)}", ["columns"])
    if series and names:
        told = _listed([header[place] for place in series])
        mistakes.whole(f"there is a column of portfolios, and columns that can be portfolios: {told}", ["columns"])
    if mistakes:
        return None
    kind = _kind(said, roles, value, names, [header[place] for place in series])
    places = [] if value is None else [(value, "")]
    places += [(place, called(header[place], kind)) for place in sorted(series)]
    used = {*dates[:1], *(place for place, _ in places), *times[:1], *names[:1]}
    used |= {at for role in ("flow", "withdrawal", "currency") for at in _places(roles, role)}
    return Shape(
        kind=kind,
        header=header,
        roles=_roles_used(roles, places, used),
        first_row=at + 1,
        date=dates[0],
        values=tuple(places),
        time=_first(times),
        name=_first(names),
        flow=_first(_places(roles, "flow")),
        withdrawal=_first(_places(roles, "withdrawal")),
        currency=_first(_places(roles, "currency")),
        is_percent=any(is_percent(header[place]) for place, _ in places),
        is_total_return=all(is_total_return(header[place]) for place, _ in places),
        left_out=tuple(name for place, name in enumerate(header) if place not in used and name),
    )


def _role(place: int, name: str, said: Mapping, below: Sequence[Sequence[Cell]], mistakes: Mistakes) -> str:
    """Return what a column is; "" when neither a person nor its header tells."""
    told = dict(said.columns).get(name)
    if told:
        return told
    if name.lower() in _UNNAMED or (place == 0 and role_of(name) is None):
        if any(is_date(_at(row, place)) for row in below[:3]):
            return "date"
        if name or all(is_empty(_at(row, place)) for row in below):
            return ""
        numbered = [_at(row, place) for row in below[:50]]
        if place == 0 and all(is_number(cell) for cell in numbered):
            return "skip"
        mistakes.whole(f"column {place + 1} has no name: give it one")
    return role_of(name) or ""


def _check_said(header: Sequence[str], said: Mapping, mistakes: Mistakes) -> None:
    for name, _ in said.columns:
        if name not in header:
            mistakes.whole(f"there is no column {shown(name)}: the header has {_listed(header)}", ["columns"])


def _names(roles: Sequence[str], header: Sequence[str], mistakes: Mistakes) -> list[int]:
    """Return where the portfolios' names stand, or the instruments'."""
    portfolios, instruments = _places(roles, "portfolio"), _places(roles, "instrument")
    if portfolios and instruments:
        told = _listed([header[place] for place in (*portfolios, *instruments)])
        mistakes.whole(f"it has columns of portfolios and of instruments ({told}): positions are not taken yet")
    if len(portfolios) > 1 or len(instruments) > 1:
        told = _listed([header[place] for place in (*portfolios, *instruments)])
        mistakes.whole(f"{told} can each be the portfolio: say which not: --column 'NAME=skip'", ["columns"])
    return portfolios or instruments


def _value(roles: Sequence[str], header: Sequence[str], said: Mapping, mistakes: Mistakes) -> int | None:
    """Return the column of values: the kind that was said, else NAV before returns before prices."""
    prices = _places(roles, "price")
    adjusted = [place for place in prices if is_adjusted(header[place])]
    found = {role: _places(roles, role) for role in ("nav", "return", "rate")} | {"price": adjusted or prices}
    wanted = {
        "returns": ("return",),
        "index": ("return",),
        "prices": ("price", "nav", "rate"),
        "rates": ("rate", "return", "price", "nav"),
        "nav": ("nav", "price"),
        "": ("nav", "price", "return", "rate"),
    }[said.kind]
    places = next((found[role] for role in wanted if found[role]), [])
    if len(places) > 1:
        names = [header[place] for place in places]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            mistakes.whole(f"the header has {twice} twice", ["columns"])
        else:
            told = _listed(names)
            mistakes.whole(f"{told} can each be the value: say which not: --column '{names[1]}=skip'", ["columns"])
    return places[0] if places else None


def _kind(said: Mapping, roles: Sequence[str], value: int | None, names: Sequence[int], series: Sequence[str]) -> str:
    if said.kind:
        return said.kind
    if pair_of(said.portfolio) or (series and all(map(pair_of, series))):
        return "prices"
    of_instruments = bool(names) and roles[names[0]] == "instrument"
    role = "nav" if value is None else roles[value]
    if role == "price":
        return "nav" if names and not of_instruments else "prices"
    if role == "return":
        return "index" if of_instruments else "returns"
    return {"rate": "rates"}.get(role, "nav")


def called(name: str, kind: str) -> str:
    """Return what a portfolio or instrument of this name is called: a currency's price by its two letters' codes."""
    pair = pair_of(name) if kind == "prices" else None
    return str(pair) if pair else name.strip()


def _check_once(role: str, roles: Sequence[str], header: Sequence[str], mistakes: Mistakes) -> None:
    places = _places(roles, role)
    if len(places) > 1:
        told, other = _listed([header[place] for place in places]), header[places[1]]
        mistakes.whole(f"{told} can each be the {role}: say which not: --column '{other}=skip'", ["columns"])


def _roles_used(roles: Sequence[str], places: Sequence[tuple[int, str]], used: set[int]) -> tuple[str, ...]:
    series = {place for place, name in places if name}
    kept = [role if place in used else "skip" if role else "" for place, role in enumerate(roles)]
    return tuple("series" if place in series else role for place, role in enumerate(kept))


def _is_numeric(rows: Sequence[Sequence[Cell]], place: int) -> bool:
    return any(is_number(_at(row, place)) for row in rows)


def _is_value(cell: Cell) -> bool:
    return is_number(cell) if not isinstance(cell, str) else bool(cell.strip()) and is_number(cell)


def _places(roles: Sequence[str], role: str) -> list[int]:
    return [place for place, each in enumerate(roles) if each == role]


def _first(places: Sequence[int]) -> int | None:
    return places[0] if places else None


def _at(row: Sequence[Cell], place: int) -> Cell:
    return row[place] if place < len(row) else None


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell).strip()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(shown(name) for name in names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
