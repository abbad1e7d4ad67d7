"""How soon people act on alerts, and which rules call them most: two tables of a span of days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

from dash import html

from core.alerts.severity import Severity
from core.clock import DAY_SECONDS
from core.format import coarse_duration, number, percent
from core.memo import Memo
from dashboard.alerts.parts import severity_cell
from dashboard.components.table import Cell, Column, data_table
from storage.state.alert_stats import Noise, Response, noisiest, responses, together
from storage.state.database import State

if TYPE_CHECKING:
    from storage.stores import Stores

PERIODS = (("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "a year"))
USUAL = "30"
MOST_RULES = 10
KEPT_SECONDS, KEPT = 60.0, 16
"""What is of days is worked out once a minute for all who look."""
MTTA = (
    "Mean time to acknowledge: from the beginning of an incident until a person first acknowledged it or resolved it "
    "by hand. Incidents that nobody had in hand do not count."
)
MTTR = (
    "Mean time to resolve: from the beginning of an incident to its end, by itself or by hand, of those that are over."
)
_RESPONSE = (
    Column("severity", "Severity", numeric=False, definition="The highest that the incident reached"),
    Column("incidents", "Incidents", definition="That began in this time"),
    Column("acknowledged", "In hand", definition="Share that a person acknowledged, or resolved by hand", unit="ratio"),
    Column("mtta", "MTTA", definition=MTTA, unit="s"),
    Column("mtta_before", "before", definition="MTTA of as many days before", plain="MTTA before", unit="s"),
    Column("mttr", "MTTR", definition=MTTR, unit="s"),
    Column("mttr_before", "before", definition="MTTR of as many days before", plain="MTTR before", unit="s"),
)
_NOISE = (
    Column("rule", "Rule", numeric=False),
    Column("fired", "Fired", definition="How often something of it began to fire in this time"),
    Column("firing", "Firing", definition="How long that fired, all of it together, to its end or to now", unit="s"),
    Column(
        "acknowledged",
        "In hand",
        definition="Share of its incidents that a person acknowledged, or resolved by hand",
        unit="ratio",
    ),
    Column("flaps", "Flaps", definition="How often it began to change to and fro"),
)


@dataclass(frozen=True, slots=True)
class Past:
    """What a span of days says."""

    now: Sequence[Response]
    before: Sequence[Response]
    """Of as many days before."""
    noise: Sequence[Noise]


_KEPT: WeakKeyDictionary[State, Memo[Past]] = WeakKeyDictionary()


def past_of(stores: Stores, days: str) -> Past:
    """Return what so many days say, at most a minute old. Raises StorageUnavailable."""
    now = stores.clock.now()
    seconds = float(days) * DAY_SECONDS

    def read() -> Past:
        with stores.state.reading() as connection:
            return Past(
                responses(connection, now - seconds, now + 1),
                responses(connection, now - 2 * seconds, now - seconds),
                noisiest(connection, now - seconds, now, MOST_RULES),
            )

    memo = _KEPT.setdefault(stores.state, Memo(KEPT))
    return memo.get((days, int(now // KEPT_SECONDS)), read)


def response_table(past: Past, id: str) -> html.Div:
    """Return a row for each severity of which there were incidents, and one for all of them."""
    before = {each.severity: each for each in past.before}
    rows = [_response(each, before.get(each.severity)) for each in past.now]
    if len(rows) > 1:
        rows.append({**_response(together(past.now), together(past.before)), "severity": Cell("all", sort=-1.0)})
    nothing = "No incident began in this time."
    return data_table(id, _RESPONSE, rows, caption="How soon people act", nothing=nothing)


def noise_table(past: Past, id: str) -> html.Div:
    """Return a row for each of the rules that fired most often."""
    rows = [_noise(each) for each in past.noise]
    return data_table(id, _NOISE, rows, caption="Noisiest rules", nothing="Nothing fired in this time.")


def _response(each: Response, before: Response | None) -> dict[str, Any]:
    severity = severity_cell(Severity(each.severity)) if each.severity else Cell("not known", sort=0.0, tone="muted")
    share = each.acknowledged / each.incidents if each.incidents else None
    return {
        "severity": severity,
        "incidents": Cell(number(each.incidents), sort=float(each.incidents)),
        "acknowledged": Cell(percent(share), sort=share),
        "mtta": _span(each.mean_acknowledge_seconds),
        "mtta_before": _span(before.mean_acknowledge_seconds if before else None, tone="muted"),
        "mttr": _span(each.mean_resolve_seconds),
        "mttr_before": _span(before.mean_resolve_seconds if before else None, tone="muted"),
    }


def _noise(each: Noise) -> dict[str, Any]:
    rows = urlencode({"rule": each.rule, "what": "fires"})
    return {
        "rule": Cell(html.A(each.rule, href=f"/alerts/rules?{urlencode({'rule': each.rule})}"), sort=each.rule),
        "fired": Cell(html.A(number(each.fired), href=f"/alerts/history?{rows}"), sort=float(each.fired)),
        "firing": _span(each.firing_seconds),
        "acknowledged": Cell(percent(each.acknowledged_ratio), sort=each.acknowledged_ratio),
        "flaps": Cell(number(each.flaps), sort=float(each.flaps)),
    }


def _span(seconds: float | None, tone: str = "") -> Cell:
    return Cell(None) if seconds is None else Cell(coarse_duration(seconds), sort=seconds, tone=tone)
