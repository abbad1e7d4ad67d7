"""The parts of Fundwatch that are watched like any other source, under the name "own"."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import SecretStr

from core.kinds.base import OWN, Source
from core.kinds.clickhouse.source import ClickHouseSource, OwnEngine
from core.kinds.redis.source import RedisSource
from core.settings.model import Settings
from storage.stores import running_valkey_url


def own_sources(settings: Settings) -> Iterator[Source]:
    """Yield Fundwatch's own Valkey and ClickHouse; nothing when `sources.own` is off."""
    if not settings.sources.own:
        return
    every = settings.intervals.own_seconds
    yield RedisSource(name=OWN, url=SecretStr(running_valkey_url(settings)), interval_seconds=every)
    if settings.is_embedded:
        database = settings.clickhouse_database
        yield OwnEngine(name=OWN, url=settings.clickhouse_dsn, database=database, interval_seconds=every)
    else:
        yield ClickHouseSource(name=OWN, url=SecretStr(settings.clickhouse_dsn), interval_seconds=every)
