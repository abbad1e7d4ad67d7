"""From a reading to checks: what is wrong with a ClickHouse, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collectors.judging.checks import Check, bad_if, judged
from collectors.judging.recent import Latch, Window
from collectors.kinds.clickhouse.answers import Answers
from collectors.kinds.clickhouse.error_codes import MISTAKES
from collectors.kinds.clickhouse.samples import Numbers
from core.format import bytes_, coarse_duration, count, cut, duration, first_of, number, percent
from core.kinds.clickhouse import spec, tables
from core.kinds.clickhouse.questions import MergeTreeSetting
from core.kinds.clickhouse.spec import Checks
from core.limits import Limit
from core.model import Status
from core.rates import CounterDeltas

LONGEST_QUOTE = 60
"""Names told in a sentence; of more their number."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a reading is judged by."""

    answers: Answers
    numbers: Numbers
    deltas: CounterDeltas
    limit_bytes: float | None
    """Memory that the server may use."""
    ping_seconds: float
    """The median of the last ones."""


class Judge:
    """Judges the readings of one ClickHouse: some warnings end later than they begin, some are told for a minute."""

    def __init__(self) -> None:
        self._recent = Window()
        self._errors: dict[str, int] | None = None
        self._query = _latch(spec.LONG_QUERY, spec.LONG_QUERY_CLEARED)
        self._parts = _latch(spec.PARTS, spec.PARTS_CLEARED)
        self._delay = _latch(spec.REPLICA_DELAY, spec.REPLICA_DELAY_CLEARED)

    def checks(self, measured: Measured, monotonic: float) -> list[Check]:
        """Return every check of a reading."""
        answers, deltas, ping = measured.answers, measured.deltas, measured.ping_seconds
        return [
            self._queries(answers.of(tables.RunningQuery)),
            self._failed(deltas, monotonic),
            _memory(measured),
            self._most_parts(measured),
            self._inserts(deltas, monotonic),
            _merges(answers.of(tables.Merge)),
            _mutations(answers.of(tables.Mutation)),
            *_disks(answers.of(tables.Disk)),
            self._replication(answers.of(tables.Replica)),
            self._server_errors(answers, monotonic),
            _detached(answers.of(tables.DetachedParts)),
            _dictionaries(answers.of(tables.Dictionary)),
            _views(answers.of(tables.ViewRefresh)),
            _kafka(answers.of(tables.KafkaConsumer)),
            bad_if(Checks.PING, spec.PING.is_bad(ping), f"a ping takes {duration(ping)} (median)"),
            _merge_pool(measured.numbers),
        ]

    def _queries(self, running: Sequence[tables.RunningQuery]) -> Check:
        longest = max(running, key=lambda row: row.elapsed, default=None)
        holds = self._query.holds(longest.elapsed if longest else 0.0)
        if longest is None:
            return Check(Checks.QUERIES, Status.OK, "none running")
        why = f"a query of {longest.user} has run for {coarse_duration(longest.elapsed)}"
        quote = f" ({_quote(longest.query)})" if holds else ""
        return Check(Checks.QUERIES, _warning(holds), why + quote, _share(longest.elapsed, spec.LONG_QUERY))

    def _failed(self, deltas: CounterDeltas, monotonic: float) -> Check:
        failed = self._recent.add("failed", deltas.change(spec.FAILED_QUERIES_RATE), monotonic)
        asked = self._recent.add("asked", deltas.change(spec.QUERIES_RATE), monotonic)
        is_bad = failed >= spec.FAILED_LEAST and spec.FAILED_QUERIES.is_bad(failed / asked if asked else 0.0)
        why = f"{number(failed)} of {count(asked, 'query', 'queries')} failed in the last minute"
        return Check(Checks.FAILED, _warning(is_bad), why)

    def _most_parts(self, measured: Measured) -> Check:
        listed = measured.answers.of(tables.StoredTable)
        fullest = max(listed, key=lambda row: row.most_parts, default=None)
        most = max(measured.numbers.most_parts(listed) or 0.0, fullest.most_parts if fullest else 0)
        where = f" of {fullest.place}" if fullest and fullest.most_parts >= most else ""
        why = f"{count(most, 'part')} in a partition{where}"
        holds = self._parts.holds(most)
        delayed, rejected = parts_limits(measured.answers)
        delayed, rejected = delayed or spec.DELAYED_PARTS, rejected or spec.REJECTED_PARTS
        if most >= delayed:
            why += f": inserts are delayed from {number(delayed)}, rejected from {number(rejected)}"
            return Check(Checks.PARTS, Status.CRITICAL, why, most / rejected)
        return Check(Checks.PARTS, _warning(holds), why, most / delayed)

    def _inserts(self, deltas: CounterDeltas, monotonic: float) -> Check:
        rejected = self._recent.add("rejected", deltas.change(spec.REJECTED_INSERTS_RATE), monotonic)
        delayed = self._recent.add("delayed", deltas.change(spec.DELAYED_INSERTS_RATE), monotonic)
        if rejected:
            why = f"{count(rejected, 'insert')} rejected in the last minute: too many parts"
            return Check(Checks.INSERTS, Status.CRITICAL, why)
        why = f"{count(delayed, 'insert')} delayed in the last minute: too many parts"
        return bad_if(Checks.INSERTS, bool(delayed), why)

    def _replication(self, replicas: Sequence[tables.Replica]) -> Check:
        late = max(replicas, key=lambda row: row.absolute_delay, default=None)
        holds = self._delay.holds(late.absolute_delay if late else 0.0)
        readonly = [row.place for row in replicas if row.is_readonly]
        if readonly:
            return Check(Checks.REPLICATION, Status.CRITICAL, f"read-only replicas: {_few(readonly)}")
        if late is None:
            return Check(Checks.REPLICATION, Status.OK, "no replicated table")
        why = f"{late.place} is {coarse_duration(late.absolute_delay)} behind its replicas"
        return bad_if(Checks.REPLICATION, holds, why, count(len(replicas), "replicated table"))

    def _server_errors(self, answers: Answers, monotonic: float) -> Check:
        """Judge the increase of the server's error counters, but of those that a wrong query increases."""
        rows = answers.of(tables.ServerError)
        grew: dict[str, float] = {}
        if answers.has(tables.ServerError):
            if self._errors is not None:
                grave = [row for row in rows if row.code not in MISTAKES]
                grew = {row.name: max(row.count - self._errors.get(row.name, 0), 0) for row in grave}
            self._errors = {**(self._errors or {}), **{row.name: row.count for row in rows}}
        names = {row.name for row in rows}
        lately = {name: self._recent.add(f"error {name}", grew.get(name, 0.0), monotonic) for name in names}
        told = [f"{number(times)} {name}" for name, times in sorted(lately.items(), key=lambda each: -each[1]) if times]
        return bad_if(Checks.ERRORS, bool(told), f"{_few(told)} in the last minute", "none in the last minute")


