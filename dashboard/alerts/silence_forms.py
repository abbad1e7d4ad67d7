"""The forms that keep alerts quiet: a silence, maintenance once or again, everything muted; and what ends each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from dash import html

from access.viewer import ACTING_ROLE, Viewer
from core.alerts.expression import Matcher
from core.alerts.matchers import read_matchers
from core.alerts.silence import AGAIN_SECONDS, LONGEST_MUTE_SECONDS, Silence, Window
from core.errors import ChangeRejected
from dashboard.access.common import told
from dashboard.alerts.parts import HOUR, LASTS
from dashboard.components.form import form, hidden, moment_field, select_field, text_field
from dashboard.views.form import Form, Said, Sent
from storage.state.silences import (
    DATASET,
    NAME_CHARACTERS,
    NOT_ENDED,
    NOT_MADE,
    WHY_CHARACTERS,
    add_silence,
    add_window,
    end_silence,
    end_window,
    mute_all,
)

if TYPE_CHECKING:
    from storage.stores import Stores

ID = "silences"
PATH = "/alerts/silences"
MUTE_LASTS = tuple((value, text) for value, text in LASTS if float(value) <= LONGEST_MUTE_SECONDS)
HOUR_SECONDS = 3_600.0
FIELDS = {"lasts_seconds": "hours"}
"""What the form calls fields of a window that have another name there."""


def forms(stores: Stores) -> list[Form]:
    """Return what the page's forms do. They are of all portfolios: who is limited to some may not send them."""

    def silence(sent: Sent, viewer: Viewer) -> Said:
        made = add_silence(stores.state, _silence(stores, sent, viewer, matchers=True))
        return Said(f"Silence {made.id} made.", goto=PATH)

    def mute(sent: Sent, viewer: Viewer) -> Said:
        mute_all(stores.state, _silence(stores, sent, viewer, matchers=False))
        return Said("Every alert is muted.")

    def maintain(sent: Sent, viewer: Viewer) -> Said:
        try:
            made = add_window(stores.state, _window(stores, sent, viewer))
        except ChangeRejected as error:
            fields = {FIELDS.get(name, name): why for name, why in error.fields.items()}
            raise ChangeRejected(error.reason, fields) from error
        return Said(f"Maintenance {made.id} made.")

    def end(sent: Sent, viewer: Viewer) -> Said:
        ended = end_silence(stores.state, _number(sent), viewer.name, stores.clock.now())
        return Said("Alerts are told again." if ended.is_of_all else f"Silence {ended.id} ended.")

    def end_maintenance(sent: Sent, viewer: Viewer) -> Said:
        ended = end_window(stores.state, _number(sent), viewer.name, stores.clock.now())
        return Said(f"{ended.name} ended.")

    does: dict[str, Callable[[Sent, Viewer], Said]] = {
        "add": silence, "mute": mute, "end": end, "maintain": maintain, "end-maintenance": end_maintenance,
    }  # fmt: skip
    return [Form(f"{PATH}/{name}", told(stores, DATASET, do), ACTING_ROLE, is_shared=True) for name, do in does.items()]


def silence_form(matchers: str) -> html.Form:
    """Return the form of a silence of the matchers that the page's choice says."""
    id = f"{ID}-new"
    return form(
        f"{PATH}/add", hidden("matchers", matchers), select_field(id, "lasts", "For", LASTS, HOUR),
        moment_field(id, "ends", "Or until", hint="In your time; empty: for as long as is chosen."),
        text_field(id, "why", "Why", hint="Others will ask.", maxlength=str(WHY_CHARACTERS)),
        id=id, does="Silence", role=ACTING_ROLE,
    )  # fmt: skip


def mute_form() -> html.Form:
    """Return the form that mutes everything, for a day at most."""
    id = f"{ID}-mute"
    return form(
        f"{PATH}/mute", select_field(id, "lasts", "For", MUTE_LASTS, HOUR),
        text_field(id, "why", "Why", hint="Every page says so, in red, while it lasts.", maxlength=str(WHY_CHARACTERS)),
        id=id, does="Mute everything",
        question="Mute every alert for {lasts}? Nobody is told of what fires meanwhile, only of what is over.",
        is_dangerous=True, clears=True, role=ACTING_ROLE,
    )  # fmt: skip


