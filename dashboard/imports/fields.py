"""The choices of how a file is read, as fields: what the file leaves open first, then all that can be changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from dash import html

from core.currency import CURRENCIES
from core.format import count
from dashboard.components.attributes import attributes
from dashboard.components.form import Input, select_field, text_field
from dashboard.imports.words import DATE_ORDERS, DECIMALS, KINDS, ROLES, THOUSANDS, UNITS
from portfolio.imports.headers import currency_of, role_of
from portfolio.imports.mapping import OF_INSTRUMENTS, PORTFOLIO_NAME
from portfolio.imports.points import OF_RETURNS
from portfolio.imports.understand import Understood

ID = "import"
MOST_COLUMNS = 100
"""Columns that are listed: a wide file may have thousands of portfolios side by side."""
MOST_OFFERED = 500
"""Names that are offered while one is typed."""


def questions(understood: Understood, known: Sequence[str]) -> list[Any]:
    """Return the fields that settle what the file leaves open, but for its columns, which are a table."""
    return [make(understood, known) for name, make in _FIELDS.items() if name in understood.asks]


def changes(understood: Understood, known: Sequence[str]) -> list[Any]:
    """Return the fields of everything else that can be changed."""
    wanted = {"kind", "date_order", "decimal", "thousands"} if understood.header else set()
    wanted |= {"currency"} if understood.kind else set()
    wanted |= {"unit"} if understood.kind in OF_RETURNS else set()
    wanted |= {"sheet"} if len(understood.sheets) > 1 else set()
    wanted |= {"portfolio"} if understood.said.portfolio else set()
    return [make(understood, known) for name, make in _FIELDS.items() if name in wanted - set(understood.asks)]


def columns(understood: Understood) -> html.Div:
    """Return the columns of the file: name, what it is, how its first filled cells are written."""
    told = dict(understood.said.columns)
    rows = [_column(understood, place, told) for place in range(min(len(understood.header), MOST_COLUMNS))]
    heads = [html.Th(text, scope="col", className="fw-text") for text in ("Column", "Is", "First cells")]
    table = html.Table(
        [
            html.Caption("Columns of the file", className="visually-hidden"),
            html.Thead(html.Tr(heads)),
            html.Tbody(rows),
        ],
        className="fw-table",
    )
    left = len(understood.header) - MOST_COLUMNS
    more = [html.P(f"And {count(left, 'more column')}.", className="fw-nothing")] if left > 0 else []
    return html.Div([table, *more], className="fw-table-box", tabIndex=0, role="group",
                    **attributes(aria_label="Columns of the file"))  # fmt: skip


def _column(understood: Understood, place: int, told: Mapping[str, str]) -> html.Tr:
    name = understood.header[place]
    role = understood.roles[place] if understood.roles else told.get(name) or role_of(name) or ""
    found = ROLES.get(role) or ("holds nothing" if understood.roles else "not known")
    cells = " · ".join(cell for cell in understood.examples[place] if cell) if understood.examples else ""
    choice: Any = found
    if name:
        offered = [("", f"as found: {found}" if name not in told else "as its header says"), *ROLES.items()]
        choice = html.Select(
            [html.Option(text, value=value, selected=value == told.get(name, "")) for value, text in offered],
            name="column",
            className="fw-field-input fw-import-role",
            **attributes(data_header=name, aria_label=f"What column {name} is"),
        )
    return html.Tr([html.Td(name or "–"), html.Td(choice), html.Td(cells or "–", className="fw-tone-muted")])


def suggested_name(understood: Understood) -> str:
    """Return the portfolio that the file's own name suggests; empty: none."""
    stem = PurePath(understood.name).name.split(".")[0]
    return stem if PORTFOLIO_NAME.fullmatch(stem) else ""


def _portfolio(understood: Understood, known: Sequence[str]) -> html.Div:
    what = "Instrument" if understood.kind in OF_INSTRUMENTS else "Portfolio"
    name, hint = suggested_name(understood), "Whose it is: no column says so."
    field = text_field(
        ID, "portfolio", what, understood.said.portfolio, hint=hint, options=known[:MOST_OFFERED], maxlength="64"
    )
    if name and name != understood.said.portfolio:
        use = html.Button(
            f"Use “{name}”, as the file is called",
            type="button",
            className="fw-choice-button",
            **attributes(data_import_name=name),
        )
        field.children.append(use)
    return field


def _kind(understood: Understood, _known: Sequence[str]) -> html.Div:
    found = KINDS.get(understood.kind, "not known yet")
    return _select("kind", "Kind", KINDS, understood.said.kind, f"as found: {found}")


def _date_order(understood: Understood, _known: Sequence[str]) -> html.Div:
    found = DATE_ORDERS.get(understood.date_order, "each date tells it")
    chosen = understood.said.date_order
    return _select("date_order", "Dates", DATE_ORDERS, chosen, _as_found(understood, "date_order", found))


def _decimal(understood: Understood, _known: Sequence[str]) -> html.Div:
    found = DECIMALS.get(understood.decimal, "none is used").split(":")[0]
    chosen = understood.said.decimal
    return _select("decimal", "Decimal mark", DECIMALS, chosen, _as_found(understood, "decimal", found))


def _thousands(understood: Understood, _known: Sequence[str]) -> html.Div:
    return _select("thousands", "Thousands mark", THOUSANDS, understood.said.thousands, "as the file tells")


def _unit(understood: Understood, _known: Sequence[str]) -> html.Div:
    found = UNITS.get(understood.unit, "not known").split(":")[0]
    return _select("unit", "Returns are", UNITS, understood.said.unit, _as_found(understood, "unit", found))


def _currency(understood: Understood, _known: Sequence[str]) -> html.Div:
    told = sorted({currency for _, currency in understood.currencies})
    hint = f"The file says {', '.join(told)}." if told and not understood.said.currency else ""
    if not told:
        named = {currency_of(name) for name in understood.header if role_of(name) in ("nav", "price")} - {""}
        hint = f"The file says {named.pop()}." if len(named) == 1 else "Not told: new portfolios are in USD."
    return text_field(
        ID, "currency", "Currency", understood.said.currency, hint=hint, options=CURRENCIES, maxlength="3"
    )


def _sheet(understood: Understood, _known: Sequence[str]) -> html.Div:
    found = understood.sheet or "not chosen"
    options = {name: name for name in understood.sheets}
    return _select("sheet", "Sheet", options, understood.said.sheet, f"as found: {found}")


_FIELDS = {
    "portfolio": _portfolio,
    "kind": _kind,
    "date_order": _date_order,
    "decimal": _decimal,
    "thousands": _thousands,
    "unit": _unit,
    "currency": _currency,
    "sheet": _sheet,
}


def _as_found(understood: Understood, name: str, found: str) -> str:
    if name in understood.asks:
        return "choose …"
    return "as the file tells" if understood.points is None else f"as found: {found}"


def _select(name: str, label: str, options: Mapping[str, str], chosen: str, found: str) -> html.Div:
    return select_field(ID, name, label, [("", found), *options.items()], chosen)


def confirm(name: str, label: str) -> html.P:
    """Return a box to tick before a file can be taken."""
    box = Input(type="checkbox", name=name, id=f"{ID}-{name}")
    return html.P(html.Label([box, " ", label], htmlFor=f"{ID}-{name}", className="fw-tick"))
