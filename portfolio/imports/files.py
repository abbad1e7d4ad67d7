"""Reading a NAV file (CSV: date, portfolio, nav, flow) and taking it: whole or not at all.

date: ISO date, or ISO date and time (without a zone it is UTC). nav: value at the end of that day. flow: money that
came in (+) or went out (−) on it, 0 when there was none. One row a portfolio and moment.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from core.errors import ImportRejected
from core.model import Facts
from storage.clickhouse.nav_rows import NAV_COLUMNS, insert_nav, next_version
from storage.state.portfolios import TRADING_DAYS, Portfolio, add_missing_portfolios, record_import
from storage.stores import Stores

ORIGIN = "own"
COLUMNS = ("date", "portfolio", "nav", "flow")
LARGEST_BYTES = 32 * 1024 * 1024
MOST_ROWS = 500_000
"""So that a file is one insert, which ClickHouse takes whole or not at all."""
MOST_PROBLEMS = 1_000
AHEAD_SECONDS = 14 * 3_600
"""The farthest that a date on earth is ahead of UTC."""
LATEST_SECONDS = 2**32 - 1
"""What ClickHouse's DateTime holds."""

WEEKEND_SHARE = 0.1
"""Share of whole weekends among a portfolio's days from which its year has 365 of them; open all week it is 1 in 7."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_PORTFOLIO = re.compile(r"[\w .&()/+'-]{1,64}")

Problem = tuple[int, str]
"""Line number and reason."""


@dataclass(frozen=True, slots=True)
class NavRow:
    """One valid row. `ts` in epoch seconds, amounts in the portfolio's currency."""

    line: int
    ts: int
    portfolio: str
    nav: float
    flow: float


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What was taken. Times are epoch seconds of the first and the last row."""

    name: str
    rows: int
    portfolios: tuple[str, ...]
    first: int
    last: int
    restated: int = 0
    """How many of them replaced another value."""
    created: tuple[str, ...] = ()
    """The portfolios that there were none of before: a misspelt name is one."""

    def __str__(self) -> str:
        span = f"{_day(self.first)} to {_day(self.last)}"
        more = f", {self.restated} of them restated" if self.restated else ""
        kind = "portfolio" if len(self.created) == 1 else "portfolios"
        new = f"; new {kind}: {', '.join(self.created)}" if self.created else ""
        return f"{self.name}: {self.rows} rows of {', '.join(self.portfolios)} taken, {span}{more}{new}"


def import_nav_file(stores: Stores, path: Path) -> ImportResult:
    """Take the file at `path` whole.

    Raises ImportRejected with every wrong line, OSError when it cannot be read, StorageUnavailable when nothing is
    known to be taken: taking the same file again is harmless, rows replace themselves.
    """
    return take_nav(stores, path.name, path.read_bytes() if path.stat().st_size <= LARGEST_BYTES else None)


def take_nav(stores: Stores, name: str, content: bytes | None) -> ImportResult:
    """Take a file's content as `import_nav_file` does; None stands for content too large to read."""
    now = stores.clock.now()
    digest = hashlib.sha256(content or b"").hexdigest()
    try:
        rows = parse_nav(name, content, now)
    except ImportRejected as error:
        record_import(stores.state, name[:255], digest, 0, "refused", str(error)[:2_000])
        raise
    ids = tuple(dict.fromkeys(row.portfolio for row in rows))
    version = next_version(stores.clickhouse, ORIGIN, ids, now)
    restated = insert_nav(stores.clickhouse, nav_facts(rows, version), source=name)
    weekends = _on_weekends(rows)
    created = add_missing_portfolios(
        stores.state,
        [
            Portfolio(ORIGIN, id, id, position=position, periods_per_year=365 if id in weekends else TRADING_DAYS)
            for position, id in enumerate(ids)
        ],
    )
    record_import(stores.state, name[:255], digest, len(rows), "taken")
    stores.live.bump("portfolio")
    first, last = min(row.ts for row in rows), max(row.ts for row in rows)
    return ImportResult(name, len(rows), ids, first, last, restated, tuple(each.id for each in created))