def parts_limits(answers: Answers) -> tuple[int | None, int | None]:
    """Return from how many parts in a partition the server delays and rejects inserts; None: not known, or never."""
    settings = {row.name: int(row.value) for row in answers.of(MergeTreeSetting) if row.value.isdigit()}
    return settings.get(spec.DELAYED_PARTS_SETTING) or None, settings.get(spec.REJECTED_PARTS_SETTING) or None


def _memory(measured: Measured) -> Check:
    tracked, limit_bytes = measured.numbers.gauges.get(spec.MEMORY_TRACKED), measured.limit_bytes
    if tracked is None:
        return Check(Checks.MEMORY, Status.UNKNOWN, "memory usage unavailable")
    if not limit_bytes:
        return Check(Checks.MEMORY, Status.OK, f"{bytes_(tracked)}, limit unknown")
    share = tracked / limit_bytes
    return judged(Checks.MEMORY, share, f"memory at {percent(share)} of {bytes_(limit_bytes)}", spec.MEMORY, share)


def _merges(merges: Sequence[tables.Merge]) -> Check:
    longest = max(merges, key=lambda row: row.elapsed, default=None)
    if longest is None:
        return Check(Checks.MERGES, Status.OK, "none running")
    why = f"a merge of {longest.place} has run for {coarse_duration(longest.elapsed)}"
    return judged(Checks.MERGES, longest.elapsed, why, spec.LONG_MERGE, _share(longest.elapsed, spec.LONG_MERGE))


