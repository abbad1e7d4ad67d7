"""Taking a file: whole or not at all, and listed, so that it can be undone."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.clock import DAY_SECONDS
from core.errors import ImportRejected, Mistake
from core.format import count, noun
from portfolio.allowed import Limits
from portfolio.given import said_of
from portfolio.imports.brought import new_portfolios, tell_series
from portfolio.imports.chain import Chained, chain
from portfolio.imports.doubts import Around, doubts_to_json
from portfolio.imports.dropped import told_name
from portfolio.imports.known import as_known, with_ids
from portfolio.imports.mapping import OF_INSTRUMENTS, Mapping
from portfolio.imports.points import OF_RETURNS, Points
from portfolio.imports.remembered import recall_from, remember
from portfolio.imports.sheet import LARGEST_BYTES
from portfolio.imports.understand import Understood, day, understand
from portfolio.imports.within import within
from storage.clickhouse.import_rows import NAV, PRICES, Imported, Rows, insert_import, next_import_version, standing
from storage.clickhouse.reads.around import Stored, stored_around
from storage.clickhouse.undo_rows import undo_import
from storage.state.imports import (
    REFUSED,
    TAKEN,
    TAKING,
    UNDONE,
    Import,
    change_import,
    newest_begun,
    newest_version,
    record_import,
    same_content,
    start_import,
    unfinished_imports,
)
from storage.state.portfolios import OWN, add_missing_portfolios, list_portfolios
from storage.state.series import Series, list_series
from storage.stores import Stores

if TYPE_CHECKING:
    from numpy.typing import NDArray

ONE_AT_A_TIME = threading.RLock()
"""Held while a file is taken or an import undone: the page, the inbox and the command line share what is stored."""
SAME = 1e-9
"""Relative difference of two indices that are one."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What was taken. Times are epoch seconds of the first and the last row."""

    name: str
    rows: int
    portfolios: tuple[str, ...]
    """Or instruments, of a file of prices."""
    first: int
    last: int
    restated: int = 0
    """How many of them replaced another value."""
    added: int = 0
    """How many of them there was nothing of before."""
    again: Import | None = None
    """The import that brought this very file before, when it still stands."""
    created: tuple[str, ...] = ()
    """The portfolios that there were none of before: a misspelt name is one."""
    number: int = 0
    """By which it is undone."""
    kind: str = "nav"
    notes: tuple[str, ...] = ()

    @property
    def is_nothing_new(self) -> bool:
        """Return whether every row was there before, as it is."""
        return self.added == 0 and self.restated == 0

    def __str__(self) -> str:
        one = {"nav": "row", "index": "return"}.get(self.kind, self.kind.removesuffix("s"))
        brought = count(self.rows, one)
        if self.is_nothing_new:
            before = f" The same file was imported on {day(int(self.again.imported))}" if self.again else ""
            told = f".{before} as import {self.again.id}." if self.again else "."
            return f"{self.name}: nothing changed: its {brought} {noun(self.rows, 'is', 'are')} there already{told}"
        more = f", {self.restated} of them restated" if self.restated else ""
        what = noun(len(self.created), "instrument" if self.kind in OF_INSTRUMENTS else "portfolio")
        new = f"; new {what}: {', '.join(self.created)}" if self.created else ""
        told = "".join(f"; {note}" for note in self.notes)
        span = f"{day(self.first)} to {day(self.last)}"
        return f"{self.name}: {brought} of {', '.join(self.portfolios)} taken, {span}{more}{new}{told}"


def import_file(
    stores: Stores, path: Path, said: Mapping | None = None, *, who: str = "", accept: bool = False
) -> ImportResult:
    """Take the file at `path` whole.

    `said` is how to read it where it does not tell, `who` brings it, `accept`: doubts are confirmed. Raises
    ImportRejected with every kind of mistake, ImportDoubted for doubts, OSError when it cannot be read,
    StorageUnavailable when nothing is known to be taken: taking the same file again is harmless.
    """
    return take(stores, told_name(path.name), read_file(path), said, who=who, accept=accept)


def read_file(path: Path) -> bytes | None:
    """Return the content of a file; None when it is too large to read."""
    return path.read_bytes() if path.stat().st_size <= LARGEST_BYTES else None


def look_at(
    stores: Stores, name: str, content: bytes | None, said: Mapping | None = None, limits: Limits = None
) -> Understood:
    """Return what a file says, with what is remembered of files like it and what is stored round its points.

    limits: the only own portfolios that it may be of; of another one, or of instruments, it has a mistake instead of
    points, and nothing is told of what is stored.
    """
    allowed = within(stores.state, limits)
    ids = allowed.names
    understood = understand(
        name,
        content,
        said or Mapping(),
        stores.clock.now(),
        allowed.recall(recall_from(stores.state)),
        lambda points, kind: look_around(stores, points, kind, ids) if not allowed.wrong(points, kind) else {},
    )
    return as_known(allowed.checked(understood), ids)


