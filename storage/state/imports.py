"""Files that were imported, and what was said of how to read them."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.state.audit import Entry, add_entry
from storage.state.changes import unfinished_in
from storage.state.database import State, imports, mappings, upsert
from storage.state.portfolios import names_in
from storage.state.sent_rows import rename_in_sent

SAMPLE_FUND = "sample fund"
"""Name under which loading and removing the sample is listed."""
TAKING, TAKEN, REFUSED, UNDOING, UNDONE = "taking", "taken", "refused", "undoing", "undone"
"""Outcomes. A process that ended in the middle leaves `taking` or `undoing`: either may be repeated."""
OF_NAV = ("nav", "returns", "")
"""Kinds whose names are portfolios, those of before kinds were among them."""


@dataclass(frozen=True, slots=True)
class Import:
    """A file that was taken or refused. Times are epoch seconds."""

    imported: float
    name: str
    sha256: str
    rows: int
    outcome: str
    detail: str = ""
    id: int = 0
    """Its number, by which it is undone."""
    who: str = ""
    kind: str = ""
    """nav, returns, prices, index or rates; empty: it was refused, or taken before kinds were."""
    version: int = 0
    """Of its rows in ClickHouse (milliseconds), by which they are told from those of other imports; 0: not known."""
    first: int = 0
    last: int = 0
    """Epoch seconds of its first and last point."""
    names: tuple[str, ...] = ()
    """Its portfolios or instruments."""
    created: tuple[str, ...] = ()
    """Those of them that there were none of before."""
    added: int = 0
    restated: int = 0
    doubts: str = "[]"
    """JSON of the doubts that were accepted (portfolio.imports.doubts)."""
    undone: float = 0.0
    undone_by: str = ""


def start_import(state: State, item: Import) -> int:
    """Remember that a file is being taken, before any of its rows is, and return its number.

    0, and nothing is remembered, when a portfolio of it is being merged or deleted, or has just been.
    """
    with state.deciding() as connection:
        if item.kind in OF_NAV and busy_names(connection, item.names):
            return 0
        if item.outcome != TAKING:
            _audit(connection, item, item.outcome, item.who, item.imported)
        result = connection.execute(sa.insert(imports).values(**_columns(item)))
        (number,) = result.inserted_primary_key or (0,)
        return int(number)


def busy_names(connection: Connection, names: Sequence[str]) -> list[str]:
    """Return those of `names` that are being merged or deleted, or are now called otherwise."""
    moved = set(names_in(connection))
    for change in unfinished_in(connection):
        moved |= {change.portfolio, change.into}
    return [name for name in names if name in moved]


def names_being_changed(connection: Connection) -> dict[str, int]:
    """Return the portfolios of imports that are being taken or undone, or were cut off, with the import's number."""
    query = sa.select(imports.c.id, imports.c.names).where(
        imports.c.outcome.in_((TAKING, UNDOING)), imports.c.kind.in_(OF_NAV)
    )
    return {name: int(row.id) for row in connection.execute(query) for name in json.loads(row.names)}


def newest_import(connection: Connection) -> int:
    """Return the number of the newest import, 0 when there is none."""
    return int(connection.execute(sa.select(sa.func.max(imports.c.id))).scalar() or 0)


def start_undo(connection: Connection, number: int) -> None:
    """Remember that an import is being undone."""
    connection.execute(sa.update(imports).where(imports.c.id == number).values(outcome=UNDOING))


def import_in(connection: Connection, number: int) -> Import | None:
    """Do what `find_import` does as part of a transaction."""
    row = connection.execute(sa.select(imports).where(imports.c.id == number)).first()
    return None if row is None else _import(row)


def rename_in_imports(connection: Connection, gone: str, into: str, told: str) -> None:
    """Let every import of the portfolio `gone` be one of `into`, of none when that is empty. `told` says why."""
    rename_in_sent(connection, gone, into)
    query = sa.select(imports).where(imports.c.kind.in_(OF_NAV), imports.c.names != "[]")
    for item in map(_import, connection.execute(query).fetchall()):
        if gone not in item.names:
            continue
        names = dict.fromkeys(into if name == gone else name for name in item.names)
        values = {
            "names": json.dumps([name for name in names if name], ensure_ascii=False),
            "created": json.dumps([name for name in item.created if name != gone], ensure_ascii=False),
            "doubts": _doubts_of(item.doubts, gone, into),
            "detail": f"{item.detail}; {told}" if item.detail else told,
        }
        connection.execute(sa.update(imports).where(imports.c.id == item.id).values(**values))


def _doubts_of(doubts: str, gone: str, into: str) -> str:
    kept = json.loads(doubts)
    for kind in kept:
        named = [row | {"name": into} if row["name"] == gone else row for row in kind["rows"]]
        kind["rows"] = [row for row in named if row["name"]]
    return json.dumps([kind for kind in kept if kind["rows"]], ensure_ascii=False)


def change_import(state: State, number: int, **changes: str | float | int | tuple[str, ...]) -> None:
    """Change fields of an import; that it is taken or undone stands in the audit too."""
    values = {name: json.dumps(value) if isinstance(value, tuple) else value for name, value in changes.items()}
    with state.begin() as connection:
        item, outcome = import_in(connection, number), str(changes.get("outcome", ""))
        if item is not None and outcome in (TAKEN, UNDONE):
            who = item.who if outcome == TAKEN else str(changes.get("undone_by", ""))
            _audit(connection, item, outcome, who, time.time())
        connection.execute(sa.update(imports).where(imports.c.id == number).values(**values))


