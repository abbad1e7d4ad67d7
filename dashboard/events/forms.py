"""The forms that write, change and delete a note, and what one can be about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import CHANGING_ROLE, Viewer
from core.errors import ChangeRejected
from core.events import NOTE, TEXT_CHARACTERS, collectors_of, component_title, tab_of
from core.roles import Role
from dashboard.access.common import told
from dashboard.components.form import form, hidden, long_field, moment_field, select_field, text_field
from dashboard.components.markup import markup
from dashboard.views.form import Form, Said, Sent
from dashboard.views.route import HTML, Answer, Route
from dashboard.views.tab import Choices
from portfolio.allowed import seen
from portfolio.chosen import find, key_now, key_of
from portfolio.events import DATASET, about, alter_event, delete_event, write_event
from storage.state.portfolios import list_portfolios

if TYPE_CHECKING:
    from storage.state.events import Event
    from storage.stores import Stores

ID = "events"
PATH = "/events"
EVERYTHING = "everything"
PORTFOLIO, COMPONENT = "portfolio:", "component:"
"""What a value begins with that says what an event is about."""
ON = "on"
"""Query parameter with the id of the page that a note is written on; its choices stand beside it."""


def forms(stores: Stores) -> list[Form]:
    """Return what the page's forms do."""

    def write(sent: Sent, viewer: Viewer) -> Said:
        content = {**_content(sent), "kind": NOTE}
        _in_form(lambda: write_event(stores, content, viewer.name, viewer.portfolios))
        return Said("Note written.")

    def change(sent: Sent, viewer: Viewer) -> Said:
        is_admin = viewer.role >= Role.ADMIN
        _in_form(
            lambda: alter_event(
                stores, _number(sent), _content(sent), viewer.name, viewer.portfolios, is_admin=is_admin
            )
        )
        return Said("Changed.")

    def delete(sent: Sent, viewer: Viewer) -> Said:
        is_admin = viewer.role >= Role.ADMIN
        event = delete_event(stores, _number(sent), viewer.name, viewer.portfolios, is_admin=is_admin)
        return Said(f"{event.kind.capitalize()} deleted.")

    does = {"write": write, "change": change, "delete": delete}
    return [Form(f"{PATH}/{name}", told(stores, DATASET, do), CHANGING_ROLE) for name, do in does.items()]


def form_route(stores: Stores) -> Route:
    """Return the route of the form of a note, as it stands in a dialog over the page that it is written on."""

    def answer(choices: Choices, viewer: Viewer) -> Answer:
        on = _about_page(stores, choices, viewer)
        return Answer(markup(note_form(stores, viewer, chosen=on, id=f"{ID}-note")), HTML)

    return Route(f"{PATH}/form", answer, CHANGING_ROLE)


def note_form(stores: Stores, viewer: Viewer, *, chosen: str = "", id: str) -> html.Form:
    """Return the form of a new note. chosen: what it is about, as `things` has it."""
    offered = things(stores, viewer)
    return form(
        f"{PATH}/write", *_parts(id, offered, chosen if chosen in offered else ""), id=id, does="Write", clears=True
    )


def change_form(stores: Stores, viewer: Viewer, event: Event) -> html.Form:
    """Return the form that changes an event."""
    form_id, chosen = f"{ID}-change-{event.id}", thing_of(event)
    offered = things(stores, viewer)
    offered = {chosen: about(event), **offered} if chosen not in offered else offered
    parts = _parts(form_id, offered, chosen, event)
    return form(f"{PATH}/change", hidden("id", str(event.id)), *parts, id=form_id, does="Save")


def delete_form(event: Event) -> html.Form:
    """Return the button that deletes an event."""
    question = f"Delete this {event.kind}? It goes from every chart; the audit keeps that it was there."
    return form(
        f"{PATH}/delete", hidden("id", str(event.id)), id=f"{ID}-delete-{event.id}", does="Delete",
        question=question, is_dangerous=True, role=CHANGING_ROLE,
    )  # fmt: skip


def things(stores: Stores, viewer: Viewer) -> dict[str, str]:
    """Return what somebody may write about: names of portfolios and components, and everything, by value of a field."""
    known = seen(list_portfolios(stores.state), viewer.portfolios)
    portfolios = {f"{PORTFOLIO}{key_of(each)}": each.name for each in known}
    if viewer.portfolios is not None:
        return portfolios
    components = {f"{COMPONENT}{name}": component_title(name) for name in collectors_of(stores.settings.watch)}
    return {"": EVERYTHING, **portfolios, **components}


def thing_of(event: Event) -> str:
    """Return what an event is about, as `things` has it."""
    return (
        f"{PORTFOLIO}{event.portfolio}" if event.portfolio else f"{COMPONENT}{event.component}" * bool(event.component)
    )


def _about_page(stores: Stores, choices: Choices, viewer: Viewer) -> str:
    """Return what a note on a page is about: the portfolio that it shows, or the instance that it shows alone."""
    if choices.get(ON) == "portfolio":
        known = seen(list_portfolios(stores.state), viewer.portfolios)
        shown = find(known, key_now(stores, known, choices.get("portfolio", "")))
        return f"{PORTFOLIO}{key_of(shown)}" if shown else ""
    instance = choices.get("instance", "")
    return f"{COMPONENT}{instance}" if tab_of(instance) == choices.get(ON) else ""


def _parts(form_id: str, offered: Mapping[str, str], chosen: str, event: Event | None = None) -> list[Any]:
    return [
        long_field(form_id, "text", "What", event.text if event else "", most=TEXT_CHARACTERS,
                   hint="What happened or was decided, and why."),
        moment_field(form_id, "at", "When", event.at if event else None,
                     hint="In your time." if event else "In your time; empty: now."),
        moment_field(form_id, "until", "Until", event.until if event else None, hint="Of a span; empty: a moment."),
        select_field(form_id, "about", "About", [*offered.items()], chosen,
                     hint="Its charts show the note. A note on a portfolio is for those who may see that."),
        text_field(form_id, "tags", "Tags", ", ".join(event.tags) if event else "",
                   hint="With commas between them, such as deploy, risk."),
    ]  # fmt: skip


def _content(sent: Sent) -> dict[str, Any]:
    """Return what a form says of an event, as core.events.EventContent takes it."""
    thing = sent["about"]
    return {
        "at": sent["at"] or None,
        "until": sent["until"] or None,
        "text": sent["text"],
        "tags": [each.strip() for each in sent["tags"].split(",") if each.strip()],
        "portfolio": thing.removeprefix(PORTFOLIO) if thing.startswith(PORTFOLIO) else "",
        "component": thing.removeprefix(COMPONENT) if thing.startswith(COMPONENT) else "",
    }


def _in_form(do: Any) -> None:
    """Do it, and tell what is wrong with a portfolio or component beside the field that says what it is about."""
    try:
        do()
    except ChangeRejected as error:
        names = {"portfolio": "about", "component": "about"}
        raise ChangeRejected(
            error.reason, {names.get(name, name): _sentence(said) for name, said in error.fields.items()}
        ) from error


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:].rstrip('.')}."


def _number(sent: Sent) -> int:
    return int(sent["id"]) if sent["id"].isdecimal() and len(sent["id"]) < 16 else 0