def take(
    stores: Stores,
    name: str,
    content: bytes | None,
    said: Mapping | None = None,
    *,
    who: str = "",
    accept: bool = False,
) -> ImportResult:
    """Take a file's content as `import_file` does; None stands for content too large to read."""
    understood = look_at(stores, name, content, said)
    return take_understood(stores, understood, digest_of(content), said or Mapping(), who=who, accept=accept)


def digest_of(content: bytes | None) -> str:
    """Return what tells a file's content from any other."""
    return hashlib.sha256(content or b"").hexdigest()


def take_understood(
    stores: Stores, understood: Understood, digest: str, said: Mapping, *, who: str = "", accept: bool = False
) -> ImportResult:
    """Take what `look_at` returned for a file with this digest, read as `said`. Raises what `take` raises."""
    with ONE_AT_A_TIME:
        try:
            points = understood.check(accept)
            chained = check_against_stored(stores, understood, points)
        except ImportRejected as error:
            record_import(stores.state, understood.name[:255], digest, 0, REFUSED, str(error)[:2_000], who)
            stores.live.bump("imports")
            raise
        return _store(stores, understood, chained, digest, said, who)


def check_against_stored(stores: Stores, understood: Understood, points: Points) -> Chained | None:
    """Return the index of returns, None of other kinds. Raises ImportRejected where points cannot join the stored."""
    _check_meaning(stores, understood)
    return _chained(stores, understood, points) if understood.kind in OF_RETURNS else None


def _store(
    stores: Stores, understood: Understood, chained: Chained | None, digest: str, said: Mapping, who: str
) -> ImportResult:
    assert understood.points is not None
    into = table_of(understood.kind)
    points = chained.points if chained else understood.points
    again = same_content(stores.state, digest)
    begun = _begun(stores, understood, points, digest, who)
    source = understood.name
    # What they are is known before they are there: no rate is read as a price, no value is without a portfolio.
    if into is PRICES:
        tell_series(stores, understood, chained)
    else:
        first = 1 + max((each.position for each in list_portfolios(stores.state, OWN)), default=-1)
        add_missing_portfolios(stores.state, new_portfolios(points, begun.created, understood, chained, first))
    inserted = insert_import(stores.clickhouse, into, _rows(points, into), begun.version, source)
    rows = len(understood.points)
    counts = {"added": inserted.added, "restated": inserted.restated, "rows": rows}
    change_import(stores.state, begun.id, outcome=TAKEN, **counts)
    remember(stores.state, understood, said, who)
    stores.live.bump("portfolio")
    stores.live.bump("imports")
    index = tuple(f"index of {name} begins at 100 on {day(ts)}" for name, ts in chained.begun) if chained else ()
    return ImportResult(
        understood.name,
        rows,
        points.names,
        understood.first,
        understood.last,
        inserted.restated,
        inserted.added,
        again,
        begun.created,
        begun.id,
        understood.kind,
        (*understood.notes, *index),
    )


def _take_back(stores: Stores, item: Import, who: str) -> None:
    into = table_of(item.kind)
    undo_import(stores.clickhouse, into, OWN, item.names, item.version, item.first, item.last)
    detail = "it was cut off, and the same file was imported again"
    change_import(stores.state, item.id, outcome=UNDONE, undone=stores.clock.now(), undone_by=who[:80], detail=detail)


def _begun(stores: Stores, understood: Understood, points: Points, digest: str, who: str) -> Import:
    """Return the record of an import that begins, or of the same one that was cut off: its rows have its version.

    One that was cut off before others came is taken back first: its rows would not be the newest.
    """
    newest = newest_begun(stores.state)
    for cut_off in unfinished_imports(stores.state, digest):
        if cut_off.id == newest and cut_off.names == points.names and cut_off.kind == understood.kind:
            return cut_off
        _take_back(stores, cut_off, who)
    now = stores.clock.now()
    into = table_of(understood.kind)
    above = max(int(now * 1000) - 1, newest_version(stores.state))
    version = next_import_version(stores.clickhouse, into, OWN, points.names, above)
    if into is NAV:
        there = {each.id for each in list_portfolios(stores.state, OWN)}
    else:
        there = set(_stored(stores, points, understood.kind))
    item = Import(
        now,
        understood.name[:255],
        digest,
        len(understood.points or ()),
        TAKING,
        who=who[:80],
        kind=understood.kind,
        version=version,
        first=int(points.ts.min()),
        last=int(points.ts.max()),
        names=points.names,
        created=tuple(name for name in points.names if name not in there),
        doubts=doubts_to_json(understood.doubts),
    )
    number = start_import(stores.state, item)
    if not number:
        reason = "a portfolio of it is being merged or deleted"
        raise ImportRejected(understood.name, [Mistake(reason)], understood.seems, "Import it again when that is done.")
    return replace(item, id=number)


