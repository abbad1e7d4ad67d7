"""The tables of ClickHouse in the database tab, and the buttons in them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from dash import html

from core.format import bytes_, duration, number, percent, tenths
from core.kinds.registry import collector_title
from dashboard.components.age import local_time
from dashboard.kinds.clickhouse.cells import ID, nothing_of, place, rows_of, table_of, times, tone_of, yes
from dashboard.sources.actions import action_button
from dashboard.sources.facts import Fact, about_table
from dashboard.sources.shown import Shown
from dashboard.sources.table import Field, source_table, words
from status.instances import Row

LONG_SECONDS = 300.0
MANY_PARTS = 200


def running(shown: Shown) -> html.Div:
    """Return the running queries, each with the button that ends it."""
    fields = (
        Field("elapsed", "Running", duration, "", tone_of("elapsed", LONG_SECONDS, 600.0)),
        Field("kill", "", button=partial(_kill_query, shown), numeric=False),
        words("user", "User"),
        words("query", "Query"),
        Field("read_rows", "Rows read", number),
        Field("total_rows_approx", "Of about", number, "total_rows_approx"),
        Field("read_bytes", "Read", bytes_),
        Field("memory_usage", "Memory", bytes_),
        Field("peak_memory_usage", "Peak", bytes_),
        words("client", "From"),
        words("query_id", "Id"),
    )
    return table_of(
        shown, "running", "running", fields, "Running queries", "No query but ours ran at the last reading."
    )


def _kill_query(shown: Shown, row: Row) -> Any:
    what = f"query {row['query_id']} of {row.get('user')}, running for {duration(row['elapsed'])}"
    question = f"End {what}, on {collector_title(row['source'])}? KILL QUERY WHERE query_id = '{row['query_id']}'."
    return action_button(shown, row["source"], "kill_query", row["query_id"], "Kill", question)


def top(shown: Shown) -> html.Div:
    """Return the patterns of queries that took most time, rows or memory, or failed most, in the last hour."""
    fields = (
        words("pattern", "Query"),
        Field("calls", "Calls", number),
        Field("seconds", "Time", duration, "Sum of the durations"),
        Field("share", "Share", percent, "Of the time of all queries"),
        Field("p50_seconds", "p50", duration),
        Field("p95_seconds", "p95", duration),
        Field("longest_seconds", "Longest", duration),
        Field("rows", "Rows read", number),
        Field("bytes", "Read", bytes_),
        Field("memory_bytes", "Most memory", bytes_, "The hungriest; our own engine does not tell"),
        Field("failed", "Failed", number, "", lambda row: "warning" if row["failed"] else ""),
        words("error", "Last error"),
    )
    return table_of(shown, "top", "log_top", fields, "Top queries", "No query was logged in the last hour.")


def slow(shown: Shown) -> html.Div:
    """Return the slowest single queries of the last hour."""
    fields = (
        Field("seconds", "Took", duration),
        Field("ts", "When", local_time, numeric=False),
        words("user", "User"),
        words("query", "Query", "In our own log: the kind of the statement"),
        Field("rows", "Rows read", number),
        Field("memory_bytes", "Memory", bytes_),
        words("query_id", "Id"),
    )
    return table_of(shown, "slow", "log_slow", fields, "Slow queries", "No query was logged in the last hour.")


def failed(shown: Shown) -> html.Div:
    """Return the newest failed queries of the last hour."""
    fields = (
        Field("ts", "When", local_time, numeric=False),
        words("error", "Error"),
        words("query", "Query"),
        words("user", "User"),
        Field("seconds", "After", duration, "How long it ran until then"),
    )
    return table_of(shown, "failed", "log_failed", fields, "Failed queries", "No logged query failed in the last hour.")


def tables(shown: Shown) -> html.Div:
    """Return the tables, the largest first."""
    fields = (
        Field("name", "Table", str, numeric=False),
        words("engine", "Engine"),
        Field("rows", "Rows", number),
        Field("bytes", "On disk", bytes_),
        Field("uncompressed_bytes", "Unpacked", bytes_),
        Field("ratio", "Compression", times, "Uncompressed over compressed bytes"),
        Field("parts", "Parts", number),
        Field("partitions", "Partitions", number),
        Field(
            "most_parts", "Fullest", number, "Parts in the fullest partition", tone_of("most_parts", MANY_PARTS, 300)
        ),
        Field("last_write", "Last write", local_time, "The newest part, by insert or merge", numeric=False),
        words("ttl", "TTL"),
    )
    rows = [
        {
            **row,
            "name": f"{row['database']}.{row['table']}",
            "ratio": row["uncompressed_bytes"] / row["compressed_bytes"] if row["compressed_bytes"] else None,
        }
        for row in rows_of(shown, "tables")
    ]
    nothing = nothing_of(shown, "tables", "No table has data.")
    return source_table(f"{ID}-clickhouse-tables-rows", fields, rows, caption="Tables", nothing=nothing)


def largest_columns(shown: Shown) -> html.Div:
    """Return the columns that take most of the disks."""
    fields = (
        Field("place", "Column", str, numeric=False),
        words("type", "Type"),
        words("codec", "Codec", "Empty: the usual one"),
        Field("compressed_bytes", "Compressed", bytes_),
        Field("uncompressed_bytes", "Unpacked", bytes_),
        Field("ratio", "Compression", times, "Uncompressed over compressed bytes"),
    )
    rows = [
        {
            **row,
            "place": f"{row['database']}.{row['table']}.{row['name']}",
            "ratio": row["uncompressed_bytes"] / row["compressed_bytes"],
        }
        for row in rows_of(shown, "columns")
    ]
    nothing = nothing_of(shown, "columns", "No column tells its size: small (compact) parts tell none.")
    return source_table(f"{ID}-clickhouse-columns-rows", fields, rows, caption="Columns", nothing=nothing)


def merges(shown: Shown) -> html.Div:
    """Return the merges under way."""
    fields = (
        *place("Table"),
        Field("elapsed", "Running", duration, "", tone_of("elapsed", 1_800.0, 3_600.0)),
        Field("progress", "Done", percent),
        Field("num_parts", "Parts", number),
        Field("bytes", "Compressed", bytes_),
        Field("memory_usage", "Memory", bytes_),
        Field("is_mutation", "Mutates", yes, numeric=False),
    )
    return table_of(shown, "merges", "merges", fields, "Merges", "No merge ran at the last reading.")


def mutations(shown: Shown) -> html.Div:
    """Return the mutations that are not done, and those of the last day."""
    fields = (
        *place("Table"),
        Field("kill", "", button=partial(_kill_mutation, shown), numeric=False),
        words("command", "Command"),
        Field("created", "Begun", local_time, numeric=False),
        Field("is_done", "Done", yes, numeric=False),
        Field("parts_to_do", "Parts to do", number),
        words("latest_fail_reason", "Last failure", "", lambda row: "warning" if row["latest_fail_reason"] else ""),
        words("mutation_id", "Id"),
    )
    return table_of(shown, "mutations", "mutations", fields, "Mutations", "No mutation in the last day.")


def _kill_mutation(shown: Shown, row: Row) -> Any:
    if row["is_done"]:
        return ""
    target = f"{row['mutation_id']} {row['database']}.{row['table']}"
    question = (
        f"End mutation {row['mutation_id']} of {row['database']}.{row['table']} on {collector_title(row['source'])}? "
        "KILL MUTATION; parts that it has changed stay changed."
    )
    return action_button(shown, row["source"], "kill_mutation", target, "Kill", question)


def detached(shown: Shown) -> html.Div:
    """Return the parts that stand aside, by table and reason."""
    fields = (
        *place("Table"),
        words("reason", "Reason", "Empty: detached by hand", lambda row: "warning" if row["reason"] else ""),
        Field("parts", "Parts", number),
        words("example", "For example"),
    )
    return table_of(shown, "detached", "detached", fields, "Detached parts", "No part stands aside.")


def disks(shown: Shown) -> html.Div:
    """Return the disks."""
    fields = (
        words("name", "Disk", "", lambda row: "critical" if row.get("is_broken") else ""),
        Field("used", "Used", percent),
        Field("free_space", "Free", bytes_),
        Field("unreserved_space", "Unreserved", bytes_, "Free and not promised to a merge"),
        Field("total_space", "Size", bytes_),
        words("type", "Type"),
        words("path", "Path"),
        words("state", "State"),
    )
    rows = [
        {
            **row,
            "used": 1 - row["free_space"] / row["total_space"] if row.get("total_space") else None,
            "state": "broken" if row.get("is_broken") else "read-only" if row.get("is_read_only") else "good",
        }
        for row in rows_of(shown, "disks")
    ]
    nothing = nothing_of(shown, "disks", "No disk is told.")
    return source_table(f"{ID}-clickhouse-disks-rows", fields, rows, caption="Disks", nothing=nothing)


def errors(shown: Shown) -> html.Div:
    """Return the server's errors, the newest first."""
    fields = (
        words("name", "Error"),
        Field("code", "Code", str),
        Field("count", "Count", number, "Since the server started"),
        Field("last", "Last", local_time, numeric=False),
        words("message", "Message"),
    )
    return table_of(shown, "errors", "errors", fields, "Errors", "No error since the start.")


