"""From a reading to checks: what is wrong with a ClickHouse, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.judging.checks import Check, bad_if, limit
from collectors.judging.recent import Latch, Window
from collectors.kinds.clickhouse.connection import Row
from collectors.kinds.clickhouse.error_codes import MISTAKES
from collectors.kinds.clickhouse.samples import Numbers, used_ratio
from core.format import bytes_, coarse_duration, count, duration, number, percent
from core.model import Status
from core.rates import CounterDeltas

QUERY_FIRE_SECONDS, QUERY_CLEAR_SECONDS = 600.0, 300.0
PARTS_FIRE, PARTS_CLEAR = 300.0, 200.0
DELAY_FIRE_SECONDS, DELAY_CLEAR_SECONDS = 300.0, 250.0
MERGE_SECONDS, MUTATION_SECONDS = 3_600.0, 600.0
MEMORY_WARNING, MEMORY_CRITICAL = 0.80, 0.90
DISK_WARNING, DISK_CRITICAL = 0.90, 0.98
PING_WARNING_SECONDS = 0.1
FAILED_SHARE, FAILED_LEAST = 0.10, 10
USUAL_DELAY_PARTS, USUAL_THROW_PARTS = 1_000, 3_000
LONGEST_QUOTE = 60

Found = Mapping[str, Sequence[Row]]


class Judge:
    """Judges the readings of one ClickHouse: some limits clear later than they fire, some are told for a minute."""

    def __init__(self) -> None:
        self._recent = Window()
        self._errors: dict[str, float] | None = None
        self._query = Latch(QUERY_FIRE_SECONDS, QUERY_CLEAR_SECONDS)
        self._parts = Latch(PARTS_FIRE, PARTS_CLEAR)
        self._delay = Latch(DELAY_FIRE_SECONDS, DELAY_CLEAR_SECONDS)

    def checks(
        self,
        found: Found,
        numbers: Numbers,
        deltas: CounterDeltas,
        limit_bytes: float | None,
        ping_seconds: float,
        monotonic: float,
    ) -> list[Check]:
        """Return every check of a reading."""
        return [
            self._queries(found.get("running", ())),
            self._failed(deltas, monotonic),
            _memory(numbers, limit_bytes),
            self._part_counts(found, numbers),
            self._inserts(deltas, monotonic),
            _merges(found.get("merges", ())),
            _mutations(found.get("mutations", ())),
            *_disks(found.get("disks", ())),
            self._replication(found.get("replicas", ())),
            self._grave(found, monotonic),
            bad_if("detached", *_detached(found.get("detached", ()))),
            bad_if("dictionaries", *_excepted("dictionary", "name", found.get("dictionaries", ()))),
            bad_if("views", *_excepted("refresh of the view", "view", found.get("refreshes", ()))),
            bad_if("kafka", *_excepted("Kafka table", "table", found.get("kafka", ()))),
            bad_if("ping", ping_seconds > PING_WARNING_SECONDS, f"a ping takes {duration(ping_seconds)} (median)"),
            _pools(numbers),
        ]

    def _queries(self, running: Sequence[Row]) -> Check:
        longest = max(running, key=lambda row: float(row["elapsed"]), default=None)
        if longest is None:
            self._query.holds(0.0)
            return Check("queries", Status.OK, "none runs now")
        seconds = float(longest["elapsed"])
        holds = self._query.holds(seconds)
        why = f"a query of {longest.get('user', '?')} has run for {coarse_duration(seconds)}"
        quote = f" ({_quote(str(longest['query']))})" if holds else ""
        return Check("queries", Status.WARNING if holds else Status.OK, why + quote, seconds / QUERY_FIRE_SECONDS)

    def _failed(self, deltas: CounterDeltas, monotonic: float) -> Check:
        failed = self._recent.add("failed", deltas.change("FailedQuery"), monotonic)
        asked = self._recent.add("asked", deltas.change("Query"), monotonic)
        share = failed / asked if asked else 0.0
        is_bad = failed >= FAILED_LEAST and share > FAILED_SHARE
        why = f"{number(failed)} of {count(asked, 'query', 'queries')} failed in the last minute"
        return Check("failed", Status.WARNING if is_bad else Status.OK, why)

    def _part_counts(self, found: Found, numbers: Numbers) -> Check:
        tables = found.get("tables", ())
        fullest = max(tables, key=lambda row: int(row["most_parts"]), default=None)
        most = float(fullest["most_parts"]) if fullest else 0.0
        most = max(most, numbers.asynchronous.get("MaxPartCountForPartition", 0.0))
        settings = {row["name"]: row["value"] for row in found.get("limits", ())}
        delay = float(settings.get("parts_to_delay_insert", 0) or 0) or USUAL_DELAY_PARTS
        throw = float(settings.get("parts_to_throw_insert", 0) or 0) or USUAL_THROW_PARTS
        where = f" of {fullest['database']}.{fullest['table']}" if fullest and fullest["most_parts"] >= most else ""
        why = f"{count(most, 'part')} in a partition{where}"
        holds = self._parts.holds(most)
        if most >= delay:
            why += f": inserts are slowed from {number(delay)}, refused from {number(throw)}"
            return Check("parts", Status.CRITICAL, why, most / throw)
        return Check("parts", Status.WARNING if holds else Status.OK, why, most / delay)

    def _inserts(self, deltas: CounterDeltas, monotonic: float) -> Check:
        rejected = self._recent.add("rejected", deltas.change("RejectedInserts"), monotonic)
        delayed = self._recent.add("delayed", deltas.change("DelayedInserts"), monotonic)
        if rejected:
            why = f"{count(rejected, 'insert')} refused in the last minute: too many parts"
            return Check("inserts", Status.CRITICAL, why)
        return bad_if("inserts", bool(delayed), f"{count(delayed, 'insert')} slowed in the last minute: too many parts")

    def _replication(self, replicas: Sequence[Row]) -> Check:
        readonly = [f"{row['database']}.{row['table']}" for row in replicas if row["is_readonly"]]
        if readonly:
            return Check("replication", Status.CRITICAL, f"read-only replicas: {_few(readonly)}")
        late = max(replicas, key=lambda row: float(row["absolute_delay"]), default=None)
        delay = float(late["absolute_delay"]) if late else 0.0
        name = f"{late['database']}.{late['table']}" if late else ""
        holds = self._delay.holds(delay)
        return bad_if(
            "replication", holds, f"{name} is {coarse_duration(delay)} behind its replicas",
            count(len(replicas), "replicated table") if replicas else "no replicated table",
        )  # fmt: skip

    def _grave(self, found: Found, monotonic: float) -> Check:
        """Judge the increase of the server's error counters, those of wrong questions aside."""
        grew: dict[str, float] = {}
        rows = found.get("errors")
        if rows is not None:
            known = self._errors
            self._errors = {**(known or {}), **{row["name"]: float(row["count"]) for row in rows}}
            grave = [row for row in rows if row["code"] not in MISTAKES] if known is not None else []
            grew = {row["name"]: max(float(row["count"]) - (known or {}).get(row["name"], 0.0), 0.0) for row in grave}
        names = {row["name"] for row in rows or ()}
        lately = {name: self._recent.add(f"error {name}", grew.get(name, 0.0), monotonic) for name in names}
        told = [f"{number(times)} {name}" for name, times in sorted(lately.items(), key=lambda each: -each[1]) if times]
        return bad_if("errors", bool(told), f"{_few(told)} in the last minute", "none lately")


