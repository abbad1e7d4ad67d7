"""What operators ask of an incident: acknowledge it, put it off, resolve it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import ACTING_ROLE, Viewer
from core.alerts.expression import Matcher
from core.alerts.matchers import written
from core.alerts.spec import FiringAlert, OpenIncident
from core.errors import ChangeRejected
from dashboard.access.common import told
from dashboard.alerts.known import Known, know, labels_of
from dashboard.alerts.parts import HOUR, LASTS
from dashboard.components.form import form, hidden, select_field, text_field
from dashboard.views.form import Form, Said, Sent
from storage.state.alert_requests import NOTE_CHARACTERS, Ask, Request, ask
from storage.state.silences import DATASET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.stores import Stores

PATH = "/alerts"
DONE = {Ask.ACKNOWLEDGE: "acknowledged", Ask.SNOOZE: "snoozed", Ask.RESOLVE: "resolved"}
NOTHING = "Nothing was asked."


def forms(stores: Stores) -> list[Form]:
    """Return what can be asked of an incident."""

    def asked(what: Ask) -> Form:
        def do(sent: Sent, viewer: Viewer) -> Said:
            return _ask(stores, what, sent, viewer)

        return Form(f"{PATH}/{what}", told(stores, DATASET, do), ACTING_ROLE)

    return [asked(each) for each in Ask]


def quick_form(incident: int) -> html.Form:
    """Return the button that acknowledges an incident, with for how long."""
    id = f"alerts-acknowledge-{incident}"
    return form(
        f"{PATH}/{Ask.ACKNOWLEDGE}", hidden("incident", str(incident)), select_field(id, "lasts", "For", LASTS, HOUR),
        id=id, does="Acknowledge", role=ACTING_ROLE,
    )  # fmt: skip


def hour_button(incident: int, *, id: str, of: str) -> html.Form:
    """Return the button that acknowledges an incident for an hour; of: what it is called."""
    return form(
        f"{PATH}/{Ask.ACKNOWLEDGE}", hidden("incident", str(incident)), hidden("lasts", HOUR), id=id,
        does="Acknowledge", role=ACTING_ROLE, label=f"Acknowledge {of}",
    )  # fmt: skip


def whole_forms(incident: int) -> list[Any]:
    """Return the forms of everything that can be asked of an incident, with a note."""

    def one(what: Ask, does: str, question: str = "") -> html.Form:
        id = f"alerts-{what}-{incident}-whole"
        lasts = [select_field(id, "lasts", "For", LASTS, HOUR)] if what is not Ask.RESOLVE else []
        note = text_field(id, "note", "Note", hint=HINTS[what], maxlength=str(NOTE_CHARACTERS))
        return form(
            f"{PATH}/{what}", html.H3(does, className="fw-part"), hidden("incident", str(incident)), *lasts, note,
            id=id, does=does, question=question, is_dangerous=what is Ask.RESOLVE, role=ACTING_ROLE,
        )  # fmt: skip

    question = "Resolve this incident? Whatever of it still fires is then told again only after it was clear."
    return [
        one(Ask.ACKNOWLEDGE, "Acknowledge"),
        one(Ask.SNOOZE, "Snooze"),
        one(Ask.RESOLVE, "Resolve", question),
    ]


HINTS = {
    Ask.ACKNOWLEDGE: "Who was told hears that you have it in hand.",
    Ask.SNOOZE: "Nobody hears of it again until then.",
    Ask.RESOLVE: "Who was told hears that it is over.",
}


def common_matchers(alerts: Sequence[FiringAlert]) -> str:
    """Return matchers of exactly what these alerts have in common, as a silence begins with them; empty for nothing."""
    every = [labels_of(each) for each in alerts]
    if not every:
        return ""
    shared = {name: value for name, value in every[0].items() if all(each.get(name) == value for each in every[1:])}
    left_out = ("alertname", "severity", "category")
    return written([Matcher(name, "=", value) for name, value in shared.items() if name not in left_out])


def _ask(stores: Stores, what: Ask, sent: Sent, viewer: Viewer) -> Said:
    text = sent["incident"]
    incident = int(text) if text.isdecimal() and len(text) < 16 else 0
    known = know(stores, viewer.portfolios)
    _check_seen(known, incident)
    now = stores.clock.now()
    until = now + _seconds(sent["lasts"]) if what is not Ask.RESOLVE else 0.0
    ask(stores.state, Request(incident, what, viewer.name, now, until, sent["note"]))
    if known.problem:
        return Said(f"Asked for. {known.problem} When alerts are evaluated again it is {DONE[what]}.")
    return Said(f"Asked for: it is {DONE[what]} within a second or two.")


def _check_seen(known: Known, incident: int) -> None:
    """Raise ChangeRejected: somebody who is limited may not see all of an incident, and so does nothing to it."""
    if known.sight.is_whole:
        return
    found: OpenIncident | None = next((each for each in known.incidents if each.incident == incident), None)
    if found is None:
        raise ChangeRejected(NOTHING, {"incident": f"there is no incident {incident}"})
    if not known.sight.acts_on(incident, known.incidents, known.firing):
        raise ChangeRejected(NOTHING, {"incident": "it needs somebody who may see every portfolio"})


def _seconds(text: str) -> float:
    if text not in dict(LASTS):
        raise ChangeRejected(NOTHING, {"lasts": "choose one of those offered"})
    return float(text)
