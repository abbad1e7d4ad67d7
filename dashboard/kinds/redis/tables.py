"""The tables of Redis, and the buttons in them."""

from __future__ import annotations

from functools import partial
from typing import Any

from dash import html

from core.format import bytes_, count, duration, number, percent, tenths
from core.kinds.redis import spec
from core.kinds.redis.spec import Actions
from dashboard.components.age import age, local_time
from dashboard.sources.actions import action_button, answer_of
from dashboard.sources.facts import Fact, Facts
from dashboard.sources.shown import Shown
from dashboard.sources.table import Field, Rows, instance_table, words
from status.instances import Instance

OURSELVES = "fundwatch"
"""Name of the connection over which the readings come."""
SLOW_SHOWN = 64


def _share(row: spec.Database) -> float | None:
    return row.expires / row.keys if row.keys else None


def _analyse(shown: Shown, instance: Instance, row: spec.Database) -> html.Button:
    question = (
        f"Look at up to 10,000 keys of db{row.db} on {instance.title}? SCAN, TYPE, MEMORY USAGE and PTTL, in steps of "
        "500 keys, at most 10 seconds."
    )
    return action_button(shown, instance.collector, Actions.ANALYSE_KEYS, row.db, "Analyse", question)


DATABASES = Rows(
    spec.Database,
    (
        words("db", "Database", value=lambda row: f"db{row.db}"),
        Field("keys", "Keys", number),
        Field("expires", "With TTL", number, "Keys that expire by themselves"),
        Field("share", "Share with TTL", percent, value=_share),
        Field("ttl_seconds", "Mean TTL", duration),
        Field("look", "", button=_analyse, numeric=False),
    ),
    nothing="No database has a key.",
)

KEYS = (
    words("group", "By"),
    words("name", "Name"),
    words("type", "Type"),
    Field("keys", "Keys", number),
    Field("bytes", "Memory", bytes_, "MEMORY USAGE, five elements of each collection sampled"),
    Field("lasting_ratio", "Without TTL", percent),
)


def keys(shown: Shown, id: str, title: str) -> html.Div:
    """Return the newest analysis of keys: by type, by namespace, the biggest."""
    answers = [(each, answer_of(shown.actions, each, Actions.ANALYSE_KEYS, spec.KeyGroup)) for each in shown.chosen]
    found = [(each, *answer) for each, answer in answers if answer is not None]
    if not found:
        return html.Div(html.P("Not asked for yet: “Analyse” beside a database.", className="fw-nothing"))
    instance, action, rows = max(found, key=lambda answer: answer[1].id)
    told = html.P([f"{instance.title}: {action.result}, ", age(action.finished_at, prefix="")])
    table = instance_table(
        shown, id, KEYS, [(instance, row) for row in rows], caption=title, nothing="No key was found."
    )
    return html.Div([told, table])


def _warn(key: str) -> Any:
    return lambda row: "warning" if getattr(row, key) else ""


COMMANDS = Rows(
    spec.Command,
    (
        words("command", "Command"),
        Field("calls_per_second", "Calls/s", tenths),
        Field("busy_ratio", "Busy", percent, "Share of time that the server spent in it since the reading before"),
        Field("calls", "Calls", number, "Since the start or CONFIG RESETSTAT"),
        Field("mean_seconds", "Mean", duration),
        Field("p50_seconds", "p50", duration),
        Field("p99_seconds", "p99", duration),
        Field("p999_seconds", "p99.9", duration),
        Field("rejected", "Rejected", number, "Refused before they ran", _warn("rejected")),
        Field("failed", "Failed", number, "Ran into an error", _warn("failed")),
    ),
    nothing="No command statistics yet.",
    sort=lambda row: -(row.busy_ratio or 0),
)


def _nothing_slow(shown: Shown) -> str:
    told = [each.first(spec.About) for each in shown.chosen]
    limit = [about.slowlog_microseconds for about in told if about]
    slower = f" slower than {duration(limit[0] / 1e6)}" if limit and limit[0] is not None and limit[0] > 0 else ""
    return f"Nothing{slower} since the log was emptied."


def _resets(shown: Shown) -> html.Div:
    buttons: list[Any] = []
    for each in shown.chosen:
        about = each.first(spec.About)
        if about and about.slowlog_length:
            text = "Empty" if shown.only else f"Empty {each.name}"
            entries = count(about.slowlog_length, "entry", "entries")
            question = f"Empty the slow log of {each.title} ({entries})? SLOWLOG RESET; they are gone for all."
            buttons.append(action_button(shown, each.collector, Actions.RESET_SLOWLOG, "", text, question))
    return html.Div(buttons, className="fw-buttons")


