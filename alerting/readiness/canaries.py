"""Whether the stores take what is written and give it back: a canary each."""

from __future__ import annotations

from alerting.readiness.found import Found
from alerting.readiness.probe import Outcome
from core.errors import StorageError
from core.format import duration
from core.model import Sample
from core.readiness import CANARY, Checks, State
from core.settings.model import Settings
from storage.clickhouse.readiness_rows import newest_canary
from storage.live.canary import put_canary as put_into_redis
from storage.state.canary import put_canary as put_into_state
from storage.stores import Stores

LEAST_LAG_SECONDS = 10.0
"""A canary waits for its batch, and for the look that finds it."""
LOOK_BACK_SECONDS = 600.0


def put_clickhouse_canary(stores: Stores) -> float | None:
    """Send a canary by the way of every sample, and return when the newest was sent that can be read back.

    None: none was for ten minutes. Raises StorageUnavailable or StorageRejected.
    """
    now, host = stores.clock.now(), stores.settings.machine
    stores.writer.put(host, now, [Sample(CANARY, 1.0)])
    return newest_canary(stores.clickhouse, host, now - LOOK_BACK_SECONDS, now)


def put_state_canary(stores: Stores) -> float:
    """Write a canary to the state database, read it back, and return when. Raises StorageUnavailable or …Rejected."""
    now = stores.clock.now()
    put_into_state(stores.state, stores.settings.machine, int(now * 1e3))
    return now


def clickhouse(told: Outcome[float | None] | str, settings: Settings, now: float, looks_for_seconds: float) -> Found:
    """Return whether what is written is in ClickHouse soon after.

    looks_for_seconds: for how long somebody has looked: what was written before that tells nothing of now.
    """
    where, most = "/database", max(LEAST_LAG_SECONDS, 2 * settings.writer.flush_seconds + LEAST_LAG_SECONDS / 2)
    if isinstance(told, str):
        return Found(Checks.STORAGE, State.UNKNOWN, f"ClickHouse: {told}", where=where)
    if told.problem:
        return Found(Checks.STORAGE, State.NOT_READY, f"ClickHouse: {told.problem}", told.at, where)
    age = None if told.answer is None else now - told.answer
    is_late = looks_for_seconds > most
    if age is None or (age > most and not is_late):
        why = "ClickHouse: nothing that was written can be read back yet"
        return Found(Checks.STORAGE, State.NOT_READY if is_late else State.UNKNOWN, why, told.at, where)
    why = f"ClickHouse: what was written {duration(max(age, 0.0))} ago was read back"
    if age <= most:
        return Found(Checks.STORAGE, State.READY, why, told.at, where)
    return Found(Checks.STORAGE, State.NOT_READY, f"{why}, and nothing newer", told.at, where)


def state_database(told: Outcome[float] | str) -> Found:
    """Return whether the state database takes what is written and gives it back."""
    if isinstance(told, str):
        return Found(Checks.STATE, State.UNKNOWN, f"state database: {told}", where="/pipeline")
    if told.problem:
        return Found(Checks.STATE, State.NOT_READY, f"state database: {told.problem}", told.at, "/pipeline")
    return Found(Checks.STATE, State.READY, "what was written was read back", told.at, "/pipeline")


def redis(stores: Stores, now: float) -> Found:
    """Write a canary to Redis and return whether it was read back."""
    try:
        put_into_redis(stores.live, stores.settings.machine, int(now * 1e3))
    except StorageError as error:
        return Found(Checks.CACHE, State.NOT_READY, f"Redis: {error}", now, "/cache")
    return Found(Checks.CACHE, State.READY, "what was written was read back", now, "/cache")
