"""Services: what must be up for the fund to trade: addresses, ports, processes, units, exporters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.memo import Memo
from dashboard.components.panel import panel, slot
from dashboard.components.table import filter_box, scroll_box
from dashboard.services import tables
from dashboard.services.cards import Past, service_cards
from dashboard.sources.section import sections_of
from dashboard.sources.tab import Shown, SourceTab, source_tab
from status.history import Uptime, newest_beats, recent_changes, uptimes
from storage.clickhouse.reads.services import Key, read_interfaces

if TYPE_CHECKING:
    from storage.stores import Stores

ID = tables.ID
TALL_PX = 420
UPTIME_SECONDS = 30.0
"""Shares of a day and more are read anew this often: one check more or less does not move them."""

_uptimes: Memo[dict[Key, Uptime]] = Memo()


def _panels(tab: SourceTab) -> Sequence[Any]:
    table = scroll_box(slot(f"{ID}-all-table", 180), TALL_PX, "Services")
    everything = panel(
        f"{ID}-all", "Services", "in trouble first", [filter_box(f"{ID}-all-rows", "Filter services"), table],
        tools=("csv", "full"),
        definition="The newest check of each; uptime is the share of checks that found it up.",
    )  # fmt: skip
    changes = panel(
        f"{ID}-changes", "Changes of state", "of 90 days, newest 60",
        scroll_box(slot(f"{ID}-changes-table", 120), 260, "Changes of state"), tools=("csv", "full"),
        definition="Every change of state with its reason. Source: table state_changes.",
    )  # fmt: skip
    network = panel(
        f"{ID}-interfaces", "Network interfaces", "of every machine",
        scroll_box(slot(f"{ID}-interfaces-table", 120), 260, "Network interfaces"), tools=("csv", "full"),
        definition="Newest reading of the system collectors; traffic over the window. Source: /proc/net/dev, "
        "/sys/class/net/<name>/speed and operstate.",
    )  # fmt: skip
    return (everything, changes, *tab.section_panels(), network)


def _past(stores: Stores, shown: Shown) -> Past:
    watched = [each for kind in SERVICES.kinds for each in stores.settings.watch.of(kind)]
    chosen = {(each.kind, each.name) for each in shown.chosen}
    intervals = {(each.KIND, each.name): each.interval_seconds for each in watched}
    keys = tuple(key for key in intervals if key in chosen)
    every = {key: intervals[key] for key in keys}
    now = stores.clock.now()
    lately = (stores.clickhouse.database, keys, int(now // UPTIME_SECONDS))
    return Past(
        now,
        newest_beats(stores, every),
        _uptimes.get(lately, lambda: uptimes(stores, every)),
        recent_changes(stores, [f"{kind}:{instance}" for kind, instance in keys]),
        read_interfaces(stores, *shown.span.pair),
    )


SERVICES = SourceTab(
    ID, sections_of(ID), tables=tables.ALL, panels=_panels, cards=service_cards, card_px=190, more=_past
)
TAB = source_tab(SERVICES, "Services", key="6")
