"""Redis: the present. Newest readings and the version of each dataset; `FLUSHALL` loses nothing.

When Redis is away reads answer "nothing known" and writes are skipped: the next tick fills it again, and the
page shows what it lacks as unknown. `problem` says why.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import orjson
import redis

from core.model import Component, LiveReading, Reading, Status, Table

log = logging.getLogger(__name__)
T = TypeVar("T")

TIMEOUT_SECONDS = 0.5
VERSION_SECONDS = 0.1
MOST_CONNECTIONS = 16
"""Of one process: threads of any number share them."""
AWAY = "away-"
"""How a version begins that is not known."""
QUIET_SECONDS = 1.0
"""After a failure Redis is left alone this long, so that a page does not wait for a timeout a question."""


class Live:
    """The newest reading of every collector and the version of every dataset. Safe to share between threads."""

    def __init__(self, url: str, namespace: str = "fundwatch") -> None:
        pool = redis.BlockingConnectionPool.from_url(
            url,
            max_connections=MOST_CONNECTIONS,
            timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=None,
        )
        self.client: redis.Redis = redis.Redis.from_pool(pool)
        self._namespace = namespace
        self._quiet_until = 0.0
        self._versions: dict[tuple[str, ...], tuple[float, str]] = {}
        self._unsaid: set[str] = set()
        """Datasets that changed while Redis did not answer: others must hear of it all the same."""
        self._refusal = ""
        self.problem = ""

    def key(self, *parts: str) -> str:
        """Return the key of `parts` within this installation's namespace."""
        return ":".join((self._namespace, *parts))

    def put_reading(
        self,
        collector: str,
        host: str,
        ts: float,
        interval_seconds: float,
        reading: Reading,
        tables_ts: float | None = None,
        *,
        timeout_seconds: float = 0.0,
    ) -> None:
        """Make `reading` the newest of its collector on `host`.

        tables_ts: when its tables are older than it. timeout_seconds: longest time that a reading may take.
        """
        content = {
            "ts": ts,
            "interval_seconds": interval_seconds,
            "timeout_seconds": timeout_seconds,
            "samples": [(sample.metric, sample.value, sample.labels) for sample in reading.samples],
            "components": [
                (part.name, part.status.value, part.why, part.value, part.unit, part.reasons)
                for part in reading.components
            ],
            "tables_ts": tables_ts or ts,
            "tables": [(table.name, table.columns, table.rows) for table in reading.tables],
        }
        payload = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
        self.ask(lambda: self.client.hset(self.key("readings", collector), host, payload), None)

    def reading(self, collector: str, host: str) -> LiveReading | None:
        """Return the newest reading, or None when there is none or Redis is away."""
        payload = self.ask(lambda: self.client.hget(self.key("readings", collector), host), None)
        return _unpack(collector, host, orjson.loads(payload)) if payload else None

    def readings(self, collectors: Sequence[str]) -> dict[str, LiveReading]:
        """Return the newest reading of each of `collectors` on any host, in one round trip; without those unknown."""
        newest: dict[str, LiveReading] = {}
        for name, by_host in self._by_host(collectors):
            contents = {host.decode(): orjson.loads(payload) for host, payload in by_host.items()}
            if contents:
                host = max(contents, key=lambda host: float(contents[host]["ts"]))
                newest[name] = _unpack(name, host, contents[host])
        return newest

    def every_reading(self, collectors: Sequence[str]) -> list[LiveReading]:
        """Return the newest reading of each of `collectors` on each host, in one round trip, sorted."""
        return [
            _unpack(name, host.decode(), orjson.loads(payload))
            for name, by_host in self._by_host(collectors)
            for host, payload in sorted(by_host.items())
        ]

    def hosts(self, collector: str) -> list[str]:
        """Return every host that reports `collector`, sorted."""
        names: list[bytes] = self.ask(lambda: self.client.hkeys(self.key("readings", collector)), [])
        return sorted(name.decode() for name in names)

    def bump(self, dataset: str) -> None:
        """Say that `dataset` changed; what Redis does not take now is said when it is asked next."""
        self._unsaid.add(dataset)
        self._say_changes()
        self._versions = {}

    def version(self, *datasets: str) -> str:
        """Return a text that changes whenever one of `datasets` does; while Redis is away, every second.

        Another process's change is seen VERSION_SECONDS late at most: many viewers ask much more often than that.
        """
        known = self._versions.get(datasets)
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        version = self._read_version(datasets)
        self._versions[datasets] = (time.monotonic() + VERSION_SECONDS, version)
        return version

    def known_version(self, *datasets: str) -> str | None:
        """Return the same, None while Redis is away."""
        found = self.version(*datasets)
        return None if found.startswith(AWAY) else found

    def _by_host(self, collectors: Sequence[str]) -> list[tuple[str, dict[bytes, bytes]]]:
        """Return the packed readings of each of `collectors` by host, in one round trip; none while Redis is away."""

        def ask() -> list[dict[bytes, bytes]]:
            pipe = self.client.pipeline(transaction=False)
            for name in collectors:
                pipe.hgetall(self.key("readings", name))
            found: list[dict[bytes, bytes]] = pipe.execute()
            return found

        return list(zip(collectors, self.ask(ask, []), strict=False))

    def _say_changes(self) -> None:
        for dataset in tuple(self._unsaid):
            # Before it is said: who changes it meanwhile adds it anew.
            self._unsaid.discard(dataset)
            said = partial(self.client.hset, self.key("versions"), dataset, str(time.time_ns()))
            if self.ask(said, None) is None:
                self._unsaid.add(dataset)

    def _read_version(self, datasets: tuple[str, ...]) -> str:
        if self._unsaid:
            self._say_changes()
        found = self.ask(partial(self.client.hmget, self.key("versions"), list(datasets)), None)
        if found is not None and None in found:
            found = self.ask(partial(self._begin_versions, datasets), None)
        if found is None:
            return f"{AWAY}{int(time.time())}"
        return "-".join(value.decode() for value in found)

    def _begin_versions(self, datasets: tuple[str, ...]) -> list[bytes]:
        """Return the versions, each begun that there was none of: what was kept of times before a FLUSHALL is old."""
        pipe = self.client.pipeline(transaction=False)
        for name in datasets:
            pipe.hsetnx(self.key("versions"), name, str(time.time_ns()))
        pipe.hmget(self.key("versions"), list(datasets))
        versions: list[bytes] = pipe.execute()[-1]
        return versions

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def ask(self, question: Callable[[], Any], otherwise: T) -> Any | T:
        """Return what Redis answers to `question`; `otherwise` while it is away, when it is left alone for a moment.

        Also where it refuses this one question, as one that takes no writes does: then others are still asked.
        """
        if time.monotonic() < self._quiet_until:
            return otherwise
        try:
            answer = question()
        except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
            if not self.problem:
                log.warning("Redis is away: %s", error)
            self.problem = str(error) or type(error).__name__
            self._quiet_until = time.monotonic() + QUIET_SECONDS
            return otherwise
        except redis.RedisError as error:
            if str(error) != self._refusal:
                log.warning("Redis refuses what it is asked: %s", error)
            self._refusal = str(error)
            return otherwise
        self.problem = ""
        return answer


def _unpack(collector: str, host: str, content: dict[str, Any]) -> LiveReading:
    tables = [Table(name, tuple(columns), tuple(map(tuple, rows))) for name, columns, rows in content["tables"]]
    return LiveReading(
        collector=collector,
        host=host,
        ts=content["ts"],
        interval_seconds=content["interval_seconds"],
        samples={
            (metric, tuple((name, label) for name, label in labels)): value
            for metric, value, labels in content["samples"]
        },
        components=tuple(
            Component(name, Status(status), why, value, unit, tuple(*reasons))
            for name, status, why, value, unit, *reasons in content["components"]
        ),
        tables={table.name: table for table in tables},
        tables_ts=content.get("tables_ts", content["ts"]),
        timeout_seconds=content.get("timeout_seconds", 0.0),
    )