def _mutations(mutations: Sequence[tables.Mutation]) -> Check:
    open_ = [row for row in mutations if not row.is_done]
    failed = [row for row in open_ if row.latest_fail_reason]
    if failed:
        why = f"a mutation of {failed[0].place} fails: {_quote(failed[0].latest_fail_reason)}"
        return Check(Checks.MUTATIONS, Status.WARNING, why)
    oldest = max(open_, key=lambda row: row.age_seconds, default=None)
    if oldest is not None and spec.LONG_MUTATION.is_bad(oldest.age_seconds):
        why = f"a mutation of {oldest.place} is not done after {coarse_duration(oldest.age_seconds)}"
        return Check(Checks.MUTATIONS, Status.WARNING, why)
    return Check(Checks.MUTATIONS, Status.OK, f"{len(open_)} running" if open_ else "none running")


def _disks(disks: Sequence[tables.Disk]) -> list[Check]:
    broken = [row.name for row in disks if row.is_broken]
    if broken:
        return [Check(Checks.DISKS, Status.CRITICAL, f"broken disk: {_few(broken)}")]
    known = [(row.used_ratio, row) for row in disks if row.used_ratio is not None]
    if not known:
        return []
    share, row = max(known, key=lambda each: each[0])
    why = f"disk {row.name} at {percent(share)}, {bytes_(row.free_space)} free"
    return [judged(Checks.DISKS, share, why, spec.DISK, share)]


def _detached(rows: Sequence[tables.DetachedParts]) -> Check:
    bad = [row for row in rows if row.reason]
    parts = count(sum(row.parts for row in bad), "detached part")
    why = f"{parts} ({_few(sorted({row.reason for row in bad}))}) in {_few([row.place for row in bad])}"
    by_hand = sum(row.parts for row in rows if not row.reason)
    return bad_if(Checks.DETACHED, bool(bad), why, f"{number(by_hand)} detached by hand")


def _dictionaries(rows: Sequence[tables.Dictionary]) -> Check:
    failed = [(f"{row.database}.{row.name}", row.exception) for row in rows if row.exception]
    return _excepted(Checks.DICTIONARIES, "dictionary", failed, len(rows))


def _views(rows: Sequence[tables.ViewRefresh]) -> Check:
    failed = [(f"{row.database}.{row.view}", row.exception) for row in rows if row.exception]
    return _excepted(Checks.VIEWS, "refresh of the view", failed, len(rows))


def _kafka(rows: Sequence[tables.KafkaConsumer]) -> Check:
    failed = [(row.place, row.exception) for row in rows if row.exception]
    return _excepted(Checks.KAFKA, "Kafka table", failed, len(rows))


def _excepted(check: Checks, what: str, failed: Sequence[tuple[str, str]], all: int) -> Check:
    """Return the check of things that may have failed: (name, exception) of those that did, among how many."""
    if not failed:
        return Check(check, Status.OK, f"{all} fine" if all else "none")
    name, exception = failed[0]
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return Check(check, Status.WARNING, f"{what} {name} failed: {_quote(exception)}{more}")


def _merge_pool(numbers: Numbers) -> Check:
    pool = next((each for each in numbers.pools if each.pool == spec.MERGES_POOL), None)
    if pool is None:
        return Check(Checks.POOLS, Status.OK, "")
    why = f"{number(pool.busy)} of {count(pool.size, 'thread')} merging or mutating"
    return Check(Checks.POOLS, Status.OK, why, pool.used_ratio)


def _latch(limit: Limit, cleared: float) -> Latch:
    assert limit.warning is not None
    return Latch(limit.warning, cleared)


def _share(value: float, limit: Limit) -> float | None:
    """Return how much of a warning's limit a value is: the length of its bar."""
    return value / limit.warning if limit.warning else None


def _warning(holds: bool) -> Status:
    return Status.WARNING if holds else Status.OK


def _few(names: Sequence[str]) -> str:
    """Return the first of those that differ."""
    return first_of(list(dict.fromkeys(names)))


def _quote(text: str) -> str:
    return cut(" ".join(text.split()), LONGEST_QUOTE)
