"""What a person said of a file: how it is to be read where it does not say so itself."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields, replace

from core.currency import pair_of, unknown_currency

KINDS = ("nav", "returns", "prices", "index", "rates")
"""index: returns of an instrument, such as a benchmark; rates: interest, percent a year."""
OF_INSTRUMENTS = ("prices", "index", "rates")
"""Kinds whose names are instruments rather than portfolios."""
DATE_ORDERS = ("dmy", "mdy", "ymd")
DECIMALS = (".", ",")
THOUSANDS = (",", ".", "'", " ")
UNITS = ("percent", "ratio")
ROLES = (
    *("date", "time", "portfolio", "instrument", "nav", "price", "return", "rate"),
    *("flow", "withdrawal", "currency", "series", "skip"),
)
"""What a column can be. `series`: a portfolio of its own; `skip`: left out."""

PORTFOLIO_NAME = re.compile(r"[\w .&()/+'-]{1,64}")


def is_name(text: str) -> bool:
    """Return whether a portfolio or instrument can be called so: EURUSD=X is EURUSD."""
    return PORTFOLIO_NAME.fullmatch(text) is not None or pair_of(text) is not None


@dataclass(frozen=True, slots=True)
class Mapping:
    """How to read a file. An empty field: as the file says itself.

    Raises ValueError that names the field that cannot be, and what it can.
    """

    portfolio: str = ""
    """Name of its portfolio, or instrument, when no column names it."""
    kind: str = ""
    date_order: str = ""
    decimal: str = ""
    thousands: str = ""
    unit: str = ""
    """How returns, or rates, are written: percent (1.5 is 1.5 %) or ratio (0.015 is)."""
    currency: str = ""
    sheet: str = ""
    """Which sheet of a workbook."""
    columns: tuple[tuple[str, str], ...] = ()
    """Header and role of columns that their header does not tell."""

    def __post_init__(self) -> None:
        for name, allowed in _ALLOWED.items():
            value = getattr(self, name)
            if value and value not in allowed:
                shown = ", ".join(repr(each) if each in THOUSANDS else each for each in allowed)
                raise ValueError(f"{name.replace('_', '-')} {value!r}: give one of {shown}")
        if self.decimal and self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}: they are two marks")
        if self.portfolio and not is_name(self.portfolio):
            raise ValueError(f"portfolio {self.portfolio!r}: give 1 to 64 letters, digits, spaces or _.&()/+'-")
        if self.currency and not re.fullmatch(r"[A-Z]{3}", self.currency):
            raise ValueError(f"currency {self.currency!r}: give three capitals such as EUR")
        if unknown := unknown_currency(self.currency):
            raise ValueError(f"currency {self.currency!r}: {unknown}")
        wrong = [role for _, role in self.columns if role not in ROLES]
        if wrong:
            raise ValueError(f"column role {wrong[0]!r}: give one of {', '.join(ROLES)}")

    def over(self, other: Mapping) -> Mapping:
        """Return this one with what it leaves open taken from `other`."""
        said = {field.name: getattr(self, field.name) for field in fields(self) if getattr(self, field.name)}
        marks = {"decimal", "thousands"}
        if marks & said.keys():
            other = replace(other, decimal="", thousands="")
        return replace(other, **said)

    def to_json(self) -> str:
        """Return what is said as JSON."""
        return json.dumps({name: value for name, value in asdict(self).items() if value}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Mapping:
        """Return what `to_json` wrote. Raises ValueError for what no mapping can be."""
        said = json.loads(text)
        known = {field.name for field in fields(cls)}
        if not isinstance(said, dict) or not said.keys() <= known:
            raise ValueError(f"no mapping: give an object with some of {', '.join(sorted(known))}")
        columns = said.pop("columns", [])
        if not all(isinstance(value, str) for value in said.values()):
            raise ValueError("no mapping: every value but columns is a text")
        return cls(**said, columns=tuple((str(header), str(role)) for header, role in columns))


_ALLOWED = {
    "kind": KINDS,
    "date_order": DATE_ORDERS,
    "decimal": DECIMALS,
    "thousands": THOUSANDS,
    "unit": UNITS,
}
