"""The forms of the page of benchmarks and rates: what a series is, a blend, the risk-free rate of a currency."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dash import html

from access.viewer import CHANGING_ROLE, Viewer
from core.currency import CASH
from core.errors import ChangeRejected
from dashboard.benchmarks.facts import Facts
from dashboard.benchmarks.tables import ID, KINDS
from dashboard.components.form import form, hidden, id_of_form, select_field, text_field
from dashboard.views.form import Form, Said, Sent
from portfolio.series.decide import (
    BLEND_FIELDS,
    BLENDED,
    RATED,
    SERIES,
    SERIES_FIELDS,
    UNBLENDED,
    decide,
    weight_text,
)
from storage.state.series import DAY_COUNTS, REBALANCINGS, Blend, Series

if TYPE_CHECKING:
    from storage.stores import Stores

PATH = "/benchmarks"
FEWEST_ROWS = 4
"""Rows for parts that the form of a blend has at least."""


def forms(stores: Stores) -> list[Form]:
    """Return what the page's forms do."""

    def do(make: Callable[[Sent, str], Said]) -> Callable[[Sent, Viewer], Said]:
        def told(sent: Sent, viewer: Viewer) -> Said:
            try:
                return make(sent, viewer.name)
            except ChangeRejected as error:
                # Parts are many fields: what is wrong with them together stands beside the button.
                parts = error.fields.pop("parts", "")
                return Said(" ".join(filter(None, (error.reason, parts))), is_done=False, fields=error.fields)

        return told

    def series(sent: Sent, who: str) -> Said:
        fields = {name: sent[name] for name in SERIES_FIELDS if name in sent.fields}
        return Said(decide(stores, SERIES, sent["symbol"], fields, who=who))

    def blend(sent: Sent, who: str) -> Said:
        fields = {name: sent[name] for name in BLEND_FIELDS if name in sent.fields and name != "parts"}
        return Said(decide(stores, BLENDED, sent["id"], fields, _parts(sent), who=who))

    def unblend(sent: Sent, who: str) -> Said:
        return Said(decide(stores, UNBLENDED, sent["id"], {}, who=who), goto=PATH)

    def rate(sent: Sent, who: str) -> Said:
        if sent["series"] and sent["rate"]:
            wrong = {"rate": "give a percent or a series, not both"}
            return Said("Nothing was changed.", is_done=False, fields=wrong)
        return Said(decide(stores, RATED, sent["currency"], {"rate": sent["series"] or sent["rate"]}, who=who))

    does = {"series": series, "blend": blend, "remove-blend": unblend, "risk-free": rate}
    return [Form(f"{PATH}/{name}", do(make), CHANGING_ROLE, is_shared=True) for name, make in does.items()]


def series_form(each: Series) -> html.Form:
    """Return the form of what a series is."""
    id = id_of_form(ID, "series", each.symbol)
    kinds = [(kind, name) for kind, name in KINDS.items() if kind != "fx" or each.kind == "fx"]
    days = [("", "usual for the currency"), *((each, each) for each in DAY_COUNTS)]
    parts = [
        text_field(id, "name", "Name", each.name),
        select_field(id, "kind", "Kind", kinds, each.kind, hint="Total return has the dividends in it."),
        text_field(id, "currency", "Currency", each.currency, hint="Such as EUR; empty: not known, never converted"),
    ]
    if each.kind == "rate":
        parts.append(select_field(id, "day_count", "Day count", days, each.day_count))
    parts.append(text_field(id, "note", "Note", each.note))
    return form(f"{PATH}/series", hidden("symbol", each.symbol), *parts, id=id, does="Save")


def blend_form(facts: Facts, each: Blend | None) -> html.Form:
    """Return the form of a blend, or of a new one."""
    id = id_of_form(ID, "blend", each.id if each else "")
    offered = [("", "none"), *((symbol, found.name) for symbol, found in facts.known.series.items()
                               if found.kind != "fx"), (CASH, "cash, at the risk-free rate")]  # fmt: skip
    parts = each.parts if each else ()
    rows = []
    for number in range(max(FEWEST_ROWS, len(parts) + 1)):
        symbol, weight = parts[number] if number < len(parts) else ("", 0.0)
        rows += [
            select_field(id, f"part{number}", f"Part {number + 1}", offered, symbol),
            text_field(id, f"weight{number}", f"Weight {number + 1}, %", weight_text(weight) if symbol else "",
                       inputmode="decimal"),
        ]  # fmt: skip
    days = [(name, name) for name in REBALANCINGS]
    return form(
        f"{PATH}/blend",
        hidden("id", each.id if each else ""),
        text_field(id, "name", "Name", each.name if each else "", hint="Such as 60/40"),
        select_field(id, "rebalancing", "Weights restored", days, each.rebalancing if each else "monthly"),
        text_field(id, "currency", "Currency", each.currency if each else "", hint="Empty: that of the portfolio"),
        html.Div(rows, className="fw-pairs"),
        html.P("The weights must sum to 100 %.", className="fw-field-hint"),
        id=id,
        does="Save" if each else "Add the blend",
        clears=each is None,
    )


def remove_form(each: Blend) -> html.Form:
    """Return the form that removes a blend."""
    return form(
        f"{PATH}/remove-blend",
        hidden("id", each.id),
        id=id_of_form(ID, "remove", each.id),
        does="Remove the blend",
        question=f"Remove {each.name}? Its parts stay.",
        is_dangerous=True,
    )


def rate_form(facts: Facts) -> html.Form:
    """Return the form of the risk-free rate of a currency."""
    id = f"{ID}-rate"
    series = [(symbol, f"{each.name}{f' ({each.currency})' if each.currency else ''}")
              for symbol, each in facts.known.series.items() if each.kind == "rate"]  # fmt: skip
    hint = "A year, such as 4.3; empty, and no series: none"
    return form(
        f"{PATH}/risk-free",
        text_field(id, "currency", "Currency", hint="Such as USD", options=facts.currencies),
        text_field(id, "rate", "Percent", hint=hint, inputmode="decimal"),
        select_field(id, "series", "Or a series of rates", [("", "none: the percent counts"), *series]),
        id=id,
        does="Set the rate",
        clears=True,
    )


def _parts(sent: Sent) -> list[tuple[str, str]]:
    """Return symbol and weight of the parts that were sent."""
    numbers = [name.removeprefix("part") for name in sent.fields if name.startswith("part") and name != "parts"]
    return [(sent[f"part{each}"], sent[f"weight{each}"] or "0") for each in numbers if sent[f"part{each}"]]
