"""The tables of a gateway of Interactive Brokers."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.kinds.ib.connection import Session
from collectors.kinds.ib.state import Farm, GatewayState
from core.kinds.ib import spec
from core.kinds.ib.codes import FarmState, Level
from core.kinds.ib.source import IbSource
from core.model import Table
from core.tables import table_of

MOST_ACCOUNTS = 100


def about_of(
    source: IbSource,
    state: GatewayState,
    messages: Sequence[spec.Message],
    session: Session | None = None,
    skew_seconds: float | None = None,
    reconnections_today: int | None = None,
) -> spec.About:
    """Return what a gateway is. session: None before it is ready, and then neither skew nor reconnections."""
    last = next((each for each in reversed(messages) if each.level == Level.ERROR), None)
    return spec.About(
        version=session.version if session else None,
        server_time=session.server_time if session else None,
        client_id=source.client_id,
        next_id=state.next_id,
        kind=state.kind if state.accounts else None,
        accounts=", ".join(state.accounts),
        is_linked=state.lost_since is None if state.is_ready else None,
        calendar=source.calendar,
        last_error=last.sentence if last else None,
        last_error_ts=last.ts if last else None,
        skew_seconds=skew_seconds,
        reconnections_today=reconnections_today,
    )


def tables(about: spec.About, state: GatewayState, messages: Sequence[spec.Message]) -> list[Table]:
    """Return about, farms, messages, orders and accounts."""
    farms = sorted(state.farms.values(), key=_broken_first)
    return [
        table_of(spec.About, [about]),
        table_of(spec.Farm, [spec.Farm(farm.name, farm.kind, farm.state, farm.ts) for farm in farms]),
        table_of(spec.Message, reversed(messages)),
        table_of(spec.Order, state.orders.values()),
        table_of(spec.Account, map(state.account, state.accounts[:MOST_ACCOUNTS])),
    ]


def _broken_first(farm: Farm) -> tuple[bool, str, str]:
    return farm.state is not FarmState.BROKEN, farm.kind, farm.name
