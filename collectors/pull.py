"""Takes in the rows that came to a table of another database since the last look, in batches, by a column that grows.

The mark moves when a batch is durable, in ClickHouse or in the spool: a kill in between reads it again, which is
harmless, since a row that is there is there once. A row that cannot be taken is kept with the reason, and holds up no
other. The query is wrapped, so that the database filters and sorts: WHERE mark > … ORDER BY mark LIMIT …
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from collectors.kinds.clickhouse.connection import HttpEngine, TooLong
from collectors.kinds.clickhouse.connection import Refused as RefusedByClickHouse
from collectors.kinds.postgresql.connection import Refused as RefusedByPostgresql
from collectors.kinds.postgresql.connection import Server
from collectors.taken import asked_by, component, content_of, why_refused
from core.errors import RowsRefused, RowsWait, SourceRejected, SourceUnavailable, StorageError
from core.format import count
from core.ingest.kinds import KINDS
from core.kinds.clickhouse.source import ClickHouseSource
from core.kinds.postgresql.source import PostgresqlSource
from core.model import Reading
from core.net.reach import Deadline
from core.settings.pull import Pull
from portfolio.ingest.moments import AHEAD_SECONDS
from portfolio.ingest.sparing import LONGEST_SECONDS, Row, take_good_rows
from storage.state.pulled import Mark, RefusedRow, move_pull, read_pull

if TYPE_CHECKING:
    from storage.stores import Stores

log = logging.getLogger(__name__)

LONGEST_LOOK_SECONDS = 20.0
"""After it no further batch is begun: what is left waits for the next look."""
FARTHEST_ZONE_SECONDS = 14 * 3_600.0
"""How far the clocks of a zone are ahead of UTC at most."""
MOST_ANSWER_BYTES = 67_108_864
"""Of a ClickHouse, for the rows of a batch."""
Ask = Callable[[str, str], list[Row]]
"""Asks a query whose parameter is the mark; empty: there is none."""


class Puller:
    """The importer of one query."""

    def __init__(self, stores: Stores, pull: Pull) -> None:
        self.name = pull.collector
        self.interval_seconds = pull.interval_seconds
        self.timeout_seconds = LONGEST_LOOK_SECONDS + LONGEST_SECONDS + 3 * pull.timeout_seconds
        self._stores = stores
        self._pull = pull
        self._kind = KINDS[pull.kind]
        self._last = ""
        """What was wrong with the row that was refused last."""

    def take_in(self, now: float) -> Reading:
        """Take in what is new. Raises SourceUnavailable, SourceRejected."""
        state = self._stores.state
        try:
            before = read_pull(state, self.name)
            _check_came_to(before.mark, now)
            mark, found, began = _again(before.mark, self._pull.again), before, time.monotonic()
            is_behind = mark != before.mark
            # What is read again is read to its end: the mark does not move by it, and the next look would begin anew.
            while is_behind or time.monotonic() - began < LONGEST_LOOK_SECONDS:
                rows, is_all = self._read(mark)
                near = self._near(rows, now)
                if near:
                    mark = _mark_of(near[-1], self._pull.mark)
                    is_behind = is_behind and not _is_above(mark, before.mark)
                    found = self._take(found, near, before.mark if is_behind else mark, now)
                if len(near) < len(rows):
                    far = rows[len(near)][self._pull.mark]
                    raise SourceRejected(
                        f"the mark {far} lies in the future: beyond it no row that comes would be read; mend it there"
                    )
                if is_all:
                    break
        except StorageError as error:
            raise SourceUnavailable(f"rows wait where they are: storage does not answer ({error})") from error
        return Reading(components=(component(self.name, found, before, self._last, now),))

    def _take(self, before: Mark, rows: Sequence[Row], mark: str, now: float) -> Mark:
        """Store rows and move the mark past them, once they are durable."""
        names = {column.name for column in self._kind.columns}
        kept = [{name: cell for name, cell in row.items() if name in names or name != self._pull.mark} for row in rows]
        try:
            spared = take_good_rows(self._stores, asked_by(self._stores, self._kind, self.name), kept)
        except RowsRefused as error:
            raise SourceRejected(f"its rows cannot be taken: {error.faults[0]}") from error
        except RowsWait as error:
            raise SourceUnavailable(f"rows wait where they are: {error}") from error
        refused = [RefusedRow(content_of(row), why_refused(fault)) for row, fault in spared.refused]
        self._last = refused[-1].reason if refused else self._last
        found = move_pull(self._stores.state, self.name, before, mark, spared.taken, refused, now)
        if found.refused > before.refused:
            log.warning("%s: %s refused: %s", self.name, count(found.refused - before.refused, "row"), self._last)
        return found

    def _read(self, mark: str) -> tuple[list[Row], bool]:
        """Return the next rows in the order of their marks, and whether these are all; those of one mark together."""
        pull, name = self._pull, f'"{self._pull.mark}"'
        most = pull.batch_rows
        after = f" AND {name} > {PLACE[self._is_clickhouse]}" if mark else ""
        of = f"SELECT * FROM (\n{pull.query}\n) AS pulled"
        query = f"{of} WHERE {name} IS NOT NULL{after} ORDER BY {name} LIMIT {most + 1}"
        rows = self._asked(query, mark)
        if len(rows) <= most:
            return rows, True
        last = _mark_of(rows[-1], pull.mark)
        whole = [row for row in rows if _mark_of(row, pull.mark) != last]
        if not whole:
            raise SourceRejected(
                f"more than {count(most, 'row')} have the mark {last}: raise batch_rows, or choose another mark"
            )
        return whole, False

    def _near(self, rows: list[Row], now: float) -> list[Row]:
        """Return the rows up to the first whose mark is a time that lies in the future."""
        if not rows or not _is_ahead(_mark_of(rows[-1], self._pull.mark), now):
            return rows
        return [row for row in rows if not _is_ahead(_mark_of(row, self._pull.mark), now)]

    @property
    def _is_clickhouse(self) -> bool:
        return self._pull.url.get_secret_value().startswith("http")

    def _asked(self, query: str, mark: str) -> list[Row]:
        pull, deadline = self._pull, Deadline(self._pull.timeout_seconds)
        text = str(orjson.loads(mark)) if mark else ""
        given: dict[str, Any] = {"name": pull.name, "url": pull.url, "ca_file": pull.ca_file}
        # A server ends what took half of our time: it is given twice that, so that ours is what counts.
        given["timeout_seconds"] = pull.timeout_seconds * 2
        if self._is_clickhouse:
            engine = HttpEngine(ClickHouseSource(**given), deadline, MOST_ANSWER_BYTES)
            try:
                return list(engine.ask(query, {"mark": text} if mark else None))
            except RefusedByClickHouse as error:
                raise SourceRejected(f"it refuses the query: {error}") from error
            except TooLong as error:
                raise SourceRejected(f"{error}: lower batch_rows") from error
            finally:
                engine.close()
        server = Server(PostgresqlSource(**given), deadline)
        try:
            return list(server.ask(query, *([text] if mark else [])))
        except RefusedByPostgresql as error:
            raise SourceRejected(f"it refuses the query: {error}") from error
        finally:
            server.close()


ENDLESS = "infinity"
"""A time of PostgreSQL after which there is none."""
PLACE = {True: "{mark:String}", False: "$1"}
"""Where the mark stands in a query, of ClickHouse or not."""


def make(stores: Stores, pull: Pull) -> Puller:
    """Return the importer of a query."""
    return Puller(stores, pull)


def _mark_of(row: Row, name: str) -> str:
    """Return the mark of a row as JSON. Raises SourceRejected for what is none."""
    found = row.get(name)
    if isinstance(found, bool) or not isinstance(found, int | str) or found == "":
        raise SourceRejected(f"the mark {name} is {str(found)[:40]!r}: it must be a whole number, or a time as text")
    return orjson.dumps(found).decode()


def _moment(found: int | str) -> datetime | None:
    """Return the time that a mark is; None: it is none."""
    try:
        return datetime.fromisoformat(found) if isinstance(found, str) else None
    except ValueError:
        return None


def _is_above(mark: str, other: str) -> bool:
    """Return whether a mark is higher than another one of its column; what cannot be compared is."""
    one, two = orjson.loads(mark), orjson.loads(other)
    if isinstance(one, int) and isinstance(two, int):
        return one > two
    first, second = _moment(one), _moment(two)
    return first is None or second is None or _utc(first) > _utc(second)


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_ahead(mark: str, now: float) -> bool:
    """Return whether a mark is a time beyond `now` (epoch seconds); one without a zone may be of any."""
    found = orjson.loads(mark)
    moment = _moment(found)
    if moment is None:
        return bool(found == ENDLESS)
    farthest = 0.0 if moment.tzinfo else FARTHEST_ZONE_SECONDS
    return _utc(moment).timestamp() > now + AHEAD_SECONDS + farthest


def _check_came_to(mark: str, now: float) -> None:
    """Raise SourceRejected where the mark that was stored lies in the future: rows that come lie below it."""
    if mark and _is_ahead(mark, now):
        raise SourceRejected(
            f"the mark that it came to, {orjson.loads(mark)}, lies in the future, and rows below it are not read: "
            "give the pull another name, then it begins anew, and what is there already changes nothing"
        )


def _again(mark: str, again: float) -> str:
    """Return the mark from which on is read: `again` below the highest that was read, in its unit or in seconds."""
    if not mark or not again:
        return mark
    found = orjson.loads(mark)
    if isinstance(found, int):
        return orjson.dumps(found - int(again)).decode()
    try:
        moment = datetime.fromisoformat(found) - timedelta(seconds=again)
    except (ValueError, OverflowError) as error:
        raise SourceRejected(f"again needs a mark that is a number or a time, and {found[:40]!r} is none") from error
    return orjson.dumps(moment.isoformat(sep="T" if "T" in found else " ")).decode()
