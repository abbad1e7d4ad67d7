"""The tables of a gateway of Interactive Brokers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields
from typing import Any

from collectors.kinds.ib.connection import Session
from collectors.kinds.ib.state import Event, Order, Told
from core.kinds.ib.source import IbSource
from core.model import Table


def tables(
    source: IbSource, session: Session | None, told: Told, events: Sequence[Event], facts: Mapping[str, Any], now: float
) -> list[Table]:
    """Return about, farms, messages, orders and accounts. facts: what else stands in "about"."""
    errors = [event for event in events if event.level == "error"]
    last = errors[-1] if errors else None
    about = {
        "version": session.version if session else None,
        "server_time": session.server_time if session else None,
        "client_id": source.client_id,
        "next_id": told.next_id,
        "kind": ("paper" if told.is_paper else "live") if told.accounts else None,
        "accounts": ", ".join(told.accounts),
        "is_linked": told.lost_since is None if told.is_ready else None,
        "calendar": source.calendar,
        "last_error": f"{last.text} (code {last.code})" if last else None,
        "last_error_ts": last.ts if last else None,
        "skew_seconds": facts.get("skew_seconds"),
        "reconnections_today": facts.get("reconnections_today"),
    }
    farms = sorted(told.farms.values(), key=lambda farm: (farm.state != "broken", farm.kind, farm.name))
    return [
        Table("about", tuple(about), (tuple(about.values()),)),
        Table(
            "farms", ("farm", "kind", "state", "since"),
            tuple((farm.name, farm.kind, farm.state, farm.ts) for farm in farms),
        ),
        Table(
            "messages", ("ts", "code", "level", "text", "request"),
            tuple((e.ts, e.code, e.level, e.text, e.request if e.request >= 0 else None) for e in reversed(events)),
        ),
        Table(
            "orders", tuple(field.name for field in fields(Order)),
            tuple(astuple(order) for order in told.orders.values()),
        ),
        Table(
            "accounts", ("account", "kind", "net_liquidation", "currency", "ts"),
            tuple(_account(told, name) for name in told.accounts[:100]),
        ),
    ]  # fmt: skip


def _account(told: Told, name: str) -> tuple[Any, ...]:
    value, currency, ts = told.values.get(name, (None, None, None))
    return (name, "paper" if name.startswith("D") else "live", value, currency, ts)
