"""Setting limits on the page: the form, and what it and its neighbours do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dash import html

from core.alerts.severity import Severity
from core.errors import ChangeRejected
from core.portfolio_limits.figures import FIGURES, WRITE
from core.portfolio_limits.limit import EVERY, NOT_SAVED, NOTE_CHARACTERS, OPERATORS, PortfolioLimit
from core.roles import Role
from dashboard.access.common import told
from dashboard.components.form import form, hidden, select_field, text_field, tick
from dashboard.limits.tables import ID, PATH, limit_text
from dashboard.views.form import Form, Said, Sent
from portfolio.limits.change import LIMITS, delete, save, texts_of

if TYPE_CHECKING:
    from access.viewer import Viewer
    from storage.stores import Stores

FORM = f"{ID}-form"
EVERY_ONE = "*"
"""Value of the choice of every portfolio: nothing chosen is not everything."""
FIELDS = ("figure", "operator", "value", "of", "below", "warn", "severity", "note")


def forms(stores: Stores) -> list[Form]:
    """Return what the page's forms do. Limits are of all portfolios: who is limited to some may not send them."""

    def put(sent: Sent, viewer: Viewer) -> Said:
        if not sent["portfolio"]:
            raise ChangeRejected(NOT_SAVED, {"portfolio": "choose one"})
        given = {name: sent[name] for name in FIELDS}
        given["portfolio"] = EVERY if sent["portfolio"] == EVERY_ONE else sent["portfolio"]
        version = int(sent["version"]) if sent["version"].isdecimal() and len(sent["version"]) < 10 else 0
        done, hint = save(stores, given, viewer.name, id=sent["id"], version=version)
        of = done.portfolio or "every portfolio"
        return Said(f"Saved: {limit_text(done)} of {of}. It holds from now on. {hint}".strip())

    def remove(sent: Sent, viewer: Viewer) -> Said:
        done = delete(stores, sent["id"], viewer.name)
        return Said(f"Deleted: {limit_text(done)}.")

    does = {"set": put, "delete": remove}
    return [Form(f"{PATH}/{name}", told(stores, LIMITS, do), Role.ADMIN, is_shared=True) for name, do in does.items()]


def limit_form(names: Mapping[str, str], chosen: str, limit: PortfolioLimit | None) -> html.Form:
    """Return the form; names: of the fund's own portfolios by id. limit: the one that it changes; None: a new one."""
    was = texts_of(limit) if limit else {"portfolio": chosen, "operator": "at most", "severity": "critical"}
    portfolio = EVERY_ONE if limit and limit.portfolio == EVERY else was.get("portfolio", "")
    offered = [("", "Choose …"), (EVERY_ONE, "Every portfolio that has none of its own"), *names.items()]
    figures: Sequence[tuple[str, str]] = [("", "Choose …"), *((key, each.title) for key, each in FIGURES.items())]

    def field(name: str, label: str, hint: Any, **more: Any) -> html.Div:
        return text_field(FORM, name, label, was.get(name, ""), hint=hint, **more)

    return form(
        f"{PATH}/set", hidden("id", limit.id if limit else ""), hidden("version", str(limit.version) if limit else "0"),
        select_field(FORM, "portfolio", "Portfolio", offered, portfolio),
        select_field(FORM, "figure", "Limit on", figures, was.get("figure", "")),
        select_field(FORM, "operator", "Is", [(each, each) for each in OPERATORS], was["operator"]),
        field("value", "Value", f"With its unit: {', '.join(each.split(' such as ')[1] for each in WRITE.values())}."),
        field("of", "Of which", "An instrument, sector, asset class, currency or country; empty: the largest counts. "
              "Of a restricted list its instruments, with commas."),
        tick(FORM, "below", "Each portfolio below it too", is_ticked=bool(was.get("below"))),
        field("warn", "Warns from", "Use of the limit; empty: 80 %."),
        select_field(FORM, "severity", "Severity", [(each.word, each.word) for each in Severity], was["severity"],
                     hint="From critical on a breach is not safe to trade."),
        field("note", "Note", "Where it comes from.", maxlength=str(NOTE_CHARACTERS)),
        id=FORM, does="Save" if limit else "Set the limit", role=Role.ADMIN,
    )  # fmt: skip