def window_form(zone: str) -> html.Form:
    """Return the form of a maintenance window; zone: the time zone that it begins with."""
    id = f"{ID}-window"
    return form(
        f"{PATH}/maintain",
        text_field(id, "name", "Name", hint="Such as Nightly backup.", maxlength=str(NAME_CHARACTERS)),
        text_field(id, "matchers", "Which alerts", hint='Such as component="Redis main".'),
        moment_field(id, "begins", "Begins", hint="In your time; empty: now."),
        moment_field(id, "ends", "Ends", hint="In your time. Of one that comes again: the last day; empty: a year."),
        text_field(id, "cron", "Again", hint="A cron line such as 0 2 * * sun; empty: once."),
        text_field(id, "zone", "Time zone of that", zone, hint="Such as Europe/London or UTC."),
        text_field(id, "hours", "Hours each time", hint="How long it then is open, such as 1.5."),
        text_field(id, "why", "Why", maxlength=str(WHY_CHARACTERS)),
        id=id, does="Add", clears=True, role=ACTING_ROLE,
    )  # fmt: skip


def end_form(silence: Silence) -> html.Form:
    """Return the button that ends a silence."""
    return form(f"{PATH}/end", hidden("id", str(silence.id)), id=f"{ID}-end-{silence.id}", does="End", role=ACTING_ROLE)


def end_window_form(window: Window) -> html.Form:
    """Return the button that ends maintenance, with all times that were to come."""
    question = f"End {window.name}, with all times that were to come?" if window.cron else ""
    return form(
        f"{PATH}/end-maintenance", hidden("id", str(window.id)), id=f"{ID}-end-window-{window.id}", does="End",
        question=question, role=ACTING_ROLE,
    )  # fmt: skip


def _silence(stores: Stores, sent: Sent, viewer: Viewer, *, matchers: bool) -> Silence:
    now = stores.clock.now()
    ends = _moment(sent, "ends") if matchers else None
    if ends is None:
        if sent["lasts"] not in dict(LASTS):
            raise ChangeRejected(NOT_MADE, {"lasts": "choose one of those offered"})
        ends = now + float(sent["lasts"])
    meant = _matchers(sent) if matchers else ()
    return Silence(meant, now, ends, sent["why"], viewer.name, now)


def _window(stores: Stores, sent: Sent, viewer: Viewer) -> Window:
    now, cron = stores.clock.now(), sent["cron"]
    begins = _moment(sent, "begins") or now
    ends = _moment(sent, "ends")
    if ends is None and not cron:
        raise ChangeRejected(NOT_MADE, {"ends": "is empty; give its end, or a cron line by which it comes again"})
    return Window(
        sent["name"], _matchers(sent), begins, ends if ends is not None else begins + AGAIN_SECONDS, sent["why"],
        viewer.name, now, cron, sent["zone"] if cron else "", _lasts_seconds(sent) if cron else 0.0,
    )  # fmt: skip


def _matchers(sent: Sent) -> tuple[Matcher, ...]:
    try:
        return read_matchers(sent["matchers"])
    except ChangeRejected as error:
        raise ChangeRejected(NOT_MADE, error.fields) from error


def _moment(sent: Sent, name: str) -> float | None:
    if not sent[name]:
        return None
    try:
        return datetime.fromisoformat(sent[name]).timestamp()
    except (ValueError, OverflowError) as error:
        raise ChangeRejected(NOT_MADE, {name: "is no time such as 2026-01-31T09:30:00Z"}) from error


def _lasts_seconds(sent: Sent) -> float:
    try:
        return float(sent["hours"]) * HOUR_SECONDS
    except ValueError as error:
        raise ChangeRejected(NOT_MADE, {"hours": "is no number of hours, such as 1.5"}) from error


def _number(sent: Sent) -> int:
    if not sent["id"].isdecimal() or len(sent["id"]) > 15:
        raise ChangeRejected(NOT_ENDED, {"id": "it is none"})
    return int(sent["id"])
