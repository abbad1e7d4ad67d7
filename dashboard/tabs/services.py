"""Services: what must be up for the fund to trade: addresses, ports, processes, units, exporters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.memo import Memo
from dashboard.services import charts, tables
from dashboard.services.cards import service_cards
from dashboard.sources.actions import register_actions
from dashboard.sources.section import Section, TablePanel, sectioned
from dashboard.sources.tab import VARIES_BY, Shown
from dashboard.views.panel import Panel, TableBody
from dashboard.views.tab import Tab
from storage.clickhouse.reads.services import Key, Past, Uptime, read_interfaces, read_past, read_uptimes

if TYPE_CHECKING:
    from storage.stores import Stores

ID = tables.ID
TALL_PX, CHANGES_PX = 420, 260
UPTIME_SECONDS = 30.0
"""Shares of a day and more are read anew this often: one check more or less does not move them."""

_uptimes: Memo[dict[Key, Uptime]] = Memo()


def _no_cards(_shown: Shown) -> Sequence[Any]:
    """Return nothing: the cards of all kinds stand together, those in trouble first."""
    return ()


SECTIONS = (
    Section("http", charts.HTTP, _no_cards, {}, (), tables.ACTIONS),
    Section("tcp", charts.TCP, _no_cards, {}, (), tables.ACTIONS),
    Section(
        "process", charts.PROCESS, _no_cards, {"processes": tables.processes},
        (TablePanel("processes", "Processes", "most memory first", 12, "/proc/<pid>/stat, statm, cmdline.",
                    f"{ID}-processes-rows"),),
        tables.ACTIONS,
    ),
    Section("peer", charts.PEER, _no_cards, {}, (), tables.ACTIONS),
    Section("systemd", charts.SYSTEMD, _no_cards, {}, (), tables.ACTIONS),
    Section("nginx", charts.NGINX, _no_cards, {}, (), tables.ACTIONS),
    Section(
        "scrape", charts.SCRAPE, _no_cards, {"metrics": tables.metrics},
        (TablePanel("metrics", "Metrics", "first 200 of each exporter", 8, "GET /metrics.", f"{ID}-metrics-rows"),),
        tables.ACTIONS,
    ),
)  # fmt: skip
_BY_KIND = sectioned(ID, SECTIONS)


EVERYTHING = Panel(
    f"{ID}-all",
    "Services",
    "The newest check of each; uptime is the share of checks that found it up.",
    TableBody(180, TALL_PX, f"{ID}-all-rows"),
    subtitle="in trouble first",
)
CHANGES = Panel(
    f"{ID}-flips",
    "Changes",
    "Every change of state with its reason. Source: table flips.",
    TableBody(120, CHANGES_PX),
    subtitle="of 90 days, newest 60",
)
NETWORK = Panel(
    f"{ID}-interfaces",
    "Network interfaces",
    "Newest reading of the system collectors; traffic over the window. Source: /proc/net/dev, "
    "/sys/class/net/<name>/speed and operstate.",
    TableBody(120, CHANGES_PX),
    subtitle="of every machine",
)


def _arranged() -> Sequence[Any]:
    return (EVERYTHING.element(), CHANGES.element(), *_BY_KIND.arranged(), NETWORK.element())


def _past(stores: Stores, shown: Shown) -> Past:
    watched = [each for kind in _BY_KIND.kinds for each in stores.settings.watch.of(kind)]
    chosen = {(each.kind, each.name) for each in shown.chosen}
    intervals = {(each.KIND, each.name): each.interval_seconds for each in watched}
    keys = tuple(key for key in intervals if key in chosen)
    every = {key: intervals[key] for key in keys}
    past = read_past(stores, every)
    lately = (stores.clickhouse.database, keys, int(stores.clock.now() // UPTIME_SECONDS))
    return replace(
        past,
        uptimes=_uptimes.get(lately, lambda: read_uptimes(stores, every)),
        interfaces=read_interfaces(stores, *shown.span.pair),
    )


SERVICES = replace(
    _BY_KIND,
    cards=service_cards,
    panels=(EVERYTHING, CHANGES, *_BY_KIND.panels, NETWORK),
    arrange=_arranged,
    tables={**tables.ALL, **_BY_KIND.tables},
    more=_past,
    card_px=190,
)

TAB = Tab(
    id=ID,
    title="Services",
    icon=ID,
    key="6",
    path=f"/{ID}",
    layout=SERVICES.layout,
    build=SERVICES.build,
    varies_by=VARIES_BY,
    datasets=(*SERVICES.kinds, "actions"),
    panels=SERVICES.all_panels,
    slots=SERVICES.slots,
    graphs=SERVICES.graphs,
    zoom_graphs=SERVICES.graphs,
    register=register_actions(ID, {section.kind: section.actions for section in SECTIONS}),
)
