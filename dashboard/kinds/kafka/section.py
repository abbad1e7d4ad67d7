"""Kafka in the pipeline tab: brokers, traffic, and who is behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.format import count, duration, number, tenths
from dashboard.kinds.kafka import tables
from dashboard.sources.charts import Chart
from dashboard.sources.section import OldPanel, old_section
from dashboard.sources.shown import Shown
from dashboard.sources.strip import detail_card, source_card, strip
from status.instances import Instance
from storage.clickhouse.reads.sources import SourceSeries

KIND = "kafka"
OFFSETS = "ListOffsets (latest)"
COMMITS = "OffsetFetch of each group"

CHARTS = (
    Chart("kafka-late", "Consumer groups, behind", "age of the first unread message",
          {"kafka_group_lag_seconds": ""},
          "When the message at the committed offset came, interpolated in the course of end offsets; where that does "
          f"not reach so far back, the least. {COMMITS}, {OFFSETS}.", label="group"),
    Chart("kafka-lag", "Consumer groups, lag", "messages not yet read", {"kafka_group_lag_messages": ""},
          f"End offsets less committed offsets, all partitions of a group. {COMMITS}, {OFFSETS}.",
          label="group"),
    Chart("kafka-traffic", "Messages, per second", "written, and read by groups",
          {"kafka_messages_in_per_second": "in", "kafka_messages_out_per_second": "out"},
          f"Differences of end offsets ({OFFSETS}) and of committed offsets ({COMMITS})."),
    Chart("kafka-in", "Messages in, per second", "by topic", {"kafka_topic_in_per_second": ""},
          f"Differences of end offsets, of the 40 topics with most messages. {OFFSETS}.", label="topic"),
    Chart("kafka-broken", "Partitions in trouble", "a copy behind; without a leader",
          {"kafka_partitions_under_replicated": "behind", "kafka_partitions_offline": "offline"},
          "Partitions with a copy that is not in sync or on a broker that has gone; partitions that no living broker "
          "leads. Metadata."),
    Chart("kafka-dead", "Dead letters", "messages held, by topic", {"kafka_dead_letters": ""},
          f"End less first offsets of topics that match the setting dead_letters. {OFFSETS}, ListOffsets (earliest).",
          label="topic"),
)  # fmt: skip
SPARKED = ("kafka_lag_messages", "kafka_lag_seconds", "kafka_metadata_seconds", "kafka_brokers", "kafka_groups")
"""Metrics of sparklines that no chart shows."""


def cards(shown: Shown) -> Sequence[Any]:
    """Return a card for each cluster, those in trouble first; of a single one what it consists of as well."""
    return strip(shown.chosen, shown.series, _source, _details)


def _source(instance: Instance, series: SourceSeries) -> Any:
    return source_card(
        instance,
        tenths(instance.value("kafka_messages_in_per_second")),
        "messages/s",
        spark=series.one("kafka_messages_in_per_second", instance=instance.name),
        definition=f"Messages written a second since the reading before, all topics but Kafka's own. {OFFSETS}.",
    )


def _details(instance: Instance, series: SourceSeries) -> list[Any]:
    def value(metric: str) -> float | None:
        return instance.value(f"kafka_{metric}")

    def spark(metric: str) -> Any:
        return series.one(f"kafka_{metric}", instance=instance.name)

    under, offline = value("partitions_under_replicated"), value("partitions_offline")
    late, judged = value("lag_seconds"), instance.check("groups")
    return [
        detail_card(instance, "groups", "Furthest behind", duration(late), spark=spark("lag_seconds"),
                    why="" if judged and judged.why else f"of {count(value('groups'), 'group')}",
                    definition="The group whose first unread message is oldest. Judged by Burrow's rules over a window "
                    "of commits, without a fixed threshold: stuck, stopped, went back (critical), falls behind "
                    f"(warning). {COMMITS}, {OFFSETS}, DescribeGroups."),
        detail_card(instance, "", "Lag", number(value("lag_messages")), "messages", spark=spark("lag_messages"),
                    why=f"{tenths(value('messages_out_per_second'))} read/s",
                    definition=f"Of all groups. {COMMITS}, {OFFSETS}."),
        detail_card(instance, "brokers", "Brokers", number(value("brokers")), spark=spark("brokers"),
                    definition="Alive, as the cluster tells it; gone are those that hold copies and are not alive. "
                    "Metadata."),
        detail_card(instance, "offline" if offline else "under-replicated", "Partitions in trouble",
                    number(None if under is None else max(under, offline or 0.0)),
                    spark=spark("partitions_under_replicated"),
                    why="" if under or offline else f"of {number(value('partitions'))}, all copies in sync",
                    definition="Under-replicated (warning) or without a leader (critical). Metadata."),
        detail_card(instance, "dead letters", "Dead letters", number(_dead(instance)), "messages",
                    definition="Held by topics that match the setting dead_letters. Warning for ten minutes after one "
                    f"came. {OFFSETS}, ListOffsets (earliest)."),
        detail_card(instance, "latency", "Metadata", duration(value("metadata_seconds")),
                    spark=spark("metadata_seconds"),
                    definition="Time to the answer to a Metadata request. Warning from 500 ms."),
    ]  # fmt: skip


def _dead(instance: Instance) -> float | None:
    found = instance.reading.series("kafka_dead_letters") if instance.reading else {}
    return sum(found.values()) if found else None


TABLES = {
    "kafka-groups": tables.groups,
    "kafka-lags": tables.lags,
    "kafka-topics": tables.topics,
    "kafka-brokers": tables.brokers,
    "kafka-about": tables.clusters,
}
SECTION = old_section(
    KIND,
    CHARTS,
    cards,
    TABLES,
    (
        OldPanel("kafka-groups", "Consumer groups", "in trouble first", 12,
                   f"ListGroups and {COMMITS} each reading, DescribeGroups each 15 s.", tables.rows_id("groups")),
        OldPanel("kafka-lags", "Lag by partition", "in trouble first, then furthest behind", 12,
                   f"{COMMITS}, {OFFSETS}.", tables.rows_id("lags")),
        OldPanel("kafka-topics", "Topics", "in trouble first, then most traffic", 12,
                   f"Metadata and {OFFSETS} each reading, ListOffsets (earliest) each minute, DescribeConfigs each 5.",
                   tables.rows_id("topics")),
        OldPanel("kafka-brokers", "Brokers", "gone first", 6, "Metadata, ListOffsets."),
        OldPanel("kafka-about", "Clusters", "", 6, "Metadata, ListGroups."),
    ),
    actions=tables.ACTIONS,
    metrics=SPARKED,
    lazy=frozenset(TABLES),
)  # fmt: skip