def record_import(
    state: State, name: str, sha256: str, rows: int, outcome: str, detail: str = "", who: str = ""
) -> None:
    """Remember that a file was taken, refused or removed, of which nothing else is known."""
    start_import(state, Import(time.time(), name, sha256, rows, outcome, detail, who=who[:80]))


def recent_imports(state: State, limit: int = 20) -> list[Import]:
    """Return the newest imports, newest first."""
    query = sa.select(imports).order_by(imports.c.id.desc()).limit(limit)
    with state.reading() as connection:
        return [_import(row) for row in connection.execute(query)]


def imports_named(connection: Connection, names: Collection[str]) -> list[Import]:
    """Return every import of files of these names."""
    return [_import(row) for row in connection.execute(sa.select(imports).where(imports.c.name.in_(sorted(names))))]


def find_import(state: State, number: int) -> Import | None:
    """Return the import of this number, or None."""
    with state.reading() as connection:
        return import_in(connection, number)


def unfinished_imports(state: State, sha256: str) -> list[Import]:
    """Return the imports of this content that were cut off before they were whole, oldest first."""
    which = (imports.c.outcome == TAKING, imports.c.sha256 == sha256)
    with state.reading() as connection:
        return [_import(row) for row in connection.execute(sa.select(imports).where(*which).order_by(imports.c.id))]


def newest_begun(state: State) -> int:
    """Return the number of the newest import that was not refused, 0 when there is none."""
    with state.reading() as connection:
        query = sa.select(sa.func.max(imports.c.id)).where(imports.c.outcome != REFUSED)
        return int(connection.execute(query).scalar() or 0)


def same_content(state: State, sha256: str) -> Import | None:
    """Return the newest import of this very content that stands, or None."""
    query = sa.select(imports).where(imports.c.sha256 == sha256, imports.c.outcome == TAKEN)
    with state.reading() as connection:
        row = connection.execute(query.order_by(imports.c.id.desc()).limit(1)).first()
    return None if row is None else _import(row)


def standing_imports(state: State) -> list[Import]:
    """Return the imports that were taken and not undone, oldest first."""
    query = sa.select(imports).where(imports.c.outcome == TAKEN).order_by(imports.c.id)
    with state.reading() as connection:
        return [_import(row) for row in connection.execute(query)]


def doubted_imports(state: State) -> list[Import]:
    """Return the standing imports of NAV and returns whose doubts were accepted, oldest first."""
    which = (imports.c.outcome == TAKEN, imports.c.doubts != "[]", imports.c.kind.in_(OF_NAV))
    with state.reading() as connection:
        return [_import(row) for row in connection.execute(sa.select(imports).where(*which).order_by(imports.c.id))]


def created_names(state: State, names: Sequence[str]) -> list[str]:
    """Return those of `names` that came with an import of NAV, whichever it was, rather than from a person."""
    query = sa.select(imports.c.created).where(imports.c.kind.in_(OF_NAV), imports.c.created != "[]")
    with state.reading() as connection:
        created = {name for text in connection.execute(query).scalars() for name in json.loads(text)}
    return [name for name in names if name in created]


def newest_version(state: State) -> int:
    """Return the highest version that an import was given, 0 when none was."""
    with state.reading() as connection:
        return int(connection.execute(sa.select(sa.func.max(imports.c.version))).scalar() or 0)


def was_imported(state: State, name: str) -> bool:
    """Return whether something of this name was ever taken, refused or removed."""
    query = sa.select(imports.c.id).where(imports.c.name == name).limit(1)
    with state.reading() as connection:
        return connection.execute(query).first() is not None


def remember_mapping(state: State, header: str, stem: str, mapping: str, who: str) -> None:
    """Remember how to read files with this header and names like `stem`; "" stands for every name."""
    row = {"header": header, "stem": stem, "mapping": mapping, "at": time.time(), "who": who[:80]}
    with state.begin() as connection:
        upsert(connection, mappings, [row])


def recall_mapping(state: State, header: str, stem: str) -> str | None:
    """Return what was remembered of files with this header and exactly this stem, or None."""
    query = sa.select(mappings.c.mapping).where(mappings.c.header == header, mappings.c.stem == stem)
    with state.reading() as connection:
        found = connection.execute(query).scalar()
    return None if found is None else str(found)


def _audit(connection: Connection, item: Import, outcome: str, who: str, at: float) -> None:
    """Add to the audit what came of a file."""
    is_refused = outcome == REFUSED
    what = "file refused" if is_refused else f"import {outcome}"
    came = "refused" if is_refused else "done"
    add_entry(connection, Entry(at, who or "Fundwatch", what, item.name, outcome=came, detail=item.detail))


def _columns(item: Import) -> dict[str, object]:
    return {
        **{name: getattr(item, name) for name in _PLAIN},
        "names": json.dumps(item.names, ensure_ascii=False),
        "created": json.dumps(item.created, ensure_ascii=False),
    }


_PLAIN = (
    *("imported", "name", "sha256", "rows", "outcome", "detail", "who", "kind", "version", "first", "last"),
    *("added", "restated", "doubts", "undone", "undone_by"),
)


def _import(row: sa.Row[tuple[object, ...]]) -> Import:
    values = dict(row._mapping)
    texts: dict[str, Sequence[str]] = {name: json.loads(str(values.pop(name))) for name in ("names", "created")}
    return Import(**values, names=tuple(texts["names"]), created=tuple(texts["created"]))
