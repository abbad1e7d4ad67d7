"""What readiness leaves in ClickHouse: each change of an answer with its inputs, and the canary that is read back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict

import orjson

from core.model import Facts
from core.readiness import CANARY, PortfolioReadiness, ReadinessCheck
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.series import series_id

TABLE = "readiness_changes"
COLUMNS = ("ts", "host", "portfolio", "is_safe", "reasons", "checks")
Change = tuple[PortfolioReadiness, Sequence[ReadinessCheck]]
"""An answer that became another, and the checks that it was made from."""


def change_facts(host: str, at: float, changes: Sequence[Change]) -> Facts:
    """Return answers that changed at `at` (epoch seconds) as rows of their table."""
    rows = [
        (int(at), host, answer.portfolio, int(answer.is_safe), answer.reasons, _inputs(checks))
        for answer, checks in changes
    ]
    return Facts(TABLE, COLUMNS, tuple(map(list, zip(*rows, strict=True))), f"{TABLE} {host} {at!r}")


def newest_canary(clickhouse: ClickHouse, host: str, since: float, until: float) -> float | None:
    """Return when the newest canary of a machine was written that can be read back, epoch seconds.

    since: as far back as is looked; None: there is none from then on. until: what is later was stamped by a clock that
    has been set back since. Raises StorageUnavailable or StorageRejected.
    """
    sql = """
        SELECT toUnixTimestamp(max(ts)) FROM samples
        WHERE series = {series:UInt64} AND ts >= toDateTime({since:UInt32}) AND ts <= toDateTime({until:UInt32})
    """
    asked = {"series": series_id(host, CANARY, ()), "since": int(since), "until": math.ceil(until)}
    ((found,),) = clickhouse.rows(sql, asked, kind="canary")
    return float(found) or None


def _inputs(checks: Sequence[ReadinessCheck]) -> str:
    return orjson.dumps([asdict(each) for each in checks]).decode()