SLOW = Rows(
    spec.SlowEntry,
    (
        Field("ts", "When", local_time, numeric=False),
        Field("seconds", "Took", duration),
        words("command", "Command"),
        words("client", "Client"),
        words("client_name", "Name"),
    ),
    nothing=_nothing_slow,
    sort=lambda row: -row.ts,
    above=_resets,
    most=SLOW_SHOWN,
)


def _no_event(shown: Shown) -> str:
    told = {each.name: each.first(spec.About) for each in shown.chosen}
    off = [name for name, about in told.items() if about and about.latency_milliseconds == 0]
    recording = f" Recording is off on {', '.join(off)} (latency-monitor-threshold 0)." if off else ""
    return f"No latency event was recorded.{recording}"


LATENCY = Rows(
    spec.LatencyEvent,
    (
        words("event", "Event"),
        Field("ts", "Last", local_time, numeric=False),
        Field("last_seconds", "Took", duration),
        Field("longest_seconds", "Longest", duration,
              tone=lambda row: "warning" if spec.LATENCY_EVENT.is_bad(row.longest_seconds) else ""),
    ),
    nothing=_no_event,
)  # fmt: skip

ERRORS = Rows(
    spec.Error,
    (
        words("error", "Error"),
        Field("count", "Count", number, "Since the start or CONFIG RESETSTAT"),
        Field("per_second", "Now, /s", tenths, "", _warn("per_second")),
    ),
    nothing="No error was ever answered.",
)


def _disconnect(shown: Shown, instance: Instance, row: spec.Client) -> Any:
    if row.name == OURSELVES:
        return "ourselves"
    who = f"client {row.id} ({row.name + ', ' if row.name else ''}{row.address})"
    question = f"Disconnect {who} from {instance.title}? CLIENT KILL ID {row.id}."
    return action_button(shown, instance.collector, Actions.KILL_CLIENT, str(row.id), "Disconnect", question)


CLIENTS = Rows(
    spec.Client,
    (
        words("address", "Address"),
        words("name", "Name"),
        words("user", "User"),
        words("db", "DB"),
        words("command", "Last command"),
        Field("age_seconds", "Connected", duration),
        Field("idle_seconds", "Idle", duration),
        Field("output_bytes", "Output held", bytes_, "Answers that it has not taken yet (omem)"),
        Field("memory_bytes", "Memory", bytes_),
        words("state", "State"),
        Field("id", "", button=_disconnect, numeric=False),
    ),
    nothing="Not listed: more than 1,000 clients, or our user may not.",
    sort=lambda row: -(row.output_bytes or 0),
)

REPLICAS = Rows(
    spec.Replica,
    (
        words("address", "Replica"),
        words("state", "State", tone=lambda row: "" if row.state == "online" else "warning"),
        Field("behind_bytes", "Behind", bytes_),
        Field("lag_seconds", "Last heard", duration),
    ),
    nothing="No replica is connected.",
)


def _waits_long(row: spec.StreamGroup) -> str:
    return "warning" if spec.STREAM_IDLE.is_bad(row.oldest_pending_seconds or 0) else ""


STREAMS = Rows(
    spec.StreamGroup,
    (
        words("stream", "Stream"),
        words("group", "Group"),
        Field("length", "Length", number),
        Field("added", "Added", number, "Entries ever added"),
        Field("lag", "Lag", number, "Entries not yet delivered to the group"),
        Field("pending", "Pending", number, "Delivered and not acknowledged"),
        Field("oldest_pending_seconds", "Oldest pending", duration, "", _waits_long),
        Field("consumers", "Consumers", number),
        Field("idle_seconds", "Idle", duration, "Since a consumer last asked"),
        Field("entries_read", "Read", number),
        words("last_delivered", "Last delivered"),
        words("last_id", "Last entry"),
    ),
    nothing="No stream was found.",
)

ABOUT = Facts(
    spec.About,
    (
        Fact("product", "Product"),
        Fact("mode", "Mode"),
        Fact("role", "Role"),
        Fact("uptime_seconds", "Up", duration),
        Fact("os", "System"),
        Fact("policy", "Eviction policy"),
        Fact("limit_bytes", "Memory limit", bytes_, none="no limit"),
        Fact("machine_bytes", "Memory of its machine", bytes_),
        Fact("peak_bytes", "Memory peak", bytes_),
        Fact("dataset_bytes", "Data", bytes_),
        Fact("overhead_bytes", "Overhead", bytes_),
        Fact("allocator_fragmentation", "Allocator fragmentation", partial(number, decimals=2)),
        Fact("max_clients", "Most clients", number),
        Fact("changes_unsaved", "Changes since the last save", number),
        Fact("fork_seconds", "Last fork took", duration),
        Fact("pubsub_channels", "Pub/sub channels", number),
        Fact("pubsub_patterns", "Pub/sub patterns", number),
        Fact("denied", "Our user may not"),
    ),
)
