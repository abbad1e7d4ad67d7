"""Forms of channels: the editor, and what tries, switches, deletes and exports one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import orjson
from dash import html

from access.viewer import ACTING_ROLE, Viewer
from core.alerts.channel_set import MADE_HERE, ChannelSet, OwnChannel
from core.alerts.expression import Matcher
from core.alerts.matchers import parsed, written
from core.alerts.severity import Severity
from core.alerts.spec import ALERTS
from core.errors import ChangeRejected
from core.roles import Role
from core.settings.channel_fields import fields_of
from core.settings.channels import KINDS
from dashboard.access.common import told
from dashboard.alerts.channel_fields import field_of, fields_sent
from dashboard.alerts.rule_forms import link
from dashboard.components.form import form, hidden, text_field, tick
from dashboard.views.form import Form, Said, Sent
from portfolio.channel_set import channel_set
from portfolio.own_channels import TOLD_OF, Wanted, delete, save, switch
from storage.state.audit import Entry, add_entry
from storage.state.channels import NOT_SAVED
from storage.state.outbox import put_test
from storage.state.silences import DATASET

if TYPE_CHECKING:
    from storage.stores import Stores

MESSAGES = "/alerts/messages"
PATH = "/alerts/channels"
EDIT_PATH = f"{PATH}/edit"
EXPORT_PATH = f"{PATH}/export.yaml"
EDITOR = "channel-editor"
TOLD = "told_"
"""What the name of a severity's box begins with."""
LABELS = "labels"
FIX = 'Write label="value" or label=~"pattern", with commas between.'
FOLLOWS = "within seconds, without a restart"
BESIDE = {"severities": f"{TOLD}{Severity.INFO.word}"}
"""Beside which field a mistake stands whose own is none of the form."""


def forms(stores: Stores) -> list[Form]:
    """Return what can be done with channels. They are told of all portfolios: who is limited may not send them."""

    def test(sent: Sent, viewer: Viewer) -> Said:
        name = sent["channel"]
        if name not in channel_set(stores).in_force:
            raise ChangeRejected("Nothing was sent.", {"channel": f"there is no channel {name} that is on"})
        now = stores.clock.now()
        with stores.state.begin() as connection:
            put_test(connection, name, viewer.name, now)
            add_entry(connection, Entry(now, viewer.name, "test of a channel asked for", name))
        return Said(f"A test goes to {name}: what becomes of it stands below.")

    def edit(sent: Sent, viewer: Viewer) -> Said:
        kind = sent["kind"]
        if kind not in MADE_HERE:
            raise ChangeRejected(NOT_SAVED, {"kind": f"there is none such; there are {', '.join(MADE_HERE)}"})
        severities = [each.word for each in Severity if sent[f"{TOLD}{each.word}"]]
        wanted = Wanted(sent["name"], kind, fields_sent(kind, sent), severities, _labels(sent[LABELS]))
        try:
            done = save(stores, wanted, viewer.name, version=_version(sent))
        except ChangeRejected as error:
            beside = {BESIDE.get(name, name): why for name, why in error.fields.items()}
            raise ChangeRejected(error.reason, beside) from None
        how = f"it is in force {FOLLOWS}" if done.is_on else "it is switched off"
        if done.is_on and done.version == 1:
            # Before it has delivered something nobody knows that it does, and it is not safe to trade.
            with stores.state.begin() as connection:
                put_test(connection, done.name, viewer.name, stores.clock.now())
            how += "; a test goes by it now"
        return Said(f"Channel {done.name} saved: {how}.", goto=MESSAGES)

    def remove(sent: Sent, viewer: Viewer) -> Said:
        delete(stores, sent["channel"], viewer.name)
        return Said(f"Channel {sent['channel']} deleted: what waits for it goes to another one.")

    def off(sent: Sent, viewer: Viewer) -> Said:
        switch(stores, sent["channel"], viewer.name, on=False)
        return Said(f"Channel {sent['channel']} is off: what waits for it goes to another one.")

    def on(sent: Sent, viewer: Viewer) -> Said:
        switch(stores, sent["channel"], viewer.name, on=True)
        return Said(f"Channel {sent['channel']} is on {FOLLOWS}.")

    does = {"edit": edit, "delete": remove, "off": off, "on": on}
    changes = [
        Form(f"{PATH}/{name}", told(stores, ALERTS, do), Role.ADMIN, is_shared=True) for name, do in does.items()
    ]
    return [Form(f"{MESSAGES}/test", told(stores, DATASET, test), ACTING_ROLE, is_shared=True), *changes]


