"""The forms that try an own scenario, in the address alone, and keep it; and what deletes one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode

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
from dashboard.views.tab import MAX_CHOICE_CHARS, Choices
from portfolio.scenarios import NOT_TRIED, keep_scenario, read_scenario
from portfolio.stress import Stressed, stressed
from storage.state.scenarios import DATASET, MOVES, NAME_CHARACTERS, NOT_DELETED, NOT_KEPT, delete_scenario

if TYPE_CHECKING:
    from storage.stores import Stores

MOST_NAMED = 12


def forms(stores: Stores) -> list[Form]:
    """Return what the page's forms do. Everybody may try a scenario and sees those that are kept; who is limited to
    some portfolios keeps none.
    """

    def tried(sent: Sent, viewer: Viewer) -> Said:
        choices = Choices.parse(sent["query"])
        asked = asked_of(stores, choices, viewer.portfolios, "all")
        if asked.book is None:
            return Said(f"{NOT_TRIED} {asked.nothing}: there is nothing that it could move.", is_done=False)
        typed = {name: sent[name] for name in MOVES if sent[name]}
        too_long = {name: f"{MAX_CHOICE_CHARS} characters at most" for name, text in typed.items()
                    if len(text) > MAX_CHOICE_CHARS}  # fmt: skip
        if too_long:
            return Said(NOT_TRIED, is_done=False, fields=too_long)
        try:
            read_scenario(stressed(stores, asked.book), typed)
        except ChangeRejected as error:
            return Said(NOT_TRIED, is_done=False, fields=error.fields)
        return Said("Tried below: it stands in the address, and is not kept.", goto=_address(choices, typed))

    def keep(sent: Sent, viewer: Viewer) -> Said:
        choices = Choices.of({"portfolio": sent["portfolio"], "asof": sent["asof"]})
        asked = asked_of(stores, choices, viewer.portfolios, "all")
        if asked.book is None:
            raise ChangeRejected(NOT_KEPT, {"portfolio": f"{asked.nothing}: there is nothing that it could move"})
        made = keep_scenario(stores, stressed(stores, asked.book), sent.fields, viewer.name)
        query = sent["query"]
        goto = _address({**Choices.parse(query), "scenario": f"own:{made.id}"}, {}) if query else ""
        return Said(f"{made.name} is kept, for everybody to see.", goto=goto)

    def delete(sent: Sent, viewer: Viewer) -> Said:
        if not sent["id"].isdecimal() or len(sent["id"]) > 15:
            raise ChangeRejected(NOT_DELETED, {"id": "it is none"})
        gone = delete_scenario(stores.state, int(sent["id"]), viewer.name, stores.clock.now())
        return Said(f"{gone.name} is deleted.")

    return [
        Form(f"{PATH}/try", tried, Role.VIEWER),
        *(
            Form(f"{PATH}/{name}", told(stores, DATASET, do), Role.ANALYST, is_shared=True)
            for name, do in (("keep", keep), ("delete", delete))
        ),
    ]


def try_form(found: Stressed, choices: Choices) -> html.Form:
    """Return the form of a scenario of what is held, with what the address has of one: it changes nothing else."""
    id = f"{ID}-new"
    market = f"Percent of {found.benchmark}, by beta" if found.benchmark else "The portfolio has no benchmark"

    def field(name: str, label: str, hint: str) -> html.Div:
        return text_field(id, name, label, choices.get(name, ""), hint=hint)

    return form(
        f"{PATH}/try",
        hidden("query", choices.query),
        field("market", "Market", f"{market}, such as -10."),
        field("sectors", "Sectors", _held(found.sectors())),
        field("asset_classes", "Asset classes", _held(found.asset_classes())),
        field("strategies", "Strategies", _held([*found.strategies().values()])),
        field("currencies", "Currencies", _held(found.foreign(), "no foreign currency")),
        id=id,
        does="Try",
    )


def keep_form(key: str, choices: Choices) -> html.Form:
    """Return the form that keeps the scenario that the address has; key: of the portfolio."""
    id = f"{ID}-keep"
    return form(
        f"{PATH}/keep",
        hidden("query", choices.query),
        hidden("portfolio", key),
        hidden("asof", choices.get("asof", "")),
        *(hidden(name, choices.get(name, "")) for name in MOVES),
        text_field(id, "name", "Name", hint="Everybody sees it.", maxlength=str(NAME_CHARACTERS)),
        id=id,
        does="Keep",
        role=Role.ANALYST,
    )


def _address(choices: Mapping[str, str], typed: Mapping[str, str]) -> str:
    """Return the page with a scenario in its address, which is then the one that is shown."""
    left = {name: value for name, value in choices.items() if name not in MOVES and not (typed and name == "scenario")}
    return f"{PATH}?{urlencode({**left, **typed})}"


def _held(names: list[str], nothing: str = "nothing that is told of") -> str:
    if not names:
        return f"Held is {nothing}."
    return f"Such as {names[0]} -10; of {first_of(names, MOST_NAMED)}."
