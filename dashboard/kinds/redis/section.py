"""The section of Redis and Valkey: its panels, each with the command behind it, and what may be done."""

from __future__ import annotations

from core.kinds.redis import spec
from dashboard.kinds.redis import tables
from dashboard.kinds.redis.cards import SPARKED, cards
from dashboard.kinds.redis.charts import CHARTS
from dashboard.sources.section import Section, TablePanel

SECTION = Section(
    kind="redis",
    charts=CHARTS,
    cards=cards,
    detail_cards=9,
    tables=(
        TablePanel("commands", "Commands", "most time first", 8, "INFO commandstats and latencystats.",
                   tables.COMMANDS, is_filtered=True),
        TablePanel("about", "Servers", "", 4, "INFO ALL, CONFIG GET.", tables.ABOUT),
        TablePanel("slow", "Slow log", "newest first", 7, "SLOWLOG GET 64.", tables.SLOW, is_filtered=True),
        TablePanel("databases", "Databases", "", 5,
                   "INFO keyspace. Analyse: SCAN, TYPE, MEMORY USAGE, PTTL of a sample.", tables.DATABASES),
        TablePanel("clients-list", "Clients", "most output held first", 12, "CLIENT LIST.", tables.CLIENTS,
                   is_filtered=True),
        TablePanel("streams", "Streams", "furthest behind first", 12,
                   "SCAN TYPE stream, 2,000 keys a reading; XINFO STREAM, GROUPS, CONSUMERS, XPENDING each 15 s.",
                   tables.STREAMS),
        TablePanel("keys-found", "Keys", "the newest analysis", 5, "A sample: SCAN, TYPE, MEMORY USAGE, PTTL.",
                   tables.keys),
        TablePanel("errors-list", "Errors", "answered to clients", 3, "INFO errorstats.", tables.ERRORS),
        TablePanel("spikes", "Latency events", "", 4, "LATENCY LATEST.", tables.LATENCY),
        TablePanel("replicas", "Replicas", "", 12, "INFO replication.", tables.REPLICAS),
    ),
    actions=tuple(spec.Actions),
    metrics=SPARKED,
)  # fmt: skip
