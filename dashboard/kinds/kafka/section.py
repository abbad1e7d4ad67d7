"""The section of Kafka: its panels, each with the requests behind it, and what may be done."""

from __future__ import annotations

from core.format import coarse_duration
from core.kinds.kafka import spec
from dashboard.kinds.kafka import tables
from dashboard.kinds.kafka.cards import SPARKED, cards
from dashboard.kinds.kafka.charts import CHARTS, COMMITS, ENDS
from dashboard.sources.section import Section, TablePanel

MEMBERS, STARTS, CONFIGS = map(
    coarse_duration, (spec.MEMBERS_SECONDS, spec.STARTS_SECONDS, spec.CONFIGS_SECONDS)
)  # fmt: skip

SECTION = Section(
    kind="kafka",
    charts=CHARTS,
    cards=cards,
    detail_cards=6,
    tables=(
        TablePanel("groups", "Consumer groups", "in trouble first", 12,
                   f"ListGroups and {COMMITS} each reading, DescribeGroups each {MEMBERS}.", tables.GROUPS,
                   is_filtered=True, is_lazy=True),
        TablePanel("lags", "Lag by partition", "in trouble first, then furthest behind", 12, f"{COMMITS}, {ENDS}.",
                   tables.LAGS, is_filtered=True, is_lazy=True),
        TablePanel("topics", "Topics", "in trouble first, then most traffic", 12,
                   f"Metadata and {ENDS} each reading, ListOffsets (earliest) each {STARTS}, DescribeConfigs each "
                   f"{CONFIGS}.", tables.TOPICS, is_filtered=True, is_lazy=True),
        TablePanel("brokers", "Brokers", "gone first", 6, f"Metadata, {ENDS}.", tables.BROKERS, is_lazy=True),
        TablePanel("about", "Clusters", "", 6, "Metadata, ListGroups.", tables.CLUSTERS, is_lazy=True),
    ),
    actions=tuple(spec.Actions),
    metrics=SPARKED,
)  # fmt: skip
