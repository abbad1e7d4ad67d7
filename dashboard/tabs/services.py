"""Services: what must be up for the fund to trade: addresses, ports, processes, units, exporters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.memo import Memo
from core.model import LiveReading, SourceId
from core.web.spec import REQUESTS as REQUESTS_COLLECTOR
from dashboard.services.cards import ALL, Past, cards_of, past_of
from dashboard.services.requests import REQUESTS, SLOWEST, requests, requests_panels, slowest
from dashboard.services.tables import TABLES
from dashboard.sources.changes import changes_panel
from dashboard.sources.page import source_tab
from dashboard.sources.section import sections_of
from dashboard.sources.shown import Shown
from dashboard.sources.tab import SourceTab
from dashboard.views.panel import Panel, TableBody
from status.history import Uptime, newest_beats, uptimes
from status.states import recent_changes
from storage.clickhouse.reads.services import Key, read_interfaces

if TYPE_CHECKING:
    from storage.stores import Stores

ID = "services"
TALL_PX, NETWORK_PX = 420, 260
UPTIME_SECONDS = 30.0
"""Shares of a day and more are read anew this often: one check more or less does not move them."""

_uptimes: Memo[dict[Key, Uptime]] = Memo()


EVERYTHING = Panel(
    f"{ID}-{ALL}",
    "Services",
    "The newest check of each; uptime is the share of checks that found it up.",
    TableBody(180, TALL_PX, f"{ID}-{ALL}-rows"),
    subtitle="in trouble first",
)
NETWORK = Panel(
    f"{ID}-interfaces",
    "Network interfaces",
    "Newest reading of the system collectors; traffic over the window. Source: /proc/net/dev, "
    "/sys/class/net/<name>/speed and operstate.",
    TableBody(120, NETWORK_PX),
    subtitle="of every machine",
)


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
        recent_changes(stores, [str(SourceId(*key)) for key in keys]),
        read_interfaces(stores, *shown.span.pair),
        requests=stores.live.readings([REQUESTS_COLLECTOR]).get(REQUESTS_COLLECTOR),
        link_limit=stores.settings.thresholds.network,
    )


def _requests(shown: Shown) -> dict[str, LiveReading | None]:
    return dict.fromkeys((REQUESTS, SLOWEST), past_of(shown).requests)


SECTIONS = sections_of(ID)
SERVICES = SourceTab(
    ID, SECTIONS, tables={**TABLES, REQUESTS: requests, SLOWEST: slowest}, before=(EVERYTHING, changes_panel(ID)),
    after=(NETWORK, *requests_panels(ID)), cards=cards_of(SECTIONS), card_px=190, more=_past, readings=_requests,
    datasets=(REQUESTS_COLLECTOR,),
)  # fmt: skip
TAB = source_tab(SERVICES, "Services", key="7")
