"""What can be done to a ClickHouse: end a query or a mutation, write its logs out.

Merges cannot be stopped from here: no server tells that they are stopped, and who forgets it loses the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from collectors.base import Done
from collectors.kinds.clickhouse.connection import Engine, Refused, open_engine
from collectors.kinds.clickhouse.error_codes import ErrorCode
from core.errors import SourceRejected
from core.format import duration
from core.kinds.clickhouse.source import ClickHouseSource, OwnEngine
from core.kinds.clickhouse.spec import Actions, MutationTarget
from core.literals import without_values
from core.net.reach import Deadline

WAIT_SECONDS = 0.05


def act(source: ClickHouseSource | OwnEngine, action: str, target: str) -> Done:
    """Do one action. Targets: kill_query its id; kill_mutation a MutationTarget; flush_logs none.

    Our own engine is asked over another handle than the one that runs the query: only so can it be ended.
    """
    todo = ACTS.get(action)
    if todo is None:
        raise SourceRejected(f"a ClickHouse knows no action {action}")
    deadline = Deadline(source.timeout_seconds)
    engine = open_engine(source, deadline)
    try:
        return todo(engine, target, deadline)
    except Refused as error:
        if error.code == ErrorCode.ACCESS_DENIED:
            raise SourceRejected(f"our user may not do that: {error}") from error
        raise SourceRejected(f"refused: {error}") from error
    finally:
        engine.close()


def _kill_query(engine: Engine, target: str, deadline: Deadline) -> Done:
    sql = "SELECT elapsed, user, substring(query, 1, 200) AS query FROM system.processes WHERE query_id = {id:String}"
    before = engine.ask(sql, {"id": target})
    if not before:
        raise SourceRejected(f"query {target} is no longer running")
    what = f"query {target} of {before[0]['user']}, which had run for {duration(float(before[0]['elapsed']))},"
    # Without values: what was done is kept for good.
    query = " ".join(str(without_values(str(before[0]["query"]), is_clickhouse=True)).split())
    engine.do("KILL QUERY WHERE query_id = {id:String} ASYNC", {"id": target})
    began = time.monotonic()
    while engine.ask(sql, {"id": target}):
        if time.monotonic() - began > deadline.seconds / 2:
            return Done(f"{what} is cancelled and still running: {query}")
        time.sleep(WAIT_SECONDS)
    return Done(f"{what} ended within {duration(time.monotonic() - began)}: {query}")


def _kill_mutation(engine: Engine, target: str, _deadline: Deadline) -> Done:
    mutation = MutationTarget.parse(target)
    what = f"mutation {mutation.mutation_id} of {mutation.database}.{mutation.table}"
    where = "database = {database:String} AND table = {table:String} AND mutation_id = {id:String}"
    named = {"database": mutation.database, "table": mutation.table, "id": mutation.mutation_id}
    if not engine.ask(f"SELECT 1 FROM system.mutations WHERE NOT is_done AND {where}", named):
        raise SourceRejected(f"{what} is no longer running")
    engine.do(f"KILL MUTATION WHERE {where}", named)
    return Done(f"{what} ended; what it changed until then stays")


def _flush_logs(engine: Engine, _target: str, _deadline: Deadline) -> Done:
    engine.do("SYSTEM FLUSH LOGS")
    return Done("logs flushed to their tables")


ACTS: dict[str, Callable[[Engine, str, Deadline], Done]] = {
    Actions.KILL_QUERY: _kill_query,
    Actions.KILL_MUTATION: _kill_mutation,
    Actions.FLUSH_LOGS: _flush_logs,
}
