"""What was sent stays to be seen: rows of programs an hour together, files of rows one by one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from core.errors import StorageUnavailable
from core.ingest.kinds import Kind
from portfolio.imports.doubts import doubts_to_json
from portfolio.ingest.request import Asked, Ingested
from storage.state.imports import REFUSED, TAKEN, Import, start_import
from storage.state.sent_rows import Sent, add_sent

if TYPE_CHECKING:
    from storage.stores import Stores

KIND_CHARACTERS = 16
NOT_UNDONE = "rows replace what was told before them: to change them, send them anew"

log = logging.getLogger(__name__)


def trace_sent(stores: Stores, asked: Asked, taken: Ingested) -> None:
    """Write down that a program's rows were taken."""
    doubts = doubts_to_json(taken.doubts) if asked.kind.name == "nav" else "[]"
    now, added, restated = stores.clock.now(), taken.added or 0, taken.restated or 0
    sent = Sent(asked.who, asked.kind.name, now, rows=taken.rows, added=added, restated=restated, doubts=doubts)
    _sent(stores, sent)


def trace_refused(stores: Stores, asked: Asked, why: str) -> None:
    """Write down that a program's rows were refused."""
    _sent(stores, Sent(asked.who, asked.kind.name, stores.clock.now(), refused=1, why=why))


def trace_file(stores: Stores, name: str, kind: Kind, who: str, digest: str, taken: Ingested) -> None:
    """Write down that a file of rows was taken."""
    doubts = taken.doubts if kind.name == "nav" else ()
    _file(stores, Import(
        stores.clock.now(), name[:255], digest, taken.rows, TAKEN, f"{kind.name}: {NOT_UNDONE}", who=who[:80],
        kind=kind.name[:KIND_CHARACTERS], names=taken.names, added=taken.added or 0, restated=taken.restated or 0,
        doubts=doubts_to_json(doubts),
    ))  # fmt: skip


def trace_refused_file(stores: Stores, name: str, who: str, digest: str, why: str) -> None:
    """Write down that a file of rows was refused."""
    _file(stores, Import(stores.clock.now(), name[:255], digest, 0, REFUSED, why[:2_000], who=who[:80]))


def is_of_rows(item: Import) -> bool:
    """Return whether an import was a file of rows, which cannot be undone."""
    return item.detail.endswith(NOT_UNDONE)


def _sent(stores: Stores, sent: Sent) -> None:
    try:
        add_sent(stores.state, sent)
    except StorageUnavailable:
        # What was sent is durable, or refused, already: the answer that says so must not be lost.
        log.warning("%s of %s could not be written down: the state database is away", sent.kind, sent.who)
        return
    stores.live.bump("imports")


def _file(stores: Stores, item: Import) -> None:
    try:
        start_import(stores.state, item)
    except StorageUnavailable:
        log.warning("%s could not be written down: the state database is away", item.name)
        return
    stores.live.bump("imports")
