"""THE list of the kinds of watched sources: a kind is one line here, and its folder in each of three places.

core/kinds/<kind> says what can be set and what is measured, collectors/kinds/<kind> measures it, dashboard/kinds/<kind>
shows it. The order is that of the settings, and of the sections of a tab.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

from pydantic import Field, create_model, model_validator

from core.group import Group, twice
from core.kinds.base import OWN, Source
from core.kinds.celery.source import CelerySource
from core.kinds.clickhouse.source import ClickHouseSource
from core.kinds.dns.source import DnsSource
from core.kinds.freshness.source import FreshnessSource
from core.kinds.heartbeat.source import HeartbeatSource
from core.kinds.http.source import HttpSource
from core.kinds.ib.source import IbSource
from core.kinds.iqfeed.source import IqfeedSource
from core.kinds.kafka.source import KafkaSource
from core.kinds.nginx.source import NginxSource
from core.kinds.peer.source import PeerSource
from core.kinds.postgresql.source import PostgresqlSource
from core.kinds.process.source import ProcessSource
from core.kinds.rabbitmq.source import RabbitmqSource
from core.kinds.redis.source import RedisSource
from core.kinds.scrape.source import ScrapeSource
from core.kinds.systemd.source import SystemdSource
from core.kinds.tcp.source import TcpSource
from core.model import SourceId


class Kind(NamedTuple):
    """A kind of watched source."""

    source: type[Source]
    tab: str
    """Id of the tab that shows it."""
    has_own: bool = False
    """Whether an instance of it belongs to Fundwatch (collectors/runtime/own.py makes it)."""


_LIST = (
    Kind(ClickHouseSource, "database", has_own=True),
    Kind(PostgresqlSource, "database"),
    Kind(RedisSource, "cache", has_own=True),
    Kind(IqfeedSource, "pipeline"),
    Kind(IbSource, "pipeline"),
    Kind(FreshnessSource, "pipeline"),
    Kind(HeartbeatSource, "pipeline"),
    Kind(KafkaSource, "pipeline"),
    Kind(CelerySource, "pipeline"),
    Kind(RabbitmqSource, "pipeline"),
    Kind(HttpSource, "services"),
    Kind(TcpSource, "services"),
    Kind(DnsSource, "services"),
    Kind(ProcessSource, "services"),
    Kind(PeerSource, "services"),
    Kind(SystemdSource, "services"),
    Kind(NginxSource, "services"),
    Kind(ScrapeSource, "services"),
)

KINDS: dict[str, Kind] = {kind.source.KIND: kind for kind in _LIST}
"""Every kind by its name, in the order of the list."""


class WatchBase(Group):
    """The watched sources: any number of named instances of each kind."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for kind in KINDS:
            names = [source.name for source in self.of(kind)]
            if again := twice(names):
                raise ValueError(f"watch.{kind}: two instances are named {', '.join(again)}")
            if OWN in names:
                raise ValueError(f"watch.{kind}: the name {OWN} belongs to Fundwatch's own")
        return self

    def of(self, kind: str) -> tuple[Source, ...]:
        """Return the instances of `kind`."""
        found: tuple[Source, ...] = getattr(self, kind)
        return found


_FIELDS: dict[str, Any] = {
    name: (tuple[kind.source, ...], Field((), description=kind.source.WATCHES))  # type: ignore[name-defined]
    for name, kind in KINDS.items()
}
Watch: type[WatchBase] = create_model("Watch", __base__=WatchBase, **_FIELDS)
"""A list of instances for each kind."""


def title_of(kind: str) -> str:
    """Return what people call a kind: "Redis". Raises KeyError."""
    return KINDS[kind].source.TITLE


def kinds_of(tab: str) -> tuple[str, ...]:
    """Return the kinds that a tab shows, in the order of the list."""
    return tuple(name for name, kind in KINDS.items() if kind.tab == tab)


def is_own(source: SourceId | None) -> bool:
    """Return whether a collector reads Fundwatch itself or its machine, and not a source that somebody named."""
    return source is None or source.instance == OWN


def collector_title(collector: str) -> str:
    """Return what a collector is called whose name a record holds: "redis:main" is "Redis main", any other stays."""
    source = SourceId.parse(collector)
    return component_name(source) if source else collector


def component_name(source: SourceId) -> str:
    """Return what a source is called in sentences: "Redis main". A kind that is no more keeps its name."""
    kind = KINDS.get(source.kind)
    return f"{kind.source.TITLE if kind else source.kind} {source.instance}"