def _memory(numbers: Numbers, limit_bytes: float | None) -> Check:
    tracked = numbers.metrics.get("MemoryTracking")
    if tracked is None:
        return Check("memory", Status.UNKNOWN, "the server does not tell its memory")
    if not limit_bytes:
        return Check("memory", Status.OK, f"{bytes_(tracked)}, limit not told")
    share = tracked / limit_bytes
    why = f"memory at {percent(share)} of {bytes_(limit_bytes)}"
    return limit("memory", share, why, MEMORY_WARNING, MEMORY_CRITICAL)


def _merges(merges: Sequence[Row]) -> Check:
    longest = max(merges, key=lambda row: float(row["elapsed"]), default=None)
    if longest is None:
        return Check("merges", Status.OK, "none runs now")
    seconds = float(longest["elapsed"])
    why = f"a merge of {longest['database']}.{longest['table']} has run for {coarse_duration(seconds)}"
    return Check("merges", Status.WARNING if seconds > MERGE_SECONDS else Status.OK, why, seconds / MERGE_SECONDS)


def _mutations(mutations: Sequence[Row]) -> Check:
    open_ = [row for row in mutations if not row["is_done"]]
    failed = [row for row in open_ if row["latest_fail_reason"]]
    late = [row for row in open_ if float(row["age_seconds"]) > MUTATION_SECONDS]
    if failed:
        why = f"a mutation of {_place(failed[0])} fails: {_quote(str(failed[0]['latest_fail_reason']))}"
        return Check("mutations", Status.WARNING, why)
    if late:
        oldest = max(late, key=lambda row: float(row["age_seconds"]))
        return Check(
            "mutations", Status.WARNING,
            f"a mutation of {_place(oldest)} is not done after {coarse_duration(float(oldest['age_seconds']))}",
        )  # fmt: skip
    return Check("mutations", Status.OK, f"{len(open_)} under way" if open_ else "none under way")


