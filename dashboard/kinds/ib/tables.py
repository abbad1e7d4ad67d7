"""The tables of Interactive Brokers."""

from __future__ import annotations

from functools import partial

from core.format import number
from core.kinds.ib import spec
from core.kinds.ib.codes import FarmState, Level
from dashboard.components.age import age, local_time
from dashboard.sources.facts import Fact
from dashboard.sources.table import Field, Rows, words

FARM_TONES: dict[str, str] = {FarmState.BROKEN: "critical", FarmState.OK: "ok"}
LEVEL_TONES: dict[str, str] = {Level.ERROR: "critical", Level.WARNING: "warning", Level.NOTICE: "muted"}


def _farm_tone(row: spec.Farm) -> str:
    return FARM_TONES.get(row.state, "")


FARMS = Rows(
    spec.Farm,
    (
        words("farm", "Farm"),
        words("kind", "Serves"),
        words("state", "State", tone=_farm_tone),
        Field("since", "Since", age, numeric=False),
    ),
    nothing="No data farm reported yet.",
)

ORDERS = Rows(
    spec.Order,
    (
        words("symbol", "Symbol"),
        words("type", "Type"),
        words("action", "Side"),
        Field("quantity", "Quantity", number),
        Field("filled", "Filled", number),
        words("order_type", "Order"),
        Field("limit", "Limit", partial(number, decimals=2)),
        words("exchange", "Exchange"),
        words("status", "Status"),
        words("account", "Account"),
        words("id", "Permanent id"),
    ),
    nothing="No open order.",
)

ACCOUNTS = Rows(
    spec.Account,
    (
        words("account", "Account"),
        words("kind", "Kind"),
        Field("net_liquidation", "Net liquidation", number),
        words("currency", "Currency"),
        Field("ts", "Updated", age, numeric=False),
    ),
    nothing="No account reported yet.",
)


def _level_tone(row: spec.Message) -> str:
    return LEVEL_TONES.get(row.level, "")


def _newest_first(row: spec.Message) -> float:
    return -row.ts


MESSAGES = Rows(
    spec.Message,
    (
        Field("ts", "When", local_time, numeric=False),
        words("code", "Code"),
        words("level", "Level", tone=_level_tone),
        words("text", "Message"),
        Field("request", "Request", number),
    ),
    nothing="No message with a code yet.",
    sort=_newest_first,
)

FACTS = (
    Fact("kind", "Account"),
    Fact("accounts", "Accounts"),
    Fact("is_linked", "Connected to IB", lambda is_linked: "yes" if is_linked else "no"),
    Fact("version", "API version"),
    Fact("server_time", "Our session since"),
    Fact("client_id", "Our client id"),
    Fact("next_id", "Next order id"),
    Fact("skew_seconds", "Clock, ahead of ours by", lambda seconds: f"{number(seconds)} s"),
    Fact("reconnections_today", "Reconnections today (UTC)", number),
    Fact("calendar", "Calendar"),
    Fact("last_error", "Last error"),
    Fact("last_error_ts", "Time of the last error", local_time),
)