def pools(shown: Shown) -> html.Div:
    """Return the background pools."""
    fields = (words("pool", "Pool"), Field("busy", "Busy", number), Field("size", "Threads", number))
    return table_of(shown, "pools", "pools", fields, "Pools", "No reading yet.")


def events(shown: Shown) -> html.Div:
    """Return the events, the most frequent of the last minute first."""
    fields = (
        words("event", "Event"),
        Field("per_second", "A second", tenths, "Over the last minute"),
        Field("count", "Count", number, "Since the server started"),
    )
    return table_of(shown, "events", "events", fields, "Events", "No reading yet.")


def warnings(shown: Shown) -> html.Div:
    """Return what the server itself warns of."""
    fields = (words("message", "Message"),)
    return table_of(shown, "warnings", "warnings", fields, "Warnings", "The server warns of nothing.")


def _cut(text: str) -> Any:
    return html.Span(f"{text[:29]}…" if len(text) > 30 else text, title=text)


FACTS = (
    Fact("product", "Product"),
    Fact("host", "Host"),
    Fact("user", "Our user"),
    Fact("uptime_seconds", "Up", duration),
    Fact("memory_limit_bytes", "Memory limit", bytes_),
    Fact("tables", "Tables with data", number),
    Fact("parts_active", "Active parts", number),
    Fact("parts_delay", "Inserts slowed from, parts"),
    Fact("parts_throw", "Inserts refused from, parts"),
    Fact("changed", "Settings changed", _cut),
    Fact("may", "Limits on our queries"),
    Fact("refused", "Not told to us"),
)


