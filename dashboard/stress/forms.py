"""The form of an own scenario, and what deletes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash import html

from access.viewer import Viewer
from core.errors import ChangeRejected
from core.format import first_of
from core.roles import Role
from dashboard.access.common import told
from dashboard.components.form import form, hidden, text_field
from dashboard.risk.bar import asked_of
from dashboard.stress.tables import ID, PATH
from dashboard.views.form import Form, Said, Sent
from dashboard.views.tab import Choices
from portfolio.scenarios import keep_scenario
from portfolio.stress import Stressed, stressed
from storage.state.scenarios import DATASET, NAME_CHARACTERS, NOT_DELETED, NOT_KEPT, delete_scenario

if TYPE_CHECKING:
    from storage.stores import Stores

MOST_NAMED = 12


def forms(stores: Stores) -> list[Form]:
    """Return what the page's forms do. Everybody sees a scenario: who is limited to some portfolios keeps none."""

    def keep(sent: Sent, viewer: Viewer) -> Said:
        choices = Choices.of({"portfolio": sent["portfolio"], "asof": sent["asof"]})
        asked = asked_of(stores, choices, viewer.portfolios, "all")
        if asked.book is None:
            raise ChangeRejected(NOT_KEPT, {"portfolio": f"{asked.nothing}: there is nothing that it could move"})
        made = keep_scenario(stores, stressed(stores, asked.book), sent.fields, viewer.name)
        return Said(f"{made.name} is kept, for everybody to see.")

    def delete(sent: Sent, viewer: Viewer) -> Said:
        if not sent["id"].isdecimal() or len(sent["id"]) > 15:
            raise ChangeRejected(NOT_DELETED, {"id": "it is none"})
        gone = delete_scenario(stores.state, int(sent["id"]), viewer.name, stores.clock.now())
        return Said(f"{gone.name} is deleted.")

    return [
        Form(f"{PATH}/{name}", told(stores, DATASET, do), Role.ANALYST, is_shared=True)
        for name, do in (("keep", keep), ("delete", delete))
    ]


def scenario_form(found: Stressed, key: str, as_of: str) -> html.Form:
    """Return the form of a scenario of what is held; key: of the portfolio."""
    id = f"{ID}-new"
    market = f"Percent of {found.benchmark}, by beta" if found.benchmark else "The portfolio has no benchmark"
    return form(
        f"{PATH}/keep",
        hidden("portfolio", key),
        hidden("asof", as_of),
        text_field(id, "name", "Name", hint="Everybody sees it.", maxlength=str(NAME_CHARACTERS)),
        text_field(id, "market", "Market", hint=f"{market}, such as -10."),
        text_field(id, "sectors", "Sectors", hint=_held(found.sectors())),
        text_field(id, "asset_classes", "Asset classes", hint=_held(found.asset_classes())),
        text_field(id, "strategies", "Strategies", hint=_held([*found.strategies().values()])),
        text_field(id, "currencies", "Currencies", hint=_held(found.foreign(), "no foreign currency")),
        id=id,
        does="Keep",
        clears=True,
        role=Role.ANALYST,
    )


def _held(names: list[str], nothing: str = "nothing that is told of") -> str:
    if not names:
        return f"Held is {nothing}."
    return f"Such as {names[0]} -10; of {first_of(names, MOST_NAMED)}."
