"""The tables of the cache tab."""

from __future__ import annotations

from functools import partial
from typing import Any

from dash import html

from core.format import bytes_, count, duration, number, percent, tenths
from core.kinds.registry import component_name
from dashboard.components.about_table import Fact, about_table, told_by
from dashboard.components.age import age, local_time
from dashboard.sources.actions import action_button, answer_of
from dashboard.sources.tab import Shown
from dashboard.sources.table import Field, source_rows, source_table, words
from status.instances import Row

ID = "cache"
ACTIONS = {"redis": ("reset_slowlog", "kill_client", "analyse_keys")}
LAGGING = 300.0
OURSELVES = "fundwatch"
"""Name of the connection over which the readings come."""


def databases(shown: Shown) -> html.Div:
    """Return the databases, each with the button that looks at a sample of its keys."""
    fields = (
        words("db", "Database"),
        Field("keys", "Keys", number),
        Field("expires", "With TTL", number, "Keys that expire by themselves"),
        Field("share", "Share with TTL", percent),
        Field("ttl_seconds", "Mean TTL", duration),
        Field("look", "", button=partial(_look, shown), numeric=False),
    )
    rows = [
        {**row, "db": f"db{row['db']}", "share": row["expires"] / row["keys"] if row["keys"] else None}
        for row in source_rows(shown.chosen, "databases")
    ]
    return source_table(f"{ID}-databases-rows", fields, rows, caption="Databases", nothing="No database has a key.")


def _look(shown: Shown, row: Row) -> html.Button:
    question = (
        f"Look at up to 10,000 keys of {row['db']} on {component_name(row['source'])}? SCAN, TYPE, MEMORY USAGE and "
        "PTTL, in steps of 500 keys, at most 10 seconds."
    )
    database = row["db"].removeprefix("db")
    return action_button(ID, row["source"], "analyse_keys", database, "Analyse", question, may_act=shown.may_act)


def keys(shown: Shown) -> html.Div:
    """Return the newest analysis of keys: by type, by namespace, the biggest."""
    answers = [answer_of(shown.actions, each.collector, "analyse_keys") for each in shown.chosen]
    found = [answer for answer in answers if answer is not None]
    if not found:
        return html.Div(html.P("Not asked for yet: “Analyse” beside a database.", className="fw-nothing"))
    action, rows = max(found, key=lambda answer: answer[0].id)
    fields = (
        words("group", "By"),
        words("name", "Name"),
        words("type", "Type"),
        Field("keys", "Keys", number),
        Field("bytes", "Memory", bytes_, "MEMORY USAGE, five elements of each collection sampled"),
        Field("lasting_ratio", "Without TTL", percent),
    )
    table = source_table(f"{ID}-keys-rows", fields, rows, caption="Keys", nothing="No key was found.")
    told = html.P([f"{component_name(action.source)}: {action.result}, ", age(action.finished_at, prefix="")])
    return html.Div([told, table])


def commands(shown: Shown) -> html.Div:
    """Return the commands by the time they take."""
    fields = (
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
    )
    rows = sorted(source_rows(shown.chosen, "commands"), key=lambda row: -(row["busy_ratio"] or 0))
    return source_table(f"{ID}-commands-rows", fields, rows, caption="Commands", nothing="No command statistics yet.")


def slow_log(shown: Shown) -> html.Div:
    """Return the slow log, newest first, with the button that empties it."""
    fields = (
        Field("ts", "When", local_time, numeric=False),
        Field("seconds", "Took", duration),
        words("command", "Command"),
        words("client", "Client"),
        words("client_name", "Name"),
    )
    rows = sorted(source_rows(shown.chosen, "slowlog"), key=lambda row: -row["ts"])[:64]
    limit = [each.about.get("slowlog_microseconds") for each in shown.chosen]
    slower = f" slower than {duration(limit[0] / 1e6)}" if limit and limit[0] is not None and limit[0] > 0 else ""
    table = source_table(
        f"{ID}-slow-rows", fields, rows, caption="Slow log", nothing=f"Nothing{slower} since the log was emptied."
    )
    return html.Div([_resets(shown), table])


def _resets(shown: Shown) -> html.Div:
    buttons: list[Any] = []
    for each in shown.chosen:
        length = each.about.get("slowlog_length")
        if length:
            text = "Empty" if shown.only else f"Empty {each.name}"
            entries = count(length, "entry", "entries")
            question = f"Empty the slow log of {each.title} ({entries})? SLOWLOG RESET; they are gone for all."
            buttons.append(
                action_button(ID, each.collector, "reset_slowlog", "", text, question, may_act=shown.may_act)
            )
    return html.Div(buttons, className="fw-buttons")