def _on_weekends(rows: Sequence[NavRow]) -> set[str]:
    """Return the portfolios that report on Saturdays and Sundays too: their year has 365 returns."""
    days: defaultdict[str, set[int]] = defaultdict(set)
    for row in rows:
        days[row.portfolio].add(row.ts // 86_400)
    # 1970-01-01 was a Thursday. Month-ends fall on weekends too: a Sunday counts with its Saturday.
    sundays = {portfolio: sum((day + 3) % 7 == 6 and day - 1 in of for day in of) for portfolio, of in days.items()}
    return {portfolio for portfolio, of in days.items() if sundays[portfolio] >= WEEKEND_SHARE * len(of)}


def nav_facts(rows: Sequence[NavRow], version: int) -> Facts:
    """Return the rows for the table `nav`; a higher `version` (milliseconds) replaces what is there."""
    count = len(rows)
    return Facts(
        "nav",
        NAV_COLUMNS,
        (
            [ORIGIN] * count,
            [row.portfolio for row in rows],
            [row.ts for row in rows],
            [row.nav for row in rows],
            [row.flow for row in rows],
            [version] * count,
        ),
    )


def parse_nav(name: str, content: bytes | None, now: float) -> list[NavRow]:
    """Return every row of a file. Raises ImportRejected naming each wrong line and its reason.

    `now` is the time in epoch seconds that a date must not be past. Tolerated: byte order mark, any line ending,
    quotes, spaces round fields, columns in any order and case, empty lines.
    """
    if content is None or len(content) > LARGEST_BYTES:
        raise ImportRejected(name, [(1, f"larger than {LARGEST_BYTES // 2**20} MiB: split it")])
    reader = csv.reader(io.StringIO(_text(name, content), newline=""), skipinitialspace=True, strict=True)
    try:
        return _rows(name, reader, now)
    except csv.Error as error:
        raise ImportRejected(name, [(max(reader.line_num, 1), f"not readable as CSV: {error}")]) from error


def _rows(name: str, reader: Iterator[list[str]], now: float) -> list[NavRow]:
    lines = ((reader.line_num, fields) for fields in reader if any(field.strip() for field in fields))  # type: ignore[attr-defined]
    line, header = next(lines, (1, []))
    order = _order(name, line, header)
    rows: list[NavRow] = []
    problems: list[Problem] = []
    seen: dict[tuple[str, int], int] = {}
    for line, fields in lines:
        row, reasons = _row(line, fields, order, now)
        if row is not None:
            first = seen.setdefault((row.portfolio, row.ts), line)
            if first != line:
                reasons.append(f"repeats {row.portfolio} at {fields[order[0]].strip()} of line {first}")
            rows.append(row)
        problems += [(line, reason) for reason in reasons]
        if len(problems) >= MOST_PROBLEMS:
            problems.append((line, "too many wrong lines: reading stopped here"))
            break
        if len(rows) > MOST_ROWS:
            raise ImportRejected(name, [(line, f"more than {MOST_ROWS} rows: split it")])
    if not rows and not problems:
        problems = [(line, "no rows after the header")]
    if problems:
        raise ImportRejected(name, problems)
    return rows


def _text(name: str, content: bytes) -> str:
    if not content.strip():
        raise ImportRejected(name, [(1, "the file is empty")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ImportRejected(name, [(line, f"not UTF-8 text (byte {content[error.start]:#04x})")]) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ImportRejected(name, [(line, "not plain text: it holds a zero byte")])
    return text


def _order(name: str, line: int, header: list[str]) -> tuple[int, int, int, int]:
    """Return where date, portfolio, nav and flow stand. Raises ImportRejected for any other header."""
    if len(header) == 1 and ";" in header[0]:
        raise ImportRejected(name, [(line, f"separate the columns with commas: {','.join(COLUMNS)}")])
    names = [field.strip().lower() for field in header]
    problems = [(line, f"the header lacks the column {column}") for column in COLUMNS if column not in names]
    problems += [(line, f"the header has an unknown column {_shown(field)}") for field in names if field not in COLUMNS]
    problems += [(line, f"the header has {column} twice") for column in COLUMNS if names.count(column) > 1]
    if problems:
        raise ImportRejected(name, [*problems, (line, f"expected: {','.join(COLUMNS)}")])
    return names.index("date"), names.index("portfolio"), names.index("nav"), names.index("flow")


def _row(line: int, fields: list[str], order: tuple[int, int, int, int], now: float) -> tuple[NavRow | None, list[str]]:
    """Return the row, or None and everything that is wrong with it."""
    if len(fields) != len(COLUMNS):
        return None, [f"has {len(fields)} fields instead of {len(COLUMNS)}"]
    moment, portfolio, nav_text, flow_text = (fields[at].strip() for at in order)
    reasons: list[str] = []
    ts = _moment(moment, now, reasons)
    if not _PORTFOLIO.fullmatch(portfolio):
        reasons.append(f"portfolio {_shown(portfolio)} is no name: 1 to 64 letters, digits, spaces or _.&()/+'-")
    nav = _number("nav", nav_text, reasons)
    if nav < 0:
        reasons.append(f"nav {_shown(nav_text)} is negative")
    flow = _number("flow", flow_text, reasons)
    return (None if reasons else NavRow(line, ts, portfolio, nav, flow)), reasons


def _moment(text: str, now: float, reasons: list[str]) -> int:
    """Return epoch seconds; -1 with a reason added when `text` is no moment that can be."""
    try:
        moment = datetime.combine(date.fromisoformat(text), datetime.min.time()) if len(text) <= 10 else None
        moment = moment or datetime.fromisoformat(text)
        ts = math.floor((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        reasons.append(f"date {_shown(text)} is no date such as 2026-01-31 or 2026-01-31T21:00:00Z")
        return -1
    if not 0 <= ts <= LATEST_SECONDS:
        reasons.append(f"date {_shown(text)} is before 1970 or after 2105")
    elif ts > now + AHEAD_SECONDS:
        reasons.append(f"date {_shown(text)} is in the future")
    return ts


def _number(column: str, text: str, reasons: list[str]) -> float:
    """Return the number; 0 with a reason added when `text` is none."""
    if not text:
        reasons.append(f"{column} is empty" + (": write 0 when no money moved" if column == "flow" else ""))
        return 0.0
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        reasons.append(f"{column} {_shown(text)} is no number such as 1250000.50")
        return 0.0
    return value


def _shown(text: str) -> str:
    """Return `text` quoted, cut and on one line, fit for a message."""
    return repr(text if len(text) <= 40 else text[:40] + "…")


def _day(ts: int) -> str:
    return datetime.fromtimestamp(ts, UTC).date().isoformat()
