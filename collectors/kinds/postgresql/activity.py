"""Who is connected, who waits for whom, and since when."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collectors.kinds.postgresql.connection import Row
from core.model import Table

PREPARED = 0
"""pg_blocking_pids names a prepared transaction by this pid."""
IDLE_IN_TRANSACTION = ("idle in transaction", "idle in transaction (aborted)")
STATES = ("active", "idle", *IDLE_IN_TRANSACTION, "fastpath function call", "disabled", "unknown")
PARTIES_SHOWN = 100
BLOCKING_SHOWN = 100

SESSION_COLUMNS = (
    "pid", "target", "state", "blocked_by", "blocks", "transaction_seconds", "query_seconds", "state_seconds", "wait",
    "user", "database", "application", "client", "query", "xmin_age", "query_id", "backend_type",
)  # fmt: skip
BLOCKING_COLUMNS = (
    "depth", "pid", "target", "blocked_by", "blocks", "waiting_seconds", "lock", "state", "transaction_seconds", "user",
    "application", "query",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chain:
    """The sessions that wait, directly or not, for one that waits for nothing."""

    root: int
    waiting: int
    longest_seconds: float
    root_state: str


@dataclass(frozen=True, slots=True)
class Activity:
    """The sessions of a reading. `waits` are the locks waited for, by pid."""

    sessions: Mapping[int, Row]
    waits: Mapping[int, Row]
    counts: Sequence[Row]

    waiting: Mapping[int, Sequence[int]]
    """Who waits for each pid directly."""

    @classmethod
    def of(cls, sessions: Sequence[Row], waits: Sequence[Row], counts: Sequence[Row]) -> Activity:
        """Return the activity of the rows of the three queries."""
        waiting: defaultdict[int, list[int]] = defaultdict(list)
        for row in sessions:
            for blocker in set(row["blocked_by"]):
                waiting[blocker].append(row["pid"])
        by_pid = {row["pid"]: row for row in sessions}
        return cls(by_pid, {row["pid"]: row for row in waits}, counts, dict(waiting))

    @property
    def by_state(self) -> dict[str, int]:
        """Connections of clients by state, those without any at 0, ours left out."""
        found = Counter[str]()
        for row in self.counts:
            found[row["state"]] += row["count"]
        return {state: found[state] for state in STATES if found[state] or state in STATES[:3]}

    @property
    def by_wait(self) -> dict[str, int]:
        """Active connections of clients by what they wait for; CPU is for nothing."""
        found = Counter[str]()
        for row in self.counts:
            if row["wait"]:
                found[row["wait"]] += row["count"]
        return dict(found)

    @property
    def clients(self) -> int:
        """Connections of clients, ours with them: they count against the limit."""
        return 1 + sum(int(row["count"]) for row in self.counts)

    def chains(self) -> list[Chain]:
        """Return who holds others up, the one that holds up most first."""
        found = [
            Chain(root, len(behind), max(self._waited(pid) for pid in behind), self._state(root))
            for root in self._roots()
            if (behind := self._behind(root))
        ]
        return sorted(found, key=lambda chain: (-chain.waiting, -chain.longest_seconds))

    def longest(self, key: str, states: Sequence[str]) -> tuple[float, Row] | None:
        """Return the highest `key` among client sessions in one of `states`, and that session.

        A query that waits for another session's lock does not count: who holds the lock is told by the chains.
        """
        rows = [
            row for row in self.sessions.values()
            if row["backend_type"] == "client backend" and row["state"] in states and row[key] is not None
            and not (key == "query_seconds" and row["blocked_by"])
        ]  # fmt: skip
        worst = max(rows, key=lambda row: row[key], default=None)
        return None if worst is None else (worst[key], worst)

    @property
    def blocked(self) -> list[int]:
        """The sessions that wait for another one."""
        return [pid for pid, row in self.sessions.items() if row["blocked_by"]]

    def sessions_table(self) -> Table:
        """Return the sessions: those in the way of others or held up, then the oldest transactions."""

        behind = {pid: len(self._behind(pid)) for pid in self.sessions}

        def order(row: Row) -> tuple[int, bool, float]:
            return -behind[row["pid"]], not row["blocked_by"], -(row["transaction_seconds"] or -1.0)

        rows = sorted(self.sessions.values(), key=order)
        return Table("sessions", SESSION_COLUMNS, tuple(_session(row, behind[row["pid"]]) for row in rows))

    def blocking_table(self) -> Table:
        """Return the tree of who waits for whom, each root followed by those behind it, one level deeper each."""
        rows: list[tuple[Any, ...]] = []
        for chain in self.chains():
            self._branch(chain.root, 0, rows, set())
        return Table("blocking", BLOCKING_COLUMNS, tuple(rows[:BLOCKING_SHOWN]))

    def parties_table(self) -> Table:
        """Return the connections by user, application, client and database."""
        found: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for row in self.counts:
            party = tuple(str(row[name] or "") for name in ("user", "application", "client", "database"))
            found[party]["all"] += row["count"]
            found[party][row["state"]] += row["count"]
        rows: list[tuple[Any, ...]] = [
            (*party, states["all"], states["active"], states["idle"], sum(states[name] for name in IDLE_IN_TRANSACTION))
            for party, states in found.items()
        ]
        rows.sort(key=lambda row: -int(row[4]))
        columns = ("user", "application", "client", "database", "connections", "active", "idle", "idle_in_transaction")
        return Table("parties", columns, tuple(rows[:PARTIES_SHOWN]))

    def _roots(self) -> list[int]:
        roots = [pid for pid in self.waiting if not self.sessions.get(pid, {}).get("blocked_by")]
        # All of a ring wait: a deadlock that the server has yet to see. One stands for it.
        seen = set(roots).union(*(self._behind(root) for root in roots)) if roots else set()
        for pid in self.blocked:
            if pid not in seen:
                roots.append(pid)
                seen |= {pid, *self._behind(pid)}
        return roots

    def _behind(self, root: int) -> set[int]:
        found: set[int] = set()
        todo = [root]
        while todo:
            for pid in self.waiting.get(todo.pop(), ()):
                if pid not in found and pid != root:
                    found.add(pid)
                    todo.append(pid)
        return found

    def _branch(self, pid: int, depth: int, rows: list[tuple[Any, ...]], seen: set[int]) -> None:
        if pid in seen or len(rows) >= BLOCKING_SHOWN:
            return
        seen.add(pid)
        row = self.sessions.get(pid)
        rows.append(self._blocking_row(pid, row, depth))
        for behind in sorted(self.waiting.get(pid, ()), key=lambda each: -self._waited(each)):
            self._branch(behind, depth + 1, rows, seen)

    def _blocking_row(self, pid: int, row: Row | None, depth: int) -> tuple[Any, ...]:
        behind = len(self._behind(pid))
        if row is None:
            state = self._state(pid)
            return depth, pid, None, "", behind, None, None, state, None, None, None, None
        waited = self._waited(pid) if row["blocked_by"] else None
        return (
            depth, pid, target(row), _pids(row["blocked_by"]), behind, waited, self._lock(pid), row["state"],
            row["transaction_seconds"], row["user"], row["application"], row["query"],
        )  # fmt: skip

    def _waited(self, pid: int) -> float:
        """Return how long a session has waited: for its lock where the server tells (14), else its whole query."""
        since = self.waits.get(pid, {}).get("waiting_seconds")
        if since is None:
            since = self.sessions.get(pid, {}).get("query_seconds")
        return max(since or 0.0, 0.0)

    def _state(self, pid: int) -> str:
        if pid == PREPARED:
            return "prepared transaction"
        return str(self.sessions.get(pid, {}).get("state") or "")

    def _lock(self, pid: int) -> str | None:
        wait = self.waits.get(pid)
        if wait is None:
            return None
        what = wait["relation"] or (f"transaction {wait['transaction']}" if wait["transaction"] else wait["locktype"])
        return f"{wait['mode'].removesuffix('Lock')} on {what}"


def target(row: Row) -> str:
    """Return what an action is asked for: the pid with the start of its session, so that no successor is hit."""
    return f"{row['pid']}@{row['backend_start']}"


def _session(row: Row, blocks: int) -> tuple[Any, ...]:
    wait = f"{row['wait_type']}: {row['wait']}" if row["wait_type"] and row["state"] != "idle" else None
    shown = {**row, "wait": wait, "target": target(row), "blocked_by": _pids(row["blocked_by"]), "blocks": blocks}
    return tuple(shown[name] for name in SESSION_COLUMNS)


def _pids(pids: Sequence[int]) -> str:
    return ", ".join("prepared" if pid == PREPARED else str(pid) for pid in sorted(set(pids)))