QUESTIONS = {
    "numbers": "events and metrics",
    "asynchronous": "asynchronous metrics",
    "running": "running queries",
    "limits": "limits of MergeTree",
    "log_top": "query log: patterns",
    "log_slow": "query log: slow queries",
    "log_failed": "query log: failed queries",
}
"""What is asked for, where the name of the question does not say it."""


def about(shown: Shown) -> html.Div:
    """Return what the servers are, a column each, with the button that writes their logs out."""
    present = [each for each in shown.chosen if each.about]
    told = [(each, _told(each.about, each.dicts("refused"))) for each in present]
    buttons = [
        action_button(shown, each.collector, "flush_logs", "",
            "Flush logs" if shown.only else f"Flush logs of {each.name}",
            f"Write the logs of {each.title} to their tables now? SYSTEM FLUSH LOGS.",
        )
        for each in present
        if not each.about["is_own"]
    ]  # fmt: skip
    table = about_table(f"{ID}-clickhouse-about-rows", FACTS, told)
    return html.Div([html.Div(buttons, className="fw-buttons"), table])


def _told(about: Row, refused: Sequence[Row]) -> Row:
    may = "none: our user may not set any (readonly = 1)" if about["unlimited"] else "one thread, 256 MiB, the deadline"
    questions = (row["question"] for row in refused)
    return {**about, "may": may, "refused": ", ".join(QUESTIONS.get(each, each) for each in questions)}
