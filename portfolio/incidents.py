"""When alerts fired, as spans of time with what each was about, and who may see which.

The history of alerts has for each the row with which it began and the one with which it ended; of what fires now and
began before the rows that are read, the engine's newest reading says since when.
"""

from __future__ import annotations

import math
from collections.abc import ItemsView, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from core.alerts.figures import INSTANCE
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.alerts.spec import FiringAlert
from core.catalogue import kinds_of
from core.kinds.scrape.source import ScrapeSource
from core.machine.spec import SYSTEM
from core.metrics import MACHINE
from core.model import SourceId
from core.pipeline.health import HEALTH
from core.web.spec import REQUESTS
from portfolio.alerts import COMPONENT, ORIGIN, PORTFOLIO, Sight, sight_of
from portfolio.rule_files import rule_set
from storage.state.alert_log import BEGINS, ENDS, read_spans
from storage.state.events import Event
from storage.state.portfolios import OWN

if TYPE_CHECKING:
    from portfolio.allowed import Limits
    from storage.state.alerts import HistoryRow
    from storage.stores import Stores

MOST_ROWS = 2_000
"""Of the history, the newest, that are read."""
COLLECTOR = "collector"
OWN_METRICS = {f"{SYSTEM}_": SYSTEM, "fundwatch_http_": REQUESTS, f"{HEALTH}_": HEALTH}
"""Collectors of the machine and of Fundwatch itself by what the names of their metrics begin with."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A time in which an alert fired. Times are epoch seconds."""

    rule: str
    labels: str
    """Of its series, as JSON: with the rule what tells it from others."""
    severity: Severity
    """The highest that it had."""
    since: float
    until: float | None
    """None: it fires."""
    text: str


def fired_events(stores: Stores, limits: Limits, firing: Sequence[FiringAlert]) -> list[tuple[Fired, Event]]:
    """Return the times in which alerts fired that may be told, the newest first, each as an event about the same thing.

    firing: what fires now, as the engine's newest reading says. Those about what no page shows are left out. Raises
    StorageUnavailable.
    """
    sight = sight_of(stores, limits)
    with stores.state.reading() as connection:
        rows = read_spans(connection, MOST_ROWS)
    known_from = rows[-1][1].at if rows else math.inf
    fired = with_open(spans_of(row for _, row in reversed(rows)), firing, known_from)
    if not fired:
        return []
    rules = {each.rule.name: each.rule for each in rule_set(stores).rules}
    found = [(each, _event(each, rules.get(each.rule), sight, stores)) for each in fired]
    told = [(each, event) for each, event in found if event is not None]
    return sorted(told, key=lambda each: -each[0].since)


def spans_of(rows: Iterable[HistoryRow]) -> list[Fired]:
    """Return the times in which alerts fired; rows: what the history says of when they began and ended, in order.

    An end whose beginning is not among the rows tells nothing: since when is not known.
    """
    is_open: dict[tuple[str, str], Fired] = {}
    over: list[Fired] = []
    for row in rows:
        key, known = (row.rule, row.labels), is_open.get((row.rule, row.labels))
        severity = Severity.of(row.severity) if row.severity else Severity.INFO
        if row.what in ENDS:
            if known is not None:
                over.append(replace(is_open.pop(key), until=row.at))
        elif known is None and row.what in BEGINS:
            is_open[key] = Fired(row.rule, row.labels, severity, row.at, None, row.detail)
        elif known is not None and severity > known.severity:
            is_open[key] = replace(known, severity=severity, text=row.detail)
    return [*over, *is_open.values()]


def with_open(fired: Sequence[Fired], firing: Sequence[FiringAlert], known_from: float) -> list[Fired]:
    """Return the times with those of alerts that fire now, and began before the history that was read.

    known_from: when that begins, epoch seconds.
    """
    early = [each for each in firing if each.since < known_from]
    there = [(each.rule, orjson.loads(each.labels).items()) for each in fired if each.until is None] if early else []
    missed = [each for each in early if not _is_among(each, there)]
    return [
        *fired,
        *(Fired(each.rule, each.labels, Severity.of(each.severity), each.since, None, each.text) for each in missed),
    ]


def _is_among(alert: FiringAlert, there: Sequence[tuple[str, ItemsView[str, str]]]) -> bool:
    labels = orjson.loads(alert.labels).items()
    return any(rule == alert.rule and of <= labels for rule, of in there)


def alert_of(fired: Fired, firing: Iterable[FiringAlert]) -> FiringAlert | None:
    """Return the alert that fires on since then; None: the engine does not tell it."""
    of = orjson.loads(fired.labels).items()
    return next((each for each in firing if each.rule == fired.rule and of <= orjson.loads(each.labels).items()), None)


def _event(fired: Fired, rule: Rule | None, sight: Sight, stores: Stores) -> Event | None:
    """Return an alert as an event; None: it may not be told, or is about nothing that a page shows."""
    labels: dict[str, str] = orjson.loads(fired.labels)
    if not sight.sees(fired.rule, labels):
        return None
    portfolio = portfolio_key(labels)
    component = "" if portfolio else _component_of(labels, rule, stores)
    if not portfolio and not component:
        return None
    title = (rule.title or rule.name) if rule else fired.rule
    text = sight.sentence(labels, fired.text)
    return Event(fired.since, fired.until, text, portfolio=portfolio, component=component, who=title)


def concern_of(labels: Mapping[str, str], rule: Rule | None, stores: Stores) -> tuple[str, str]:
    """Return the key of the portfolio, or else the component, that labels of an alert are about; empty: none."""
    portfolio = portfolio_key(labels)
    return portfolio, "" if portfolio else _component_of(labels, rule, stores)


def portfolio_key(labels: Mapping[str, str]) -> str:
    """Return the key of the portfolio that labels name; empty: none."""
    origin, _, id = labels.get(PORTFOLIO, "").rpartition(":")
    return f"{origin or labels.get(ORIGIN, OWN)}:{id}" if id else ""


def _component_of(labels: Mapping[str, str], rule: Rule | None, stores: Stores) -> str:
    """Return the component, or the collector, that an alert is about; empty: none that is known here."""
    collector, machine = labels.get(COLLECTOR, ""), labels.get(MACHINE, "")
    if SourceId.parse(collector):
        return collector
    if collector:
        return "/".join(each for each in (machine, collector, labels.get(COMPONENT, "")) if each)
    figures = rule.figures if rule else ()
    if instance := labels.get(INSTANCE):
        kinds = sorted({kind for figure in figures for kind in kinds_of(figure)})
        scraped = {each.name for each in stores.settings.watch.of(ScrapeSource.KIND)}
        return f"{kinds[0]}:{instance}" if kinds else f"{ScrapeSource.KIND}:{instance}" if instance in scraped else ""
    own = {name for figure in figures for begins, name in OWN_METRICS.items() if figure.startswith(begins)}
    return f"{machine}/{own.pop()}" if machine and len(own) == 1 else ""
