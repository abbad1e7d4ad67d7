"""The tables of Kafka in the pipeline tab."""

from __future__ import annotations

from functools import partial
from typing import Any

from dash import html

from core.format import duration, number, tenths
from core.kinds.registry import collector_title
from dashboard.sources.actions import action_button
from dashboard.sources.shown import Shown
from dashboard.sources.table import Field, source_rows, source_table, words
from status.instances import Row

TAB = "pipeline"
ACTIONS = ("reset_to_end", "reset_to_start")
VERDICTS = {"falls behind": "warning", "stuck": "critical", "stopped": "critical", "went back": "critical"}
STATES = {"gone": "critical", "no answer": "warning"}


def rows_id(table: str) -> str:
    """Return the id of the rows of a table, which its filter box narrows."""
    return f"{TAB}-kafka-{table}-rows"


def groups(shown: Shown) -> html.Div:
    """Return the consumer groups, those in trouble first."""
    fields = (
        words("group", "Group"),
        words("verdict", "Judged", "By Burrow's rules; the worst of its partitions", _verdict),
        words("state", "State", "As its coordinator tells it", _state),
        Field("lag", "Lag", number, "Messages not yet read: end offsets less committed offsets"),
        Field("behind_seconds", "Behind", duration, BEHIND, _least),
        Field("out_per_second", "Read/s", tenths, "Committed offsets, difference since the reading before"),
        Field("members", "Members", number),
        Field("partitions", "Partitions", number, "Of which it has committed an offset"),
        words("clients", "Clients"),
        words("assignor", "Assignor"),
        words("coordinator", "Coordinator"),
        Field("to_end", "", button=partial(_move, shown, "end"), numeric=False),
        Field("to_start", "", button=partial(_move, shown, "start"), numeric=False),
    )
    return _table(shown, "groups", fields, "Consumer groups", "No consumer group is there.")


def _move(shown: Shown, where: str, row: Row) -> html.Button | None:
    """Return the button that moves a group, where moving is possible: nobody reads for it."""
    if row["members"] != 0:
        return None
    what = "skips what it has not read" if where == "end" else "lets it read again all that is kept"
    question = (
        f"Move group {row['group']} on {collector_title(row['source'])} to the {where} of each partition? "
        f"That {what}. Kafka refuses while the group has members. Commits offsets (OffsetCommit)."
    )
    action = f"reset_to_{where}"
    return action_button(shown, row["source"], action, row["group"], f"To {where}", question)


def lags(shown: Shown) -> html.Div:
    """Return the partitions of groups, those in trouble first."""
    fields = (
        words("group", "Group"),
        words("topic", "Topic"),
        Field("partition", "Partition", _text),
        words("verdict", "Judged", "By Burrow's rules", _verdict),
        Field("lag", "Lag", number, "Messages: end less committed"),
        Field("behind_seconds", "Behind", duration, BEHIND, _least),
        Field("out_per_second", "Read/s", tenths),
        Field("silent_seconds", "Unmoved", duration, "Since its committed offset was last seen to move"),
        Field("committed", "Committed", number),
        Field("end", "End", number),
        Field("lost", "Lost", number, "Deleted by retention before the group read them", _bad("lost", "critical")),
        words("client", "Client"),
        words("host", "Host"),
    )
    return _table(shown, "lags", fields, "Lag by partition", "No group has committed an offset.")


def topics(shown: Shown) -> html.Div:
    """Return the topics, those in trouble first, then those with most traffic."""
    fields = (
        words("topic", "Topic"),
        words("kind", "Kind", "dead letters: its name matches the setting of that name"),
        Field("in_per_second", "In/s", tenths, "End offsets, difference since the reading before"),
        Field("lag", "Lag", number, "Of the group that is furthest behind"),
        Field("groups", "Groups", number, "That have committed an offset"),
        Field("messages", "Messages", number, "End less first offset; compaction and transactions leave gaps"),
        Field("arrived", "New in 10 min", number, "In topics of dead letters", _bad("arrived", "warning")),
        Field("partitions", "Partitions", number),
        Field("copies", "Copies", number, "Replicas of a partition"),
        Field("under_replicated", "Behind", number, "Partitions with an incomplete copy", _bad("under_replicated")),
        Field("offline", "Offline", number, "Partitions without a leader", _bad("offline", "critical")),
        Field("retention_seconds", "Kept for", duration, "retention.ms; empty: for ever, or not told"),
        words("cleanup", "Clean-up"),
    )
    return _table(shown, "topics", fields, "Topics", "No topic is there.")


def brokers(shown: Shown) -> html.Div:
    """Return the brokers, those gone first."""
    fields = (
        Field("broker", "Broker", _text),
        words("address", "Address"),
        words("state", "State", tone=lambda row: STATES.get(row["state"], "")),
        words("role", "Role"),
        Field("leads", "Leads", number, "Partitions that it leads"),
        Field("copies", "Copies", number, "Partitions of which it holds a copy"),
        Field("behind", "Incomplete", number, "Copies that are not in sync", _bad("behind")),
        Field("in_per_second", "In/s", tenths, "Messages to partitions that it leads"),
    )
    return _table(shown, "brokers", fields, "Brokers", "No broker is known.")


def clusters(shown: Shown) -> html.Div:
    """Return a row for each cluster."""
    fields = (
        words("cluster", "Cluster"),
        words("bootstrap", "Asked at"),
        Field("topics", "Topics", number),
        Field("partitions", "Partitions", number),
        Field("groups", "Groups", number),
        Field("groups_read", "Read", number, "At most 100 groups; the setting groups narrows them", _unread),
        Field("requests", "Our requests", number, "Since Fundwatch began to watch it"),
        Field("window_seconds", "Window", duration, "Of Burrow's rules: the setting window_seconds"),
    )
    return _table(shown, "about", fields, "Clusters", "No cluster has been read yet.")


def _by_trouble(row: Row) -> Any:
    return -TONES.index(VERDICTS.get(row["verdict"], "")), -(row["lag"] or 0)


def _by_traffic(row: Row) -> Any:
    return -row["offline"], -row["under_replicated"], -(row["arrived"] or 0), -(row["in_per_second"] or 0)


TONES = ("", "warning", "critical")
ORDERS = {
    "groups": _by_trouble,
    "lags": _by_trouble,
    "topics": _by_traffic,
    "brokers": lambda row: row["state"] == "up",
}
BEHIND = "Age of the first unread message, from the course of end offsets; grey: that long or longer"


def _table(shown: Shown, table: str, fields: tuple[Field, ...], caption: str, nothing: str) -> html.Div:
    rows = source_rows(shown.chosen, table)
    if table in ORDERS:
        # Each cluster's rows come in order; together they need a new one.
        rows.sort(key=ORDERS[table])
    return source_table(rows_id(table), fields, rows, caption=caption, nothing=nothing)


def _text(value: Any) -> str:
    return str(value)


def _verdict(row: Row) -> str:
    return VERDICTS.get(row["verdict"], "")


def _state(row: Row) -> str:
    return "warning" if "rebalancing" in row["state"] else ""


def _least(row: Row) -> str:
    return "muted" if row["is_least"] else ""


def _unread(row: Row) -> str:
    return "warning" if row["groups_read"] < row["groups"] else ""


def _bad(key: str, tone: str = "warning") -> Any:
    return lambda row: tone if row[key] else ""
