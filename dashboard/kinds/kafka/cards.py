"""The cards of Kafka."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from core.format import coarse_duration, count, duration, noun, number, tenths
from core.kinds.kafka import spec
from core.kinds.kafka.spec import Checks
from dashboard.kinds.kafka.charts import COMMITS, ENDS, ENDS_AND_STARTS
from dashboard.sources.shown import Shown
from dashboard.sources.strip import detail_card, source_card, strip
from status.instances import Instance
from storage.clickhouse.reads.sources import SourceSeries

SPARKED = (spec.LAG, spec.LAG_SECONDS, spec.METADATA_SECONDS, spec.BROKERS)
"""Metrics of sparklines that no chart shows."""


def cards(shown: Shown) -> Sequence[Any]:
    """Return a card for each cluster, those in trouble first; of a single one what it consists of as well."""
    return strip(shown.chosen, shown.series, _source, _details)


def _source(instance: Instance, series: SourceSeries) -> Any:
    return source_card(
        instance,
        tenths(instance.value(spec.MESSAGES_IN_RATE)),
        "messages/s",
        spark=series.one(spec.MESSAGES_IN_RATE, instance=instance.name),
        definition=f"Messages written a second since the reading before, all topics but Kafka's own. {ENDS}.",
    )


def _details(instance: Instance, series: SourceSeries) -> list[Any]:
    spark = partial(series.one, instance=instance.name)
    value = instance.value
    under, offline = value(spec.UNDER_REPLICATED), value(spec.OFFLINE)
    judged = instance.check(Checks.GROUPS)
    return [
        detail_card(instance, Checks.GROUPS, "Furthest behind", duration(value(spec.LAG_SECONDS)),
                    spark=spark(spec.LAG_SECONDS),
                    why="" if judged and judged.why else f"of {count(value(spec.GROUPS), 'group')}",
                    definition="The group whose first unread message is oldest. Judged by Burrow's rules over a window "
                    "of commits, without a fixed threshold: stuck, stopped, went back (critical), falls behind "
                    f"(warning). {COMMITS}, {ENDS}, DescribeGroups."),
        detail_card(instance, "", "Lag", number(value(spec.LAG)), noun(value(spec.LAG), "message"),
                    spark=spark(spec.LAG),
                    why=f"{tenths(value(spec.MESSAGES_OUT_RATE))} read/s",
                    definition=f"Of all groups. {COMMITS}, {ENDS}."),
        detail_card(instance, Checks.BROKERS, "Brokers", number(value(spec.BROKERS)), spark=spark(spec.BROKERS),
                    definition="Brokers that the cluster reports as alive. Warning when one that holds replicas is "
                    "gone. Metadata."),
        detail_card(instance, Checks.OFFLINE if offline else Checks.UNDER_REPLICATED, "Partitions in trouble",
                    number(None if under is None else max(under, offline or 0.0)),
                    spark=spark(spec.UNDER_REPLICATED),
                    why="" if under or offline else f"of {number(value(spec.PARTITIONS))}, all replicas in sync",
                    definition="Under-replicated (warning) or without a leader (critical). Metadata."),
        detail_card(instance, Checks.DEAD_LETTERS, "Dead letters", number(_dead(instance)),
                    noun(_dead(instance), "message"),
                    definition="Held by topics that match the setting dead_letters. Warning for "
                    f"{coarse_duration(spec.DEAD_LETTER_SECONDS)} after one came. {ENDS_AND_STARTS}."),
        detail_card(instance, Checks.LATENCY, "Metadata", duration(value(spec.METADATA_SECONDS)),
                    spark=spark(spec.METADATA_SECONDS),
                    definition="Time to the answer to a Metadata request. Warning from "
                    f"{duration(spec.METADATA.warning)}."),
    ]  # fmt: skip


def _dead(instance: Instance) -> float | None:
    found = instance.reading.series(spec.DEAD_LETTERS) if instance.reading else {}
    return sum(found.values()) if found else None