def edit_address(**choices: str) -> str:
    """Return the address of the editor."""
    return f"{EDIT_PATH}?{urlencode(choices)}" if choices else EDIT_PATH


def edit_link(name: str) -> html.A:
    """Return the link to the editor of a channel that was made here."""
    return link("Edit", edit_address(channel=name), f"Edit the channel {name}")


def export_link() -> html.A:
    """Return the link to a file with the channels that were made here."""
    return link("Export", EXPORT_PATH, "Download own channels as fundwatch.yaml has them, without their secrets")


def test_form(name: str) -> html.Form:
    """Return the button that tries a channel."""
    id = f"channels-test-{name}"
    return form(
        f"{MESSAGES}/test",
        hidden("channel", name),
        id=id,
        does="Send a test",
        role=ACTING_ROLE,
        label=f"Send a test by {name}",
    )


def switch_form(name: str, *, is_on: bool) -> html.Form:
    """Return the button that switches a channel that was made here."""
    question = f"Switch {name} off? It is told of nothing; what waits for it goes to another channel." if is_on else ""
    return form(
        f"{PATH}/{'off' if is_on else 'on'}", hidden("channel", name), id=f"channels-switch-{name}",
        does="Switch off" if is_on else "Switch on", question=question, role=Role.ADMIN,
    )  # fmt: skip


def delete_form(name: str) -> html.Form:
    """Return the button that deletes a channel that was made here."""
    question = f"Delete the channel {name}, with its secrets? What waits for it goes to another channel."
    return form(
        f"{PATH}/delete", hidden("channel", name), id=f"channels-delete-{name}", does="Delete", is_dangerous=True,
        question=question, role=Role.ADMIN,
    )  # fmt: skip


def editor_form(found: ChannelSet, kind: str, mine: OwnChannel | None) -> html.Form:
    """Return the editor of a channel of a kind; mine: the one that is changed, None: a new one."""
    id, kept = EDITOR, mine.kept if mine else None
    channel = mine.channel if mine else None
    others = [(name, name) for name in found.in_force if kept is None or name != kept.name]
    first, more = fields_of(kind)
    shown, folded = ([part for name in names for part in field_of(id, kind, name, channel, others)]
                     for names in (first, more))  # fmt: skip
    told_of = kept.severities if kept else TOLD_OF
    ticks = [tick(id, f"{TOLD}{each.word}", each.word, is_ticked=each.word in told_of) for each in Severity]
    return form(
        f"{PATH}/edit", hidden("kind", kind), hidden("version", str(kept.version if kept else 0)),
        text_field(id, "name", "Name", kept.name if kept else "", is_read_only=kept is not None,
                   hint="Letters, digits, _ and -; it names the channel for ever."),
        *shown,
        html.Fieldset([html.Legend("Told of", className="fw-field-label"), *ticks], className="fw-ticks"),
        text_field(id, LABELS, "Only alerts with", _matchers_of(mine),
                   hint='Such as portfolio=~"macro.*", category="trading"; empty: every one.'),
        html.Details([html.Summary("More"), html.Div(folded)], className="fw-form-more"),
        id=id, does="Save", role=Role.ADMIN, label=f"Save the {KINDS[kind].TITLE} channel",
    )  # fmt: skip


def matchers_text(labels: dict[str, str]) -> str:
    """Return what labels must be, as people write it."""
    return written([Matcher(label, "=~", pattern) for label, pattern in labels.items()])


def _matchers_of(mine: OwnChannel | None) -> str:
    return matchers_text(orjson.loads(mine.kept.labels)) if mine else ""


def _labels(text: str) -> dict[str, str]:
    """Return what labels must be, as routes have it: regular expressions that the whole value matches."""
    if not text:
        return {}
    try:
        matchers = parsed(text)
    except ValueError as error:
        raise ChangeRejected(NOT_SAVED, {LABELS: f"{error}. {FIX}"}) from error
    found: dict[str, str] = {}
    for each in matchers:
        if each.operator not in ("=", "=~"):
            raise ChangeRejected(NOT_SAVED, {LABELS: f"has {each.operator}, and only = and =~ can be: say what fits"})
        if each.label in found:
            raise ChangeRejected(NOT_SAVED, {LABELS: f'has {each.label} twice; write {each.label}=~"one|other"'})
        found[each.label] = each.value if each.operator == "=~" else _literal(each.value)
    return found


def _literal(text: str) -> str:
    """Return the regular expression that means this text alone."""
    return "".join(each if each.isalnum() or each in "_- /:" or ord(each) > 127 else f"\\{each}" for each in text)


def _version(sent: Sent) -> int:
    return int(sent["version"]) if sent["version"].isdecimal() and len(sent["version"]) < 10 else 0
