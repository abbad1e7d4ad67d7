"""Who is connected, who waits for whom, and since when."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from collectors.kinds.postgresql.connection import Row
from core.kinds.postgresql.spec import IDLE_STATES, NOT_VISIBLE
from core.kinds.postgresql.tables import PREPARED_PID, BlockingNode, ConnectionGroup, Session

STATES = ("active", "idle", *IDLE_STATES, "fastpath function call", "disabled", "unknown", NOT_VISIBLE)
GROUPS_SHOWN = 100
BLOCKING_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Longest:
    """The session that has been at something longest, and how long."""

    seconds: float
    pid: int
    who: str


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

    @property
    def longest_query(self) -> Longest | None:
        """The oldest query. One that waits for another's lock does not count: the chains tell who holds that lock."""
        return self._longest("query_seconds", ("active",), lambda row: not row["blocked_by"])

    @property
    def longest_transaction(self) -> Longest | None:
        """The oldest transaction."""
        return self._longest("transaction_seconds", ("active", *IDLE_STATES))

    @property
    def longest_idle(self) -> Longest | None:
        """The session that has been idle in its transaction longest."""
        return self._longest("state_seconds", IDLE_STATES)

    @property
    def blocked(self) -> list[int]:
        """The sessions that wait for another one."""
        return [pid for pid, row in self.sessions.items() if row["blocked_by"]]

    def session_rows(self) -> list[Session]:
        """Return the sessions: those that block others or are blocked, then the oldest transactions."""
        rows = [self._session(row) for row in self.sessions.values()]
        return sorted(rows, key=lambda row: (-row.blocks, not row.blocked_by, -(row.transaction_seconds or -1.0)))

    def blocking_nodes(self) -> list[BlockingNode]:
        """Return the tree of who waits for whom, each root followed by those behind it, one level deeper each."""
        nodes: list[BlockingNode] = []
        for chain in self.chains():
            self._branch(chain.root, 0, nodes, set())
        return nodes[:BLOCKING_SHOWN]

    def connection_groups(self) -> list[ConnectionGroup]:
        """Return the connections by user, application, client and database, the most first."""
        found: defaultdict[tuple[str, str, str, str], Counter[str]] = defaultdict(Counter)
        for row in self.counts:
            group = (row["user"] or "", row["application"] or "", row["client"] or "", row["database"] or "")
            found[group][row["state"]] += row["count"]
        groups = [
            ConnectionGroup(
                user=user,
                application=application,
                client=client,
                database=database,
                connections=states.total(),
                active=states["active"],
                idle=states["idle"],
                idle_in_transaction=sum(states[name] for name in IDLE_STATES),
            )
            for (user, application, client, database), states in found.items()
        ]
        return sorted(groups, key=lambda group: -group.connections)[:GROUPS_SHOWN]

    def _longest(
        self, key: str, states: Sequence[str], counts: Callable[[Row], bool] = lambda row: True
    ) -> Longest | None:
        """Return the highest `key` among client sessions in one of `states` that count."""
        rows = [
            row for row in self.sessions.values()
            if row["backend_type"] == "client backend" and row["state"] in states and row[key] is not None
            and counts(row)
        ]  # fmt: skip
        worst = max(rows, key=lambda row: float(row[key]), default=None)
        if worst is None:
            return None
        return Longest(max(worst[key], 0.0), worst["pid"], worst["application"] or worst["user"] or "unnamed")

    def _session(self, row: Row) -> Session:
        return Session(
            pid=row["pid"],
            target=_target(row),
            state=row["state"],
            blocked_by=_pids(row["blocked_by"]),
            blocks=len(self._behind(row["pid"])),
            transaction_seconds=row["transaction_seconds"],
            query_seconds=row["query_seconds"],
            state_seconds=row["state_seconds"],
            wait=f"{row['wait_type']}: {row['wait']}" if row["wait_type"] and row["state"] != "idle" else None,
            user=row["user"],
            database=row["database"],
            application=row["application"],
            client=row["client"],
            query=row["query"],
            query_id=row["query_id"],
        )

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

    def _branch(self, pid: int, depth: int, nodes: list[BlockingNode], seen: set[int]) -> None:
        if pid in seen or len(nodes) >= BLOCKING_SHOWN:
            return
        seen.add(pid)
        nodes.append(self._node(pid, depth))
        for behind in sorted(self.waiting.get(pid, ()), key=lambda each: -self._waited(each)):
            self._branch(behind, depth + 1, nodes, seen)

    def _node(self, pid: int, depth: int) -> BlockingNode:
        row = self.sessions.get(pid, {})
        blocked_by = _pids(row.get("blocked_by", ()))
        return BlockingNode(
            depth=depth,
            pid=pid,
            target=_target(row) if row else "",
            blocked_by=blocked_by,
            blocks=len(self._behind(pid)),
            waiting_seconds=self._waited(pid) if blocked_by else None,
            lock=self._lock(pid),
            state=self._state(pid),
            transaction_seconds=row.get("transaction_seconds"),
            user=row.get("user"),
            application=row.get("application"),
            query=row.get("query"),
        )

    def _waited(self, pid: int) -> float:
        """Return how long a session has waited: for its lock where the server tells (14), else its whole query."""
        since = self.waits.get(pid, {}).get("waiting_seconds")
        if since is None:
            since = self.sessions.get(pid, {}).get("query_seconds")
        return max(since or 0.0, 0.0)

    def _state(self, pid: int) -> str:
        if pid == PREPARED_PID:
            return "prepared transaction"
        return str(self.sessions.get(pid, {}).get("state") or "")

    def _lock(self, pid: int) -> str | None:
        wait = self.waits.get(pid)
        if wait is None:
            return None
        what = wait["relation"] or (f"transaction {wait['transaction']}" if wait["transaction"] else wait["locktype"])
        return f"{wait['mode'].removesuffix('Lock')} on {what}"


def _target(row: Row) -> str:
    """Return what an action is asked for: the pid with the start of its session, so that no successor is hit.

    Empty where the role is not shown that start.
    """
    return f"{row['pid']}@{row['backend_start']}" if row["backend_start"] else ""


def _pids(pids: Sequence[int]) -> str:
    return ", ".join("prepared" if pid == PREPARED_PID else str(pid) for pid in sorted(set(pids)))
