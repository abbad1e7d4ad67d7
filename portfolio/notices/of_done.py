"""Notices of what people did, from the audit: halts, files, silences, maintenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from core.readiness import EVERY_PORTFOLIO
from portfolio.allowed import A_FILE, is_import_seen
from portfolio.notices.notice import Cut, Kind, Notice, Source, level_of
from portfolio.notices.viewpoint import Viewpoint
from storage.state.audit import Entry, newest_of
from storage.state.database import Transaction
from storage.state.imports import imports_named
from storage.state.silences import silences_of

WHAT: Mapping[str, Kind] = MappingProxyType({
    "trading halted": Kind.HALTED, "trading resumed": Kind.RESUMED,
    "import taken": Kind.TAKEN, "import undone": Kind.UNDONE, "file refused": Kind.REFUSED,
    "alert silence made": Kind.SILENCED, "alert silence ended": Kind.SILENCE_OVER, "all alerts muted": Kind.MUTED,
    "maintenance made": Kind.MAINTENANCE_MADE, "maintenance ended": Kind.MAINTENANCE_OVER,
})  # fmt: skip
"""Kinds by what the audit calls what was done."""
OF_FILES = (Kind.TAKEN, Kind.UNDONE, Kind.REFUSED)
OF_HALTS = (Kind.HALTED, Kind.RESUMED)
OF_SILENCES = (Kind.SILENCED, Kind.SILENCE_OVER)
MOST_LOOKED_AT, CHUNK = 1_000, 100
SILENCE = "silence "
EVERYTHING = "everything"
READINESS, IMPORT, SILENCES = "/readiness", "/import", "/alerts/silences"


def notices_of_done(connection: Transaction, before: int, of: Viewpoint) -> Iterator[Notice]:
    """Yield notices of rows of the audit before the one of a number, the newest first.

    Raises Cut after MOST_LOOKED_AT rows.
    """
    for _ in range(MOST_LOOKED_AT // CHUNK):
        found = newest_of(connection, WHAT, CHUNK, before)
        yield from (_notice(each, of) for each in found) if of.is_whole else _limited(connection, found, of)
        if len(found) < CHUNK:
            return
        before = found[-1].id
    raise Cut(Source.DONE, before)


def _limited(connection: Transaction, entries: Sequence[Entry], of: Viewpoint) -> Iterator[Notice]:
    """Yield the notices that may be told to somebody who may see some portfolios alone."""
    silences = _silences_seen(connection, entries, of)
    files = _files_seen(connection, entries, of)
    for entry in entries:
        kind = WHAT[entry.what]
        if kind in OF_HALTS:
            id = _halted(entry)
            if id == EVERY_PORTFOLIO or of.became.get(id, id) in of.own_ids:
                yield _notice(entry, of)
        elif kind in OF_SILENCES and entry.target in silences:
            found = _notice(entry, of)
            yield found if silences[entry.target] else replace(found, sentence=f"Muting was ended by {entry.who}")
        elif kind is Kind.MUTED:
            yield replace(_notice(entry, of), sentence=f"Every alert is muted by {entry.who}")
        elif kind in OF_FILES and entry.target in files:
            yield replace(_notice(entry, of), sentence=A_FILE.capitalize())


def _silences_seen(connection: Transaction, entries: Sequence[Entry], of: Viewpoint) -> dict[str, bool]:
    """Return the silences that may be told, as the audit names them, and whether all of each may: not of everything."""
    targets = {each.target for each in entries if WHAT[each.what] in OF_SILENCES}
    ids = {int(number) for each in targets if (number := each.removeprefix(SILENCE)).isdecimal()}
    known = silences_of(connection, ids) if ids else {}
    told = {id: each for id, each in known.items() if each.is_of_all or not of.sight.names_hidden(each.matchers)}
    return {f"{SILENCE}{id}": not each.is_of_all for id, each in told.items()}


def _files_seen(connection: Transaction, entries: Sequence[Entry], of: Viewpoint) -> frozenset[str]:
    """Return the names of files whose imports, every one, touched portfolios that may be seen alone."""
    names = {each.target for each in entries if WHAT[each.what] in OF_FILES}
    known = imports_named(connection, names) if names else []
    ids = of.own_ids
    hidden = {each.name for each in known if not is_import_seen(each, of.became, ids)}
    return frozenset({each.name for each in known} - hidden)


def _halted(entry: Entry) -> str:
    return EVERY_PORTFOLIO if entry.target == EVERYTHING else entry.target


def _notice(entry: Entry, of: Viewpoint) -> Notice:
    kind = WHAT[entry.what]
    found = Notice(
        Source.DONE, entry.id, entry.at, kind, level_of(kind), _sentence(kind, entry), _place(kind), who=entry.who
    )
    if kind not in OF_HALTS:
        return found
    key = of.key_of(_halted(entry))
    return replace(found, portfolio=key, name=of.name_of(key))


def _sentence(kind: Kind, entry: Entry) -> str:
    if kind is Kind.HALTED:
        return _begins(entry.detail)
    if kind is Kind.RESUMED:
        return f"Resumed by {entry.who}; {entry.detail}"
    if kind in OF_FILES:
        return f"{entry.target}: {entry.detail}" if entry.detail else entry.target
    return f"{_begins(entry.detail)} ({entry.who})"


def _begins(text: str) -> str:
    return text[:1].upper() + text[1:]


def _place(kind: Kind) -> str:
    if kind in OF_HALTS:
        return READINESS
    return IMPORT if kind in OF_FILES else SILENCES