def _disks(disks: Sequence[Row]) -> list[Check]:
    broken = [str(row["name"]) for row in disks if row.get("is_broken")]
    if broken:
        return [Check("disks", Status.CRITICAL, f"broken disk: {_few(broken)}")]
    shares = [(used_ratio(row), row) for row in disks]
    known = [(share, row) for share, row in shares if share is not None]
    if not known:
        return []
    share, row = max(known, key=lambda each: each[0])
    why = f"disk {row['name']} at {percent(share)}, {bytes_(float(row['free_space']))} free"
    return [limit("disks", share, why, DISK_WARNING, DISK_CRITICAL)]


def _detached(rows: Sequence[Row]) -> tuple[bool, str, str]:
    bad = [row for row in rows if row["reason"]]
    aside = sum(int(row["parts"]) for row in bad)
    reasons = sorted({str(row["reason"]) for row in bad})
    by_hand = sum(int(row["parts"]) for row in rows if not row["reason"])
    where = _few([_place(row) for row in bad])
    why = f"{count(aside, 'part')} set aside ({_few(reasons)}) in {where}"
    return bool(bad), why, f"{number(by_hand)} detached by hand"


def _excepted(what: str, name: str, rows: Sequence[Row]) -> tuple[bool, str, str]:
    bad = [row for row in rows if row.get("exception")]
    first = bad[0] if bad else {}
    why = f"{what} {first.get('database')}.{first.get(name)} failed: {_quote(str(first.get('exception')))}"
    more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
    return bool(bad), why + more, f"{len(rows)} fine" if rows else "none"


def _pools(numbers: Numbers) -> Check:
    pool = numbers.pool("merges")
    if pool is None:
        return Check("pools", Status.OK, "")
    why = f"{number(pool[0])} of {count(pool[1], 'thread')} merging or mutating"
    return Check("pools", Status.OK, why, pool[0] / pool[1])


def _place(row: Row) -> str:
    return f"{row['database']}.{row['table']}"


def _few(names: Sequence[str]) -> str:
    kept = list(dict.fromkeys(names))
    return ", ".join(kept[:3]) + (f" and {len(kept) - 3} more" if len(kept) > 3 else "")


def _quote(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_QUOTE else f"{line[: LONGEST_QUOTE - 1]}…"