def latency(shown: Shown) -> html.Div:
    """Return the latency events."""
    fields = (
        words("event", "Event"),
        Field("ts", "Last", local_time, numeric=False),
        Field("last_seconds", "Took", duration),
        Field(
            "longest_seconds", "Longest", duration, "", lambda row: "warning" if row["longest_seconds"] > 0.1 else ""
        ),
    )
    off = [each.name for each in shown.chosen if each.about.get("latency_milliseconds") == 0]
    nothing = "No latency spike was recorded." + (
        f" Recording is off on {', '.join(off)} (latency-monitor-threshold 0)." if off else ""
    )
    rows = source_rows(shown.chosen, "latency")
    return source_table(f"{ID}-spikes-rows", fields, rows, caption="Latency events", nothing=nothing)


def errors(shown: Shown) -> html.Div:
    """Return the errors answered, by prefix."""
    fields = (
        words("error", "Error"),
        Field("count", "Count", number, "Since the start or CONFIG RESETSTAT"),
        Field("per_second", "Now, /s", tenths, "", _warn("per_second")),
    )
    rows = source_rows(shown.chosen, "errors")
    return source_table(f"{ID}-errors-rows", fields, rows, caption="Errors", nothing="No error was ever answered.")


def clients(shown: Shown) -> html.Div:
    """Return the clients, each with the button that disconnects it."""
    fields = (
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
        Field("id", "", button=partial(_kill, shown), numeric=False),
    )
    rows = sorted(source_rows(shown.chosen, "clients"), key=lambda row: -(row["output_bytes"] or 0))
    nothing = "Not listed: more than 1,000 clients, or our user may not."
    return source_table(f"{ID}-clients-rows", fields, rows, caption="Clients", nothing=nothing)


def _kill(shown: Shown, row: Row) -> Any:
    if row["name"] == OURSELVES:
        return "ourselves"
    who = f"client {row['id']} ({row['name'] + ', ' if row['name'] else ''}{row['address']})"
    question = f"Disconnect {who} from {component_name(row['source'])}? CLIENT KILL ID {row['id']}."
    return action_button(
        ID, row["source"], "kill_client", str(row["id"]), "Disconnect", question, may_act=shown.may_act
    )


def replicas(shown: Shown) -> html.Div:
    """Return the replicas."""
    fields = (
        words("address", "Replica"),
        words("state", "State", "", lambda row: "" if row["state"] == "online" else "warning"),
        Field("behind_bytes", "Behind", bytes_),
        Field("lag_seconds", "Last heard", duration),
    )
    rows = source_rows(shown.chosen, "replicas")
    return source_table(f"{ID}-replicas-rows", fields, rows, caption="Replicas", nothing="No replica is connected.")


def streams(shown: Shown) -> html.Div:
    """Return the streams and their groups, the one furthest behind first."""
    fields = (
        words("stream", "Stream"),
        words("group", "Group"),
        Field("length", "Length", number),
        Field("added", "Added", number, "Entries ever added"),
        Field("lag", "Lag", number, "Entries not yet delivered to the group"),
        Field("pending", "Pending", number, "Delivered and not acknowledged"),
        Field("oldest_pending_seconds", "Oldest pending", duration, "", _late("oldest_pending_seconds")),
        Field("consumers", "Consumers", number),
        Field("idle_seconds", "Idle", duration, "Since a consumer last asked"),
        Field("entries_read", "Read", number),
        words("last_delivered", "Last delivered"),
        words("last_id", "Last entry"),
    )
    rows = source_rows(shown.chosen, "streams")
    return source_table(f"{ID}-streams-rows", fields, rows, caption="Streams", nothing="No stream was found.")


FACTS = (
    Fact("product", "Product"),
    Fact("mode", "Mode"),
    Fact("role", "Role"),
    Fact("uptime_seconds", "Up", duration),
    Fact("os", "System"),
    Fact("policy", "Eviction policy"),
    Fact("limit_bytes", "Memory limit", bytes_),
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
)


def about(shown: Shown) -> html.Div:
    """Return what the servers are, a column each."""
    return about_table(f"{ID}-about-rows", FACTS, told_by(shown.chosen))


def _warn(key: str) -> Any:
    return lambda row: "warning" if row[key] else ""


def _late(key: str) -> Any:
    return lambda row: "warning" if (row[key] or 0) > LAGGING else ""


TABLES = {
    "commands": commands,
    "databases": databases,
    "keys-found": keys,
    "slow": slow_log,
    "clients-list": clients,
    "streams": streams,
    "errors-list": errors,
    "spikes": latency,
    "replicas": replicas,
    "about": about,
}
