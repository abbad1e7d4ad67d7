"""The charts of Kafka."""

from __future__ import annotations

from core.kinds.kafka import spec
from dashboard.sources.charts import Chart

ENDS = "ListOffsets (latest)"
COMMITS = "OffsetFetch of each group"
ENDS_AND_STARTS = f"{ENDS}, ListOffsets (earliest)"

CHARTS = (
    Chart("late", "Consumer groups, time behind", "age of the first unread message", {spec.GROUP_LAG_SECONDS: ""},
          "When the message at the committed offset arrived, interpolated from the end offsets of earlier readings; "
          f"where those do not reach back far enough, the least that it can be. {COMMITS}, {ENDS}.", label="group"),
    Chart("lag", "Consumer groups, lag", "messages not yet read", {spec.GROUP_LAG: ""},
          f"End offsets less committed offsets, all partitions of a group. {COMMITS}, {ENDS}.", label="group"),
    Chart("traffic", "Messages, per second", "written, and read by groups",
          {spec.MESSAGES_IN_RATE: "in", spec.MESSAGES_OUT_RATE: "out"},
          f"Differences of end offsets ({ENDS}) and of committed offsets ({COMMITS})."),
    Chart("in", "Messages in, per second", "by topic", {spec.TOPIC_IN_RATE: ""},
          f"Differences of end offsets, of the {spec.TOPICS_CHARTED} topics with most messages. {ENDS}.",
          label="topic"),
    Chart("broken", "Partitions in trouble", "under-replicated or offline",
          {spec.UNDER_REPLICATED: "under-replicated", spec.OFFLINE: "offline"},
          "Under-replicated: a replica is out of sync or on a broker that is gone. Offline: no live broker is the "
          "leader. Metadata."),
    Chart("dead", "Dead letters", "messages held, by topic", {spec.DEAD_LETTERS: ""},
          f"End less first offsets of topics that match the setting dead_letters. {ENDS_AND_STARTS}.", label="topic"),
)  # fmt: skip
