"""The channels as a table: what each is, where it stands, what it is told of, what it delivered, what can be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from dash import html

from core.alerts.channel_set import ChannelSet, OwnChannel
from core.format import count, cut
from core.settings.channels import LOG, Channel, Email
from core.settings.routes import Route
from dashboard.alerts.channel_forms import delete_form, edit_link, matchers_text, switch_form, test_form
from dashboard.components.age import age
from dashboard.components.table import Cell, Column, cut_cell, data_table
from portfolio.alerts import Sight
from portfolio.own_channels import place_of
from portfolio.withheld import WITHHELD
from storage.state.alerts import KeptMessage
from storage.state.database import Transaction
from storage.state.outbox import Retried, last_failed, last_sent, retried, sent_or_begun

ID = "channels"
MOST_SAID = 60
"""Characters of a problem: its message below has all of it."""
HOUR_SECONDS, DAY_SECONDS = 3_600.0, 86_400.0
_COLUMNS = (
    Column("name", "Channel", numeric=False),
    Column("kind", "Kind", numeric=False),
    Column("where", "Where it stands", numeric=False),
    Column("told", "Told of", numeric=False),
    Column("limits", "Sent", numeric=False, definition="Of what it may be sent in any hour and any 24 hours"),
    Column("fallback", "Falls back to", numeric=False),
    Column("worked", "Last delivered", numeric=False),
    Column(
        "failed",
        "Last failed",
        numeric=False,
        definition="What is tried again, else what was given up, and why",
    ),
    Column("does", "", numeric=False, plain="What can be done with it", has_buttons=True),
)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of the messages of channels, by the name of each."""

    worked: Mapping[str, float]
    """When something was last delivered, epoch seconds."""
    failed: Mapping[str, KeptMessage]
    """What was last given up."""
    retried: Mapping[str, Retried]
    """What is tried again."""
    sent: Mapping[str, tuple[int, int]]
    """How many messages in the last hour and the last 24 hours, of those with limits."""


def read_delivered(connection: Transaction, found: ChannelSet, now: float) -> Delivered:
    """Return what became of the messages of every channel."""
    limited = [each.name for each in found.every().values() if each.per_hour or each.per_day]
    sent = {
        name: (
            sent_or_begun(connection, name, now - HOUR_SECONDS), sent_or_begun(connection, name, now - DAY_SECONDS),
        )
        for name in limited
    }  # fmt: skip
    return Delivered(last_sent(connection), last_failed(connection), retried(connection), sent)


def channels_table(found: ChannelSet, delivered: Delivered, sight: Sight) -> html.Div:
    """Return a row a channel: those of the settings, then those that were made here."""
    rows = [
        _row(each, found, delivered, sight) | _of_settings(found, each) for each in found.configured.every().values()
    ]
    for mine in found.own:
        known = _row(mine.channel, found, delivered, sight) if mine.channel else {"kind": cut_cell(mine.kept.kind)}
        rows.append(known | _own(mine, sight))
    return data_table(f"{ID}-rows", _COLUMNS, rows, caption="Channels")


def _row(channel: Channel, found: ChannelSet, delivered: Delivered, sight: Sight) -> dict[str, Any]:
    name, failed = channel.name, delivered.failed.get(channel.name)
    hour, day = delivered.sent.get(name, (0, 0))
    limits = [
        f"{sent:,} of {most:,} {span}"
        for sent, most, span in ((hour, channel.per_hour, "an hour"), (day, channel.per_day, "a day"))
        if most
    ]
    worked, again = delivered.worked.get(name), delivered.retried.get(name)
    to = f" to {', '.join(channel.to)}" if isinstance(channel, Email) and sight.is_whole else ""
    return {
        "name": name,
        "kind": cut_cell(f"{channel.TITLE}{to}"),
        "limits": Cell(", ".join(limits) or "no limit", mark="fw-wraps"),
        "fallback": _fallback(channel.fallback, found),
        "worked": Cell(html.Span([age(worked), " ago"]), sort=worked) if worked else Cell("never", tone="muted"),
        "failed": _retried(again, sight) if again else _failed(failed, sight) if failed is not None else None,
    }


def _fallback(name: str, found: ChannelSet) -> Cell | None:
    if not name:
        return None
    return Cell(name) if name in found.in_force else Cell(f"✕ {name}, which is off", tone="warning", mark="fw-wraps")


def _failed(message: KeptMessage, sight: Sight) -> Cell:
    why = cut(message.problem, MOST_SAID) if sight.is_whole else WITHHELD if message.problem else ""
    at = message.done_at or message.made_at
    return Cell(html.Span(["✕ ", age(at), f" ago: {why}"]), sort=at, tone="warning", mark="fw-wraps")


def _retried(again: Retried, sight: Sight) -> Cell:
    why = cut(again.problem, MOST_SAID) if sight.is_whole else WITHHELD
    return Cell(f"✕ {count(again.count, 'message')} being tried again: {why}", tone="warning", mark="fw-wraps")


def _of_settings(found: ChannelSet, channel: Channel) -> dict[str, Any]:
    where = place_of(found, channel.name)
    return {
        "where": Cell(where or "always there", tone="muted", mark="fw-wraps"),
        "told": Cell(_told_by_routes(found, channel.name), mark="fw-wraps"),
        "does": html.Div([test_form(channel.name)], className="fw-row-does"),
    }


def _told_by_routes(found: ChannelSet, name: str) -> str:
    if found.configured_routes:
        is_named = any(name in route.named for route in found.configured_routes)
        return "what its routes say" if is_named else "nothing: no route leads to it"
    routes: list[Route] = [route for route in found.routes if name in route.receivers]
    return ", ".join(routes[-1].severities) if routes else "nothing" if name == LOG else "what others do not deliver"


def _own(mine: OwnChannel, sight: Sight) -> dict[str, Any]:
    kept = mine.kept
    did = "made" if kept.version == 1 else "changed"
    by = html.Span([f"made here, {did} by {kept.changed_by}, ", age(kept.changed_at), " ago"])
    buttons: list[Any] = [test_form(kept.name)] if mine.is_in_force else []
    if mine.channel is not None:
        buttons += [edit_link(kept.name), switch_form(kept.name, is_on=kept.is_on)]
    return {
        "name": kept.name,
        "where": Cell(
            by, sort=kept.changed_at, hint=f"version {kept.version}, made by {kept.made_by}", mark="fw-wraps"
        ),
        "told": _told(mine, sight),
        "does": html.Div([*buttons, delete_form(kept.name)], className="fw-row-does"),
    }


def _told(mine: OwnChannel, sight: Sight) -> Cell:
    if mine.wrong:
        return Cell(f"✕ left out: {mine.wrong if sight.is_whole else WITHHELD}", tone="critical", mark="fw-wraps")
    if not mine.kept.is_on:
        return Cell("○ off: nothing", tone="muted")
    labels = orjson.loads(mine.kept.labels)
    only = f" · {matchers_text(labels) if sight.is_whole else WITHHELD}" if labels else ""
    return Cell(f"{', '.join(mine.kept.severities)}{only}", mark="fw-wraps")
