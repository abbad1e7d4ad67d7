"""The tables of the services tab."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import html

from core.format import duration, number, percent, rate
from core.kinds.service_spec import CERTIFICATE, UPTIME, About, Actions
from core.limits import Limit
from core.model import SEVERITY, Status
from dashboard.components.age import age
from dashboard.components.beats import beat_strip
from dashboard.components.card import state_badge
from dashboard.components.spark import spark
from dashboard.components.table import Cell, Column, cut_cell, data_table, or_none
from dashboard.services.cards import ALL, Past, is_known, is_paused, past_of, uptime, watched, word_of
from dashboard.sources.actions import action_button
from dashboard.sources.changes import CHANGES, changes_table
from dashboard.sources.shown import Shown
from dashboard.sources.table import ACTIONS
from status.freshness import is_stale
from status.history import Checks, Uptime
from status.instances import Instance
from storage.clickhouse.reads.services import Interface

SHARE = "Share of the checks that found it up; grey while less than half of the time was watched. Source:"
COLUMNS = (
    Column("state", "State", numeric=False),
    Column("service", "Service", numeric=False, definition="Kind and name; hover: what is checked."),
    Column("group", "Group", numeric=False),
    Column("beats", "Newest 60 checks", numeric=False,
           definition="Oldest left: up, failed but retried, down; grey where not checked."),
    Column("day", "24 h", definition=f"{SHARE} samples_1m.", unit="ratio"),
    Column("month", "30 d", definition=f"{SHARE} samples_1h.", unit="ratio"),
    Column("year", "1 y", definition=f"{SHARE} samples_1h.", unit="ratio"),
    Column("seconds", "Response", definition="Response time of the newest check.", unit="s"),
    Column("mean", "Mean 24 h", definition="Mean response time over 24 hours. Source: samples_1m.", unit="s"),
    Column("certificate", "Certificate",
           definition="Time left until the first certificate of its chain expires; hover: whose.", unit="s"),
    Column("since", "Since", definition="When its state last changed."),
    Column("act", "", numeric=False, plain=ACTIONS, has_buttons=True),
    Column("why", "Why", numeric=False),
)  # fmt: skip
SOMETIMES = ("group", "certificate")
"""Columns that are left out when no service has anything in them."""
INTERFACE_COLUMNS = (
    Column("state", "State", numeric=False),
    Column("host", "Machine", numeric=False),
    Column("nic", "Interface", numeric=False),
    Column("speed", "Speed", definition="Of the link, in each direction.", unit="bytes/s"),
    Column("used", "Used", definition="The busier direction against the speed.", unit="ratio"),
    Column("in", "In", unit="bytes/s"),
    Column("in_course", "over the window", numeric=False),
    Column("out", "Out", unit="bytes/s"),
    Column("out_course", "over the window", numeric=False),
    Column("receive_errors_per_second", "Errors in/s"),
    Column("transmit_errors_per_second", "Errors out/s"),
    Column("receive_drops_per_second", "Drops in/s"),
    Column("transmit_drops_per_second", "Drops out/s"),
)
LOSSES = (
    "receive_errors_per_second", "transmit_errors_per_second", "receive_drops_per_second", "transmit_drops_per_second",
)  # fmt: skip
TONES = {Status.CRITICAL: "critical", Status.WARNING: "warning"}


def services(shown: Shown) -> html.Div:
    """Return every service: state, newest checks, uptime, response time, last change, why."""
    past = past_of(shown)
    found = sorted(((each, each.first(About)) for each in shown.chosen), key=_order)
    rows = [_service(each, about, past, shown) for each, about in found]
    columns = [each for each in COLUMNS if each.key not in SOMETIMES or any(_has(row[each.key]) for row in rows)]
    nothing = "No service is watched."
    return data_table(f"{shown.tab}-{ALL}-rows", columns, rows, caption="Services", nothing=nothing, stack=True)


def _order(service: tuple[Instance, About | None]) -> tuple[int, str, str]:
    instance, about = service
    return -SEVERITY[instance.status], about.group if about else "", instance.title


def _has(cell: Any) -> bool:
    return (cell.content if isinstance(cell, Cell) else cell) is not None


def _service(instance: Instance, about: About | None, past: Past, shown: Shown) -> dict[str, Any]:
    key = (instance.kind, instance.name)
    known = past.uptimes.get(key, Uptime())
    component = instance.component
    left = about.certificate_ends - instance.now if about and about.certificate_ends else None
    seconds, since = (about.seconds, about.since) if about else (None, None)
    return {
        "state": Cell(state_badge(component.status, word_of(instance)), SEVERITY[component.status]),
        "service": Cell(instance.title, hint=about.target if about else ""),
        "group": (about.group if about else "") or None,
        "beats": Cell(beat_strip(past.beats.get(key, ())), known.day.share),
        "day": _share(known.day, "24 h"),
        "month": _share(known.month, "30 d"),
        "year": _share(known.year, "1 y"),
        "seconds": Cell(or_none(duration(seconds)), seconds),
        "mean": Cell(or_none(duration(known.day_seconds)), known.day_seconds),
        "certificate": Cell(
            or_none(duration(left)), left, tone=_tone(CERTIFICATE, left), hint=about.certificate if about else ""
        ),
        "since": Cell(age(since, prefix="") if since else None, since),
        "why": cut_cell(component.why),
        "act": Cell(_pause(instance, about, shown), ""),
    }


def _share(checks: Checks, period: str) -> Cell:
    share = checks.share
    if share is None:
        return Cell(None)
    tone = _tone(UPTIME, share) if is_known(checks, period) else "muted"
    return Cell(uptime(share), share, tone=tone, hint=watched(checks, period))


def _tone(limit: Limit, value: float | None) -> str:
    return "" if value is None else TONES.get(limit.status(value), "")


def _pause(instance: Instance, about: About | None, shown: Shown) -> Any:
    if is_paused(instance):
        if about is None or not about.paused_by_hand:
            return None
        question = f"Resume the checks of {instance.title}?"
        return action_button(shown, instance.collector, Actions.RESUME, "", "Resume", question)
    question = f"Pause the checks of {instance.title}? Until they are resumed nothing tells when it goes down."
    return action_button(shown, instance.collector, Actions.PAUSE, "", "Pause", question)


def changes(shown: Shown) -> html.Div:
    """Return the changes of state, newest first."""
    return changes_table(shown.tab, past_of(shown).changes, "No service has changed its state.")


def interfaces(shown: Shown) -> html.Div:
    """Return the network interfaces of every machine: those that are down or lose packets first."""
    past = past_of(shown)
    found = sorted(past.interfaces, key=lambda each: (-_trouble(each), each.host, each.nic))
    nothing = "No machine's system collector reports interfaces."
    rows = [_interface(each, past.now, past.link_limit) for each in found]
    return data_table(
        f"{shown.tab}-interfaces-rows", INTERFACE_COLUMNS, rows, caption="Network interfaces", nothing=nothing
    )


def _trouble(interface: Interface) -> float:
    values = interface.values
    return float(not values["up"]) + sum(values[name] or 0.0 for name in LOSSES)


def _interface(interface: Interface, now: float, link_limit: Limit) -> dict[str, Any]:
    values = interface.values
    used = values["link_used_ratio"]
    is_up = bool(values["up"])
    status = Status.UNKNOWN if is_stale(interface.reading, now) else Status.OK if is_up else Status.DOWN
    word = None if status is Status.UNKNOWN else "up" if is_up else "down"
    return {
        "state": Cell(state_badge(status, word)),
        "host": interface.host,
        "nic": interface.nic,
        "speed": Cell(or_none(rate(values["link_bytes_per_second"])), values["link_bytes_per_second"]),
        "used": Cell(or_none(percent(used)), used, tone=_tone(link_limit, used)),
        "in": Cell(or_none(rate(values["receive_bytes_per_second"])), values["receive_bytes_per_second"]),
        "in_course": Cell(spark(interface.received, label=f"{interface.nic}: in") if interface.received else None),
        "out": Cell(or_none(rate(values["transmit_bytes_per_second"])), values["transmit_bytes_per_second"]),
        "out_course": Cell(spark(interface.sent, label=f"{interface.nic}: out") if interface.sent else None),
        **{name: Cell(or_none(number(values[name], 1)), values[name], tone="warning" if values[name] else "")
           for name in LOSSES},
    }  # fmt: skip


TABLES: dict[str, Callable[[Shown], Any]] = {ALL: services, CHANGES: changes, "interfaces": interfaces}
"""Tables of all kinds together, by the name of their panel."""
