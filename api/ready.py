"""/readyz: whether Fundwatch can answer. Anybody learns that it can or not, who is signed in also why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import StorageError

if TYPE_CHECKING:
    from storage.stores import Stores


def away(stores: Stores) -> list[str]:
    """Return what keeps Fundwatch from answering, a sentence each; none: it is ready."""
    clickhouse = stores.clickhouse.pulse.problem()
    why = [f"ClickHouse: {clickhouse}"] if clickhouse else []
    try:
        with stores.state.begin():
            pass
    except StorageError as error:
        why.append(f"State database: {error}")
    if stores.live.known_version("pipeline") is None:
        why.append(f"Redis: {stores.live.problem or 'does not answer'}")
    return why
