"""The watched sources: any number of named instances of each kind. A kind is its file here and two lines below."""

from __future__ import annotations

from collections import Counter
from typing import Self

from pydantic import Field, model_validator

from core.group import Group
from core.kinds.base import OWN, Source
from core.kinds.celery.source import CelerySource
from core.kinds.clickhouse.source import ClickHouseSource
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


class Watch(Group):
    """The watched sources."""

    clickhouse: tuple[ClickHouseSource, ...] = Field((), description="ClickHouse servers.")
    postgresql: tuple[PostgresqlSource, ...] = Field((), description="PostgreSQL servers, 13 and newer.")
    redis: tuple[RedisSource, ...] = Field((), description="Redis and Valkey servers.")
    iqfeed: tuple[IqfeedSource, ...] = Field((), description="IQFeed: DTN's IQConnect.")
    ib: tuple[IbSource, ...] = Field((), description="Interactive Brokers: IB Gateway or TWS.")
    freshness: tuple[FreshnessSource, ...] = Field((), description="Tables that feeds and downloaders write.")
    heartbeat: tuple[HeartbeatSource, ...] = Field((), description="Jobs that ping: downloaders, cron jobs.")
    kafka: tuple[KafkaSource, ...] = Field((), description="Kafka clusters.")
    celery: tuple[CelerySource, ...] = Field((), description="Brokers of Celery workers.")
    rabbitmq: tuple[RabbitmqSource, ...] = Field((), description="RabbitMQ clusters, by their management API.")
    http: tuple[HttpSource, ...] = Field((), description="HTTP and HTTPS addresses.")
    tcp: tuple[TcpSource, ...] = Field((), description="TCP ports.")
    process: tuple[ProcessSource, ...] = Field((), description="Processes of this machine.")
    systemd: tuple[SystemdSource, ...] = Field((), description="Units of systemd on this machine.")
    peer: tuple[PeerSource, ...] = Field((), description="Peers on the network: latency and loss.")
    nginx: tuple[NginxSource, ...] = Field((), description="Nginx servers.")
    scrape: tuple[ScrapeSource, ...] = Field((), description="Exporters of metrics in Prometheus' format.")

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for kind in KINDS:
            names = Counter(source.name for source in self.of(kind))
            twice = [name for name, count in names.items() if count > 1]
            if twice:
                raise ValueError(f"watch.{kind}: two instances are named {', '.join(twice)}")
            if OWN in names:
                raise ValueError(f"watch.{kind}: the name {OWN} belongs to Fundwatch's own")
        return self

    def of(self, kind: str) -> tuple[Source, ...]:
        """Return the instances of `kind`."""
        found: tuple[Source, ...] = getattr(self, kind)
        return found


KINDS: dict[str, type[Source]] = {
    kind.KIND: kind
    for kind in (
        ClickHouseSource,
        PostgresqlSource,
        RedisSource,
        IqfeedSource,
        IbSource,
        FreshnessSource,
        HeartbeatSource,
        KafkaSource,
        CelerySource,
        RabbitmqSource,
        HttpSource,
        TcpSource,
        ProcessSource,
        SystemdSource,
        NginxSource,
        PeerSource,
        ScrapeSource,
    )
}
"""The class of each kind."""


OWN_KINDS = ("clickhouse", "redis")
"""Kinds of which an instance belongs to Fundwatch (collectors/runtime/own.py makes them)."""


def is_own(collector: str) -> bool:
    """Return whether a collector reads Fundwatch itself or its machine, and not a source that somebody named."""
    _, _, instance = collector.partition(":")
    return instance in ("", OWN)


def component_name(collector: str) -> str:
    """Return what a collector's source is called: "redis:main" is "Redis main", any other name stays."""
    kind, _, instance = collector.partition(":")
    return f"{KINDS[kind].TITLE} {instance}" if instance and kind in KINDS else collector
