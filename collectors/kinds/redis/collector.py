"""Redis and Valkey: memory, traffic, commands, slow log, persistence, replication, streams, clients.

Costs the watched server, every interval, three round trips: PING, INFO ALL, and one of SLOWLOG GET, LATENCY LATEST
and (below 1,000 clients) CLIENT LIST; up to four SCANs of 500 keys; CONFIG GET once a minute.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from collectors.base import Context, gauges
from collectors.judging.checks import checks_table, summed
from collectors.judging.recent import Pings, Window
from collectors.kinds.redis import streams, tables
from collectors.kinds.redis.actions import act
from collectors.kinds.redis.connection import Command, Refused, Resp, as_source_error, text
from collectors.kinds.redis.info import Info, counter_deltas, samples
from collectors.kinds.redis.judge import HitBase, judge
from core.format import count
from core.kinds.redis import spec
from core.kinds.redis.source import RedisSource
from core.model import Reading, Sample
from core.net.reach import GRACE_SECONDS, Deadline, retried_once
from core.rates import Rates
from core.tables import table_of

__all__ = ["RedisCollector", "act", "make"]

MOST_CLIENTS_LISTED = 1_000
SLOW_ENTRIES = 64
SETTINGS_SECONDS = 60.0
PINGS_JUDGED = 3
COMMANDS_CHARTED = 8


def make(context: Context, source: RedisSource) -> RedisCollector:
    """Return the collector of one server."""
    return RedisCollector(source)


class RedisCollector:
    """Reads one server over one kept connection."""

    def __init__(self, source: RedisSource, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.name = source.collector
        self.interval_seconds = source.interval_seconds
        self.timeout_seconds = source.timeout_seconds + GRACE_SECONDS
        self._source = source
        self._monotonic = monotonic
        self._server: Resp | None = None
        self._rates = Rates()
        self._recent = Window()
        self._base = HitBase()
        self._streams = streams.Streams()
        self._pings = Pings(monotonic)
        self._settings: dict[str, Any] = {}
        self._settings_due = 0.0
        self._denied: set[str] = set()

    def collect(self, now: float) -> Reading:
        """Return the reading at `now`. The connection is kept until something goes wrong with it."""
        deadline = Deadline(self._source.timeout_seconds)
        return retried_once(lambda: self._attempt(deadline, now), was_kept=self._server is not None)

    def _attempt(self, deadline: Deadline, now: float) -> Reading:
        try:
            if self._server is None:
                self._server = Resp(self._source, deadline)
            self._server.renew(deadline)
            return self._read(self._server, now)
        except Refused as error:
            self._close()
            raise as_source_error(error) from error
        except BaseException:
            self._close()
            raise

    def _read(self, server: Resp, now: float) -> Reading:
        monotonic = self._monotonic()
        self._pings.take(lambda: server.ask("PING"))
        info = Info.parse(text(server.ask("INFO", "ALL")))
        deltas = counter_deltas(info, self._rates, monotonic)
        slow, length, latency, listing = self._more(server, info, monotonic)
        found = self._streams.read(server, _databases(info) if info.version >= (6, 0) else [], monotonic)
        ping = self._ping_judged()
        checks = judge(info, deltas, self._recent, self._base, ping, monotonic, now)
        checks += self._streams.checks(monotonic)
        commands = tables.commands(info, deltas)
        return Reading(
            samples=[
                *samples(info, deltas, self._source.name),
                *gauges(
                    {
                        **self._pings.values(spec.PING_NEWEST, spec.PING_P50, spec.PING_P99),
                        spec.PING_JUDGED: ping or None,
                    },
                    instance=self._source.name,
                ),
                *_command_samples(commands, self._source.name),
                *streams.samples(found, self._source.name),
            ],
            components=[summed(self._source.component, _fine(info), checks)],
            tables=[
                checks_table(checks),
                table_of(spec.About, [tables.about(info, self._settings, length, sorted(self._denied))]),
                table_of(spec.Database, tables.databases(info)),
                table_of(spec.Command, commands),
                table_of(spec.SlowEntry, tables.slow_log(slow)),
                table_of(spec.LatencyEvent, tables.latency(latency)),
                table_of(spec.Error, tables.errors(info, deltas)),
                table_of(spec.Client, tables.clients(listing)),
                table_of(spec.Replica, tables.replicas(info)),
                table_of(spec.StreamGroup, streams.ordered(found)),
            ],
        )

    def _more(self, server: Resp, info: Info, monotonic: float) -> tuple[list[Any], int | None, list[Any], str]:
        questions: dict[str, Command] = {
            "SLOWLOG GET": ("SLOWLOG", "GET", SLOW_ENTRIES),
            "SLOWLOG LEN": ("SLOWLOG", "LEN"),
            "LATENCY LATEST": ("LATENCY", "LATEST"),
        }
        if (info.number("connected_clients") or 0) <= MOST_CLIENTS_LISTED:
            questions["CLIENT LIST"] = ("CLIENT", "LIST")
        if monotonic >= self._settings_due:
            self._settings_due = monotonic + SETTINGS_SECONDS
            questions["CONFIG GET"] = ("CONFIG", "GET", "*l*-*th*")
            questions["CONFIG GET save"] = ("CONFIG", "GET", "save")
        answers = dict(zip(questions, server.ask_all(list(questions.values())), strict=True))
        for name, answer in answers.items():
            (self._denied.add if isinstance(answer, Refused) else self._denied.discard)(name)
        good = {name: answer for name, answer in answers.items() if not isinstance(answer, Refused)}
        if "CONFIG GET" in good:
            self._settings = tables.settings_of([*good["CONFIG GET"], *good.get("CONFIG GET save", [])])
        return (
            good.get("SLOWLOG GET") or [],
            good.get("SLOWLOG LEN"),
            good.get("LATENCY LATEST") or [],
            text(good.get("CLIENT LIST", b"")),
        )

    def _ping_judged(self) -> float:
        """Return the shortest of the last three; 0 before there are three."""
        last = self._pings.last(PINGS_JUDGED)
        return min(last) if len(last) == PINGS_JUDGED else 0.0

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


def _command_samples(commands: Sequence[spec.Command], instance: str) -> list[Sample]:
    """Return calls a second and latency of the commands that took most time."""
    found: list[Sample] = []
    for each in commands[:COMMANDS_CHARTED]:
        values = {
            spec.COMMAND_CALLS: each.calls_per_second,
            spec.COMMAND_P50: each.p50_seconds,
            spec.COMMAND_P99: each.p99_seconds,
        }
        found += gauges(values, instance=instance, command=each.command)
    return found


def _databases(info: Info) -> list[int]:
    return sorted(int(name) for name in info.listed("db") if name.isdigit())


def _fine(info: Info) -> str:
    role = "replica" if info.text("role") == "slave" else "primary"
    return f"{info.product}, {role}, {count(info.number('connected_clients') or 0, 'client')}"