def table_of(kind: str) -> Imported:
    """Return where files of a kind go."""
    return PRICES if kind in OF_INSTRUMENTS else NAV


def _rows(points: Points, into: Imported) -> Rows:
    values = (points.value, points.flow) if into is NAV else (points.value,)
    return Rows(OWN, points.names, points.code, points.ts, values)


def _check_meaning(stores: Stores, understood: Understood) -> None:
    """Raise ImportRejected when a file is in another currency than its portfolio or series, or of another kind."""
    of_portfolios = table_of(understood.kind) is NAV
    if of_portfolios:
        there = {each.id: each.currency for each in list_portfolios(stores.state, OWN)}
    else:
        series = {each.symbol: each for each in list_series(stores.state, OWN)}
        there = {symbol: each.currency for symbol, each in series.items() if each.currency}
        _check_kind(understood, series)
    wrong = [
        Mistake(f"{name} is in {there[name]}, and the file is in {currency}")
        for name, currency in understood.currencies
        if there.get(name, currency) != currency
    ]
    if wrong:
        noun = "portfolio" if of_portfolios else "series"
        remedy = f"Import it under another name, or change the {noun}'s currency first."
        raise ImportRejected(understood.name, wrong, understood.seems, remedy)


def _check_kind(understood: Understood, series: Dict[str, Series]) -> None:
    assert understood.points is not None
    words = {True: "rates", False: "prices"}
    is_rate = understood.kind == "rates"
    wrong = [
        Mistake(f"{name} is a series of {words[not is_rate]}, and the file has {words[is_rate]}")
        for name in understood.points.names
        if name in series and (series[name].kind == "rate") != is_rate
    ]
    if wrong:
        remedy = f"Import it under another name, or with --kind {words[not is_rate]}."
        raise ImportRejected(understood.name, wrong, understood.seems, remedy)


def _chained(stores: Stores, understood: Understood, returns: Points) -> Chained:
    """Return the index of returns. Raises ImportRejected where it would not meet what is stored after it."""
    into = table_of(understood.kind)
    stored = _stored(stores, returns, understood.kind)
    made = chain(returns, {name: each.before for name, each in stored.items() if each.before is not None})
    followed = [name for name in returns.names if name in stored and stored[name].after is not None]
    if not followed:
        return made
    was = standing(stores.clickhouse, into, _rows(made.points, into))[0][0]
    wrong = []
    for name in followed:
        of = np.flatnonzero(made.points.code == made.points.names.index(name))
        newest = of[np.argmax(made.points.ts[of])]
        if not np.isclose(was[newest], made.points.value[newest], rtol=SAME, atol=0):
            until, ends = day(stored[name].last_ts), day(int(made.points.ts[newest]))
            wrong.append(Mistake(f"returns of {name} end on {ends}, and it has values until {until} on another level"))
    if wrong:
        remedy = "Give returns until its last day, or undo what came after them."
        raise ImportRejected(understood.name, wrong, understood.seems, remedy)
    return made


def _stored(stores: Stores, points: Points, kind: str) -> Dict[str, Stored]:
    """Return what is stored round the points of each name."""
    days = points.ts // DAY_SECONDS
    count = len(points.names)
    first, last = np.full(count, 2**16 - 1, dtype=np.int64), np.zeros(count, dtype=np.int64)
    np.minimum.at(first, points.code, days)
    np.maximum.at(last, points.code, days)
    into = table_of(kind)
    return stored_around(stores.clickhouse, into, OWN, points.names, _list(first), _list(last))


def look_around(stores: Stores, points: Points, kind: str, ids: Dict[str, str]) -> dict[str, Around]:
    """Return what is stored round the points of each name, of the portfolio that it means."""
    if kind in OF_INSTRUMENTS:
        return {each: _around(stored) for each, stored in _stored(stores, points, kind).items()}
    stored = _stored(stores, with_ids(points, ids), kind)
    calendars = {each.id: said_of(each).given().calendar for each in list_portfolios(stores.state, OWN)}
    meant = {name: ids.get(name, name) for name in points.names}
    return {
        name: replace(_around(stored[id]) if id in stored else Around(), calendar=calendars.get(id))
        for name, id in meant.items()
    }


def _around(stored: Stored) -> Around:
    return Around(stored.days, stored.before, stored.after)


def _list(array: NDArray[np.int64]) -> list[int]:
    return [int(value) for value in array]
