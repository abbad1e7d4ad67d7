"""Forms of rules: the editor, and what switches, deletes and exports one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
from dash import html

from access.viewer import Viewer
from core.alerts.check import WORDS
from core.alerts.expression import OPERATORS, WORKS
from core.alerts.kept import MOST_CHARACTERS
from core.alerts.rule import Category
from core.alerts.severity import Severity
from core.alerts.spec import ALERTS
from core.alerts.timing import Policy
from core.errors import ChangeRejected
from core.roles import Role
from dashboard.access.common import told
from dashboard.alerts.rule_fields import ABSENT, AS_IT_IS, FIELDS, field_of_mistake, with_fields
from dashboard.components.form import DOES, Options, form, hidden, long_field, select_field, text_field
from dashboard.components.needing import needing
from dashboard.views.form import Form, Said, Sent
from portfolio.own_rules import checked, delete, save, switch
from portfolio.rule_files import rule_set
from portfolio.vocabulary import vocabulary
from storage.state.rules import NOT_SAVED, Draft, add_draft

if TYPE_CHECKING:
    from core.alerts.files import RuleFault
    from storage.stores import Stores

PATH = "/alerts/rules"
EDIT_PATH = f"{PATH}/edit"
EXPORT_PATH = f"{PATH}/export.yaml"
EDITOR = "rule-editor"
TRIED, TOLD = f"{EDITOR}-past", f"{EDITOR}-told"
"""Panels of what a rule would have told, drawn and in words."""
SAVE = "save"
WAS = "was"
WORK_NAMES: Options = (
    (AS_IT_IS, "as it is"), *((work, f"{work} over") for work in WORKS), (ABSENT, "is absent"),
)  # fmt: skip


IN_FORCE = "it is in force within seconds"


def forms(stores: Stores) -> list[Form]:
    """Return what the forms of rules do. Rules are of all portfolios: who is limited to some may not send them."""

    def edit(sent: Sent, viewer: Viewer) -> Said:
        text, name, version = _text(sent), sent["rule"], _version(sent)
        found = checked(stores, text, name)
        if found.rule is None:
            raise ChangeRejected(NOT_SAVED, _beside(found.faults))
        if sent[DOES] == SAVE:
            done = save(stores, text, viewer.name, name=name, version=version)
            return Said(f"Rule {done.name} saved: {_became(stores, done.name, IN_FORCE)}.", goto=PATH)
        draft = add_draft(stores.state, Draft(text, name, version, viewer.name, stores.clock.now()))
        return Said("The rule is right.", goto=edit_address(draft=str(draft)))

    def remove(sent: Sent, viewer: Viewer) -> Said:
        delete(stores, sent["name"], viewer.name)
        instead = rule_set(stores).placed(sent["name"])
        again = " The rule of this name that stands elsewhere holds again." if instead else ""
        return Said(f"Rule {sent['name']} deleted.{again}")

    def off(sent: Sent, viewer: Viewer) -> Said:
        switch(stores, sent["name"], viewer.name, on=False)
        return Said(f"Rule {sent['name']} is off: {_became(stores, sent['name'], 'what it told is resolved')}.")

    def on(sent: Sent, viewer: Viewer) -> Said:
        switch(stores, sent["name"], viewer.name, on=True)
        return Said(f"Rule {sent['name']} is on: {_became(stores, sent['name'], IN_FORCE)}.")

    does = {"edit": edit, "delete": remove, "off": off, "on": on}
    return [Form(f"{PATH}/{name}", told(stores, ALERTS, do), Role.ADMIN, is_shared=True) for name, do in does.items()]


def edit_address(**choices: str) -> str:
    """Return the address of the editor."""
    return f"{EDIT_PATH}?{urlencode(choices)}" if choices else EDIT_PATH


def link(text: str, address: str, label: str) -> html.A:
    """Return a link that is for who may change rules."""
    return html.A(text, href=address, className="fw-choice-button", title=label, **needing(Role.ADMIN))


def export_link(name: str = "") -> html.A:
    """Return the link to a file with a rule, or with all that was decided here."""
    address = f"{EXPORT_PATH}?{urlencode({'rule': name})}" if name else EXPORT_PATH
    return link("Export", address, f"Download {name or 'own rules and switches'} as a file of rules")


def switch_form(name: str, *, is_off: bool) -> html.Form:
    """Return the button that switches a rule."""
    does = "Switch on" if is_off else "Switch off"
    question = "" if is_off else f"Switch {name} off? Nobody is told of it any more; what it told is resolved."
    return form(
        f"{PATH}/{'on' if is_off else 'off'}", hidden("name", name), id=f"rules-switch-{name}", does=does,
        question=question, role=Role.ADMIN,
    )  # fmt: skip


def delete_form(name: str) -> html.Form:
    """Return the button that deletes a rule that was made here."""
    return form(
        f"{PATH}/delete", hidden("name", name), id=f"rules-delete-{name}", does="Delete", is_dangerous=True,
        question=f"Delete the rule {name}? What it told is resolved.", role=Role.ADMIN,
    )  # fmt: skip


def editor_form(text: str, fields: dict[str, str], rule: str, version: int) -> html.Form:
    """Return the editor. rule and version: of the kept rule that it changes; empty and 0 for a new one."""
    id = EDITOR
    severities: Options = [(each.word, each.word) for each in Severity]
    categories: Options = [(each.value, each.value) for each in Category]
    policies: Options = ((Policy.ALERT, "alert"), (Policy.KEEP, "keep as it was"), (Policy.OK, "count as clear"))
    operators: Options = [(each, each) for each in OPERATORS]

    def field(name: str, label: str, hint: Any = "", **more: Any) -> html.Div:
        return text_field(id, name, label, fields[name], hint=hint, **more)

    return form(
        f"{PATH}/edit", hidden("rule", rule), hidden("version", str(version)),
        hidden(WAS, orjson.dumps(fields).decode()),
        text_field(id, "name", "Name", fields["name"], hint="Such as data-disk; it names the rule for ever.",
                   is_read_only=bool(rule)),
        field("title", "Title", "As people read it; empty: the name."),
        field("figure", "What to watch",
              "A metric, a figure of portfolios, or status, age, value_age …: begin to type.", options=_offered()),
        field("which", "Of which", 'Such as mount="/data" or component="Redis main"; empty: every one.'),
        field("window", "Window", "Of figures of portfolios: 1y, ytd, itd …"),
        select_field(id, "work", "Taken", WORK_NAMES, fields["work"]),
        field("span", "Span", "Of avg, min, max, change, zscore, forecast: 5 min."),
        select_field(id, "operator", "Is", operators, fields["operator"]),
        field("limit", "Value", f"With its unit, such as 90 % or 2 GiB; of status {', '.join(WORDS[:4])}."),
        select_field(id, "severity", "Severity", severities, fields["severity"]),
        select_field(id, "category", "Category", categories, fields["category"]),
        field("for", "For", "How long it must hold, such as 5 min; empty: at once."),
        field("keep_firing_for", "Keep firing for", "How long it must be clear before it is over."),
        field("clear", "Clear when", "Empty: when it does not hold. Such as system_disk_used_ratio < 85 %."),
        select_field(id, "no_data", "Without data", policies, fields["no_data"]),
        field("every", "Every", "How often it is evaluated; empty: 15 s."),
        field("labels", "Labels", "Such as team=core, desk=fx."),
        field("message", "Message", "With {value}, {title}, {why} and labels: {mount} is {value:.0%} full."),
        field("runbook", "Runbook", "https://… where it is written what to do."),
        long_field(id, "text", "As YAML", text, most=MOST_CHARACTERS, rows=14, is_code=True,
                   hint="This is what is checked and saved; what is changed in the fields above is put into it. "
                        "Conditions joined by and, or, not, and several severities (levels) are written here."),
        id=id, does="Check and back-test", also=((SAVE, "Save"),), judged=(TRIED, TOLD), role=Role.ADMIN,
    )  # fmt: skip


def _offered() -> list[str]:
    return sorted(vocabulary())


def _became(stores: Stores, name: str, usual: str) -> str:
    """Return what a change of a rule came to; usual: where nothing stands in its way."""
    found = rule_set(stores)
    if found.faults:
        return "that holds when the files of rules are mended, and until then the rules before stay in force"
    if any(each.rule == name for each in found.left_out):
        return "it is left out, the page says why"
    placed = found.placed(name)
    return "it is switched off" if usual == IN_FORCE and placed and found.is_off(placed.rule) else usual


def _letters(text: str) -> str:
    return "".join(text.split())


def _text(sent: Sent) -> str:
    """Return the YAML that was sent, with the fields in which something else stands than when the page was opened."""
    try:
        was = orjson.loads(sent[WAS] or "{}")
    except orjson.JSONDecodeError:
        was = {}
    # A field of one line loses line breaks by itself: that is nobody's change.
    changed = frozenset(name for name in FIELDS if _letters(sent[name]) != _letters(str(was.get(name, ""))))
    if not changed:
        return sent["text"]
    return with_fields(sent["text"], {name: sent[name] for name in FIELDS}, changed)


def _version(sent: Sent) -> int:
    return int(sent["version"]) if sent["version"].isdecimal() and len(sent["version"]) < 10 else 0


def _beside(faults: tuple[RuleFault, ...]) -> dict[str, str]:
    """Return the mistakes by field, and all of them with their lines beside the YAML."""
    found = {field: each.reason for each in reversed(faults) if (field := field_of_mistake(each.reason))}
    return {**found, "text": "; ".join(f"line {each.line}: {each.reason}" for each in faults)}
