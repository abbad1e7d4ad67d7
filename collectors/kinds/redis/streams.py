"""Streams: found by a bounded scan a little at every reading, and how far their consumers are behind."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence

from collectors.base import gauges
from collectors.judging.checks import Check, bad_if
from collectors.kinds.redis.connection import Command, Refused, Resp, pairs, text
from core.format import coarse_duration, first_of
from core.kinds.redis.spec import STREAM_IDLE, STREAM_LAG, STREAM_LENGTH, STREAM_PENDING, Checks, StreamGroup
from core.model import Sample

SCANS_EACH_READING = 4
KEYS_EACH_SCAN = 500
MOST_STREAMS = 50
MOST_GROUPS = 100
READ_EVERY_SECONDS = 15.0
GROWING_SECONDS = 300.0


class Streams:
    """The streams of one server."""

    def __init__(self) -> None:
        self._cursor: tuple[int, str] = (0, "0")
        self._known: dict[tuple[int, str], int] = {}
        """Streams by database and key, with the pass of the scan that saw them last."""
        self._pass = 0
        self._due = 0.0
        self._groups: list[StreamGroup] = []
        self._lags: dict[tuple[int, str, str], deque[tuple[float, int]]] = {}

    def read(self, server: Resp, databases: Sequence[int], monotonic: float) -> list[StreamGroup]:
        """Return the streams and their groups, scanning on for new ones; read anew every 15 s."""
        if not databases:
            self._known, self._groups = {}, []
            return []
        self._scan(server, databases)
        if monotonic >= self._due:
            self._due = monotonic + READ_EVERY_SECONDS
            self._groups = self._read_groups(server)
            self._remember(monotonic)
        return self._groups

    def checks(self, monotonic: float) -> list[Check]:
        """Return what is wrong with the streams."""
        growing = [group.name for group in self._groups if self._grows(group, monotonic)]
        stuck = [
            f"{group.name} for {coarse_duration(group.oldest_pending_seconds or 0)}"
            for group in self._groups
            if STREAM_IDLE.is_bad(group.oldest_pending_seconds or 0)
        ]
        asleep = [group.name for group in self._groups if group.lag and STREAM_IDLE.is_bad(group.idle_seconds or 0)]
        span = coarse_duration(GROWING_SECONDS)
        return [
            bad_if(Checks.STREAMS, bool(growing), f"lag of {first_of(growing)} has grown for {span}"),
            bad_if(Checks.PENDING, bool(stuck), f"entries wait unacknowledged: {first_of(stuck)}"),
            bad_if(Checks.CONSUMERS, bool(asleep), f"nobody has read {first_of(asleep)} for over {span}"),
        ]

    def _scan(self, server: Resp, databases: Sequence[int]) -> None:
        for _ in range(SCANS_EACH_READING):
            db, cursor = self._cursor
            if db not in databases:
                db, cursor = databases[0], "0"
            selected, answer = server.ask_all(
                [("SELECT", db), ("SCAN", cursor, "COUNT", KEYS_EACH_SCAN, "TYPE", "stream")]
            )
            if isinstance(selected, Refused) or isinstance(answer, Refused):
                return
            following, keys = text(answer[0]), answer[1]
            for key in keys[: MOST_STREAMS - len(self._known)]:
                self._known[db, text(key)] = self._pass
            for key in keys:
                if (db, text(key)) in self._known:
                    self._known[db, text(key)] = self._pass
            if following != "0":
                self._cursor = (db, following)
                continue
            later = [each for each in databases if each > db]
            self._cursor = (later[0] if later else databases[0], "0")
            if not later:
                self._known = {key: seen for key, seen in self._known.items() if seen >= self._pass - 1}
                self._pass += 1
                return

    def _read_groups(self, server: Resp) -> list[StreamGroup]:
        found: list[StreamGroup] = []
        for db, key in sorted(self._known):
            questions: list[Command] = [("SELECT", db), ("XINFO", "STREAM", key), ("XINFO", "GROUPS", key)]
            _, about, groups = server.ask_all(questions)
            if isinstance(about, Refused) or isinstance(groups, Refused):
                self._known.pop((db, key), None)
                continue
            fields = pairs(about)
            stream = StreamGroup(
                key, db, fields["length"], fields.get("entries-added"), text(fields["last-generated-id"])
            )
            found += self._of_stream(server, stream, [pairs(each) for each in groups]) if groups else [stream]
        return found[:MOST_GROUPS]

    def _of_stream(self, server: Resp, stream: StreamGroup, groups: Sequence[dict[str, object]]) -> list[StreamGroup]:
        names = [text(group["name"]) for group in groups][:MOST_GROUPS]
        questions: list[Command] = []
        for name in names:
            questions += [("XINFO", "CONSUMERS", stream.stream, name), ("XPENDING", stream.stream, name, "-", "+", 1)]
        answers = server.ask_all(questions)
        found = []
        for index, name in enumerate(names):
            group, consumers, oldest = groups[index], answers[2 * index], answers[2 * index + 1]
            idle = [pairs(each)["idle"] / 1e3 for each in consumers] if isinstance(consumers, list) else []
            waits = oldest[0][2] / 1e3 if isinstance(oldest, list) and oldest else None
            found.append(
                StreamGroup(
                    stream.stream, stream.db, stream.length, stream.added, stream.last_id, name,
                    _int(group.get("consumers")), _int(group.get("lag")), _int(group.get("pending")), waits,
                    _int(group.get("entries-read")), text(group.get("last-delivered-id", "")),
                    min(idle) if idle else None,
                )
            )  # fmt: skip
        return found

    def _remember(self, monotonic: float) -> None:
        lags = {(group.db, group.stream, group.group): group.lag for group in self._groups if group.lag is not None}
        self._lags = {key: self._lags.get(key, deque()) for key in lags}
        for key, lag in lags.items():
            seen = self._lags[key]
            seen.append((monotonic, lag))
            while len(seen) > 2 and seen[1][0] <= monotonic - GROWING_SECONDS:
                seen.popleft()

    def _grows(self, group: StreamGroup, monotonic: float) -> bool:
        seen = self._lags.get((group.db, group.stream, group.group), deque())
        if len(seen) < 2 or monotonic - seen[0][0] < GROWING_SECONDS:
            return False
        values = [lag for _, lag in seen]
        return values[-1] > values[0] and all(late >= early for early, late in itertools.pairwise(values))


def ordered(groups: Sequence[StreamGroup]) -> list[StreamGroup]:
    """Return the streams with their groups, the one furthest behind first."""
    return sorted(groups, key=lambda group: (-(group.lag or 0), -(group.pending or 0), group.stream))


def samples(groups: Sequence[StreamGroup], instance: str) -> list[Sample]:
    """Return length, lag and pending of every stream."""
    found: list[Sample] = []
    lengths = {(group.db, group.stream): group.length for group in groups}
    for (db, stream), length in lengths.items():
        found += gauges({STREAM_LENGTH: length}, instance=instance, db=f"db{db}", stream=stream)
    for group in groups:
        if group.group:
            values = {STREAM_LAG: group.lag, STREAM_PENDING: group.pending}
            place = {"instance": instance, "db": f"db{group.db}", "stream": group.stream, "group": group.group}
            found += gauges(values, **place)
    return found


def _int(value: object) -> int | None:
    return value if isinstance(value, int) else None
