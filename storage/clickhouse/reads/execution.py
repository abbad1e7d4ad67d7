"""How orders fared, added up where they are stored: counts, sums of squares and quantiles, never single orders.

An order counts at the time at which it was sent: submitted, else decided on, else first known. Money is in one
currency, that of the `Asked`, at the rate of that day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.portfolio import DAY_SECONDS

MICROSECONDS = 1_000_000
MOST_REASONS = 200
NO_SIZE = -128
"""Size class of an order of which it is not known."""
Step = Literal["day", "week", "month"]
By = Literal["strategy", "venue", "instrument", "hour", "size", "broker"]
STARTS: Mapping[Step, str] = {"day": "toDate", "week": "toMonday", "month": "toStartOfMonth"}
SENT = (
    "multiIf(toUnixTimestamp64Micro(submitted_at) != 0, submitted_at, "
    "toUnixTimestamp64Micro(decided_at) != 0, decided_at, placed)"
)
SUMS: Mapping[str, str] = {
    "orders": "count()",
    "ended": "countIf(is_ended)",
    **{name: f"countIf(status = '{name}')" for name in ("filled", "rejected", "cancelled", "expired")},
    "ordered_quantity": "sumIf(quantity, is_ended)",
    "filled_quantity": "sumIf(least(done, quantity), is_ended)",
    **{
        f"{of}_{name}": sql
        for of, w, x in (("arrival", "aw", "ax"), ("decision", "dw", "dx"))
        for name, sql in (
            ("count", f"countIf({w} > 0)"), ("weight", f"sum({w})"), ("value", f"sum({w} * {x})"),
            ("weight_squares", f"sum({w} * {w})"), ("cross", f"sum({w} * {w} * {x})"),
            ("squares", f"sum({w} * {w} * {x} * {x})"),
        )
    },
    "costed": "countIf(is_costed)",
    **{name: f"sum({name})" for name in ("paper", "delay", "impact", "missed", "explicit", "lost")},
    "lost_squares": "sum(lost * lost)",
    "arrival_lost": "sum(aw * ax) / 10000",
    "sent_again": "countIf(is_again)",
    "without_arrival": "countIf(done > 0 AND NOT arrival > 0)",
    "without_decision": "countIf(is_ended AND NOT decision > 0)",
    "without_close": "countIf(is_ended AND rest > 0 AND NOT close > 0 AND NOT is_again)",
    "without_rate": "countIf(NOT isFinite(unit))",
    "sized": f"countIf(size_class != {NO_SIZE})",
    **{
        f"impact_{name}": f"sum({sql})"
        for name, sql in (
            ("x", "ix"), ("xx", "ix * ix"), ("xxx", "ix * ix * ix"), ("xxxx", "ix * ix * ix * ix"), ("y", "iy"),
            ("yy", "iy * iy"), ("xy", "ix * iy"), ("xyy", "ix * iy * iy"), ("xxy", "ix * ix * iy"),
            ("xxyy", "ix * ix * iy * iy"), ("xxxy", "ix * ix * ix * iy"), ("share", "part"),
        )
    },
}  # fmt: skip
"""What is summed of each group of orders, by name."""
PLACE = {name: at for at, name in enumerate(SUMS)}
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which orders and trades, and what is known beside them."""

    origin: str
    currencies: Mapping[str, str]
    """Of the portfolios whose orders count, by id."""
    start: int
    """Epoch seconds, included."""
    end: int
    """Epoch seconds, excluded."""
    wanted: str
    """Currency that money is told in."""
    instruments: Mapping[str, str] = field(default_factory=dict)
    """Currencies of instruments, where known: of orders that nothing was filled of."""
    multipliers: Mapping[str, float] = field(default_factory=dict)
    """Of instruments, where it is not 1."""
    rates: Mapping[tuple[str, int], float] = field(default_factory=dict)
    """What one unit of another currency is worth in the wanted one, by currency and day since 1970."""
    roots: Mapping[str, float] = field(default_factory=dict)
    """Of instruments: a day's volatility in basis points over the root of a day's volume."""
    volumes: Mapping[str, float] = field(default_factory=dict)
    """Of instruments: how many trade in a day."""
    bands: Sequence[tuple[int, int]] = ()
    """Epoch seconds from which until when it was bad: in order, none within another."""
    zone: str = "UTC"
    """In whose hours orders were sent."""


@dataclass(frozen=True, slots=True)
class Group:
    """Sums over a group of orders. Which keys it has depends on what it is a group of."""

    of: Literal["period", "label", "size"]
    period: int
    """First day, since 1970."""
    is_inside: bool
    """Whether they were sent within a band."""
    label: str
    size_class: int
    """Filled quantity of about 2**this of a day's volume."""
    sums: Floats


@dataclass(frozen=True, slots=True)
class Leg:
    """How long a leg took, in seconds."""

    name: str
    count: int
    quantiles: tuple[float, ...]
    """NaN where no order went it."""
    backward: int
    """Orders whose end of the leg is before its start: they count in none."""


@dataclass(frozen=True, slots=True)
class DayTraded:
    """What was traded on a day in a currency, in that currency."""

    day: int
    """Since 1970."""
    currency: str
    bought: float
    sold: float
    commission: float
    fees: float
    fills: int
    without_order: int


def span_told(clickhouse: ClickHouse, origin: str, portfolios: Sequence[str]) -> tuple[int, int] | None:
    """Return the first and the last time of any order or trade (epoch seconds); None: there is none."""
    sql = """
        SELECT min(at), max(at), count() FROM (
            SELECT toUnixTimestamp(placed) AS at FROM orders
            WHERE origin = {origin:String} AND portfolio IN {names:Array(String)}
            UNION ALL
            SELECT toUnixTimestamp(ts) FROM trades WHERE origin = {origin:String} AND portfolio IN {names:Array(String)}
        )
    """
    ((first, last, count),) = clickhouse.rows(sql, {"origin": origin, "names": list(portfolios)}, kind="span of orders")
    return (int(first), int(last)) if count else None


def order_sums(clickhouse: ClickHouse, asked: Asked, step: Step, by: By) -> list[Group]:
    """Return the sums over orders by period and band, by size, and by what is asked for but a venue.

    Raises StorageUnavailable or StorageRejected.
    """
    labels = ("label",) if by != "venue" else ()
    sets = ", ".join(f"({each})" for each in ("period, inside", "size_class", *labels))
    sql = f"""
        SELECT grouping(period) AS no_period, grouping(size_class) AS no_size, toUInt16(period), inside,
            {"label" if labels else "''"}, size_class, {", ".join(SUMS.values())}
        FROM ({_worked(asked, _label(by))})
        GROUP BY GROUPING SETS ({sets})
    """
    asked_for = _parameters(asked)
    found = [_group(row) for row in clickhouse.rows(sql % {"period": STARTS[step]}, asked_for, kind="sums of orders")]
    if by != "venue":
        return found
    by_venue = f"""
        SELECT 1, 1, 0, 0, label, 0, {", ".join(SUMS.values())}
        FROM ({_worked(asked, "venue", by_venue=True)}) GROUP BY label
    """
    rows = clickhouse.rows(by_venue % {"period": "toDate"}, asked_for, kind="sums of venues")
    return [*found, *map(_group, rows)]


def reasons_told(clickhouse: ClickHouse, asked: Asked) -> list[tuple[str, str, int]]:
    """Return status, reason and count of orders that ended unfilled, the most frequent first."""
    sql = f"""
        SELECT status, reject_reason, count() AS many FROM orders FINAL
        WHERE {_within(SENT)} AND status IN ('rejected', 'cancelled', 'expired')
        GROUP BY status, reject_reason ORDER BY many DESC, status, reject_reason LIMIT {MOST_REASONS}
    """
    rows = clickhouse.rows(sql, _parameters(asked), kind="reasons of orders")
    return [(str(status), str(reason), int(many)) for status, reason, many in rows]


def latencies_of(clickhouse: ClickHouse, asked: Asked, quantiles: Sequence[float]) -> list[Leg]:
    """Return what each leg of orders took; one of which a time is not known is none of its count.

    Quantiles are linear between ranks.
    """
    stamps = {
        "decision": "decided_at", "submit": "submitted_at", "acknowledge": "acknowledged_at",
        "first fill": "first_filled_at", "last fill": "last_filled_at",
    }  # fmt: skip
    names = list(stamps)
    legs = [(one, other) for one, other in zip(names, names[1:], strict=False)]
    columns = []
    levels = ", ".join(map(str, quantiles))
    for one, other in legs:
        start, end = (f"toUnixTimestamp64Micro({stamps[name]})" for name in (one, other))
        known = f"{start} != 0 AND {end} >= {start}"
        columns += [
            f"countIf({known})",
            f"quantilesExactInclusiveIf({levels})(({end} - {start}) / {MICROSECONDS}, {known})",
            f"countIf({start} != 0 AND {end} != 0 AND {end} < {start})",
        ]
    sql = f"SELECT {', '.join(columns)} FROM orders FINAL WHERE {_within(SENT)}"
    (row,) = clickhouse.rows(sql, _parameters(asked), kind="latencies of orders")
    return [
        Leg(f"{one} → {other}", int(row[3 * at]), tuple(map(float, row[3 * at + 1])), int(row[3 * at + 2]))
        for at, (one, other) in enumerate(legs)
    ]


def traded_by_day(clickhouse: ClickHouse, asked: Asked) -> list[DayTraded]:
    """Return what was traded and what it cost by day and currency, oldest first."""
    value = f"quantity * price * {_multiplier(asked)}"
    sql = f"""
        SELECT toUInt16(toDate(t.ts)) AS day, {_told_currency("t.currency")} AS told, sumIf({value}, side = 'buy'),
            sumIf({value}, side = 'sell'), sum(commission), sum(fees), count(), countIf(order_id = '')
        FROM trades AS t FINAL WHERE {_within("t.ts")} GROUP BY day, told ORDER BY day, told
    """
    rows = clickhouse.rows(sql, _parameters(asked), kind="traded by day")
    return [DayTraded(int(row[0]), str(row[1]), *map(float, row[2:6]), int(row[6]), int(row[7])) for row in rows]


def volatilities(
    clickhouse: ClickHouse, origin: str, instruments: Sequence[str], first: int, last: int, fewest: int
) -> dict[str, float]:
    """Return the standard deviation of each instrument's daily log returns between two days since 1970, both included.

    Of those alone that have so many returns.
    """
    sql = f"""
        SELECT instrument, arrayReduce('stddevSamp', returns) FROM (
            SELECT instrument, arraySort(groupArray((day, close))) AS closes,
                arrayPopFront(arrayDifference(arrayMap(each -> log(each.2), closes))) AS returns
            FROM (
                SELECT instrument, intDiv(toUnixTimestamp(p.ts), {DAY_SECONDS}) AS day, argMax(price, p.ts) AS close
                FROM prices AS p FINAL
                WHERE origin = {{origin:String}} AND instrument IN {{names:Array(String)}} AND price > 0
                    AND p.ts >= toDateTime({{first:UInt32}}) AND p.ts < toDateTime({{last:UInt32}})
                GROUP BY instrument, day
            ) GROUP BY instrument
        ) WHERE length(returns) >= {{fewest:UInt32}}
    """
    asked = {
        "origin": origin, "names": list(instruments), "first": first * DAY_SECONDS, "last": (last + 1) * DAY_SECONDS,
        "fewest": fewest,
    }  # fmt: skip
    rows = clickhouse.rows(sql, asked, kind="volatilities")
    return {str(name): float(value) for name, value in rows}


def _group(row: Sequence[Any]) -> Group:
    no_period, no_size, period, inside, label, size_class = row[:6]
    of: Literal["period", "label", "size"] = "period" if not no_period else "label" if no_size else "size"
    return Group(of, int(period), bool(inside), str(label), int(size_class), np.array(row[6:], dtype=np.float64))


def _worked(asked: Asked, label: str, *, by_venue: bool = False) -> str:
    """Return the statement of what each order came to; its period is `%(period)s` of the time at which it was sent."""
    side = "if(side = 'buy', 1., -1.)"
    rate = _rate(asked)
    return f"""
        SELECT %(period)s(sent) AS period, {_inside(asked)} AS inside, {label} AS label, size_class, status, is_ended,
            quantity, done, arrival, decision, close, rest, unit, is_again, is_costed, aw, ax, dw, dx, part,
            if(size_class != {NO_SIZE}, {_of_instrument("root", asked.roots, "0.")} * sqrt(done), 0) AS ix,
            if(size_class != {NO_SIZE}, ax, 0) AS iy,
            if(is_costed, quantity * decision * unit, 0) AS paper,
            if(is_costed AND done > 0, {side} * done * (arrival - decision) * unit, 0) AS delay,
            if(is_costed AND done > 0, {side} * (spent - done * arrival) * unit, 0) AS impact,
            if(is_costed AND rest > 0, {side} * rest * (close - decision) * unit, 0) AS missed,
            if(is_costed, paid * rate, 0) AS explicit,
            if(is_costed, {side} * (if(done > 0, spent - done * decision, 0)
                + if(rest > 0, rest * (close - decision), 0)) * unit + paid * rate, 0) AS lost
        FROM (
            SELECT *, {rate} AS rate, rate * {_multiplier(asked)} AS unit,
                if(status = 'filled', 0, greatest(quantity - done, 0)) AS rest,
                quantity * if(arrival > 0, arrival, decision) * unit AS worth,
                if(done > 0 AND arrival > 0 AND isFinite(unit), done * arrival * unit, 0) AS aw,
                if(aw > 0, {side} * (spent / done / arrival - 1) * 10000, 0) AS ax,
                if(done > 0 AND decision > 0 AND isFinite(unit), done * decision * unit, 0) AS dw,
                if(dw > 0, {side} * (spent / done / decision - 1) * 10000, 0) AS dx,
                is_ended AND NOT is_again AND decision > 0 AND isFinite(unit) AND (done = 0 OR arrival > 0)
                    AND (rest = 0 OR close > 0) AS is_costed,
                if(aw > 0, done / {_of_instrument("volume", asked.volumes, "inf")}, 0) AS part,
                if(part > 0, toInt8(greatest(floor(log2(part)), -100)), {NO_SIZE}) AS size_class
            FROM ({_joined(asked, by_venue=by_venue)})
        )
    """


def _joined(asked: Asked, *, by_venue: bool) -> str:
    """Return the statement of orders with their fills, and with the close of the day on which they ended unfilled."""
    venue, of_venue = ("venue, ", "f.venue AS venue, ") if by_venue else ("", "")
    unfilled = f"{_within(SENT)} AND status IN ('rejected', 'cancelled', 'expired')"
    decision_key = "portfolio, instrument, side, quantity, decided_at"
    return f"""
        SELECT o.portfolio AS portfolio, o.order_id AS order_id, o.instrument AS instrument, o.side AS side,
            o.quantity AS quantity, o.status AS status, o.decision_price AS decision, o.arrival_price AS arrival,
            o.broker AS broker, if(o.strategy = '', o.portfolio, o.strategy) AS strategy, o.sent_at AS sent, {of_venue}
            f.done AS done, f.spent AS spent, f.paid AS paid, c.close AS close,
            o.status IN ('filled', 'rejected', 'cancelled', 'expired') AS is_ended,
            f.done = 0 AND o.status IN ('rejected', 'cancelled', 'expired') AND (o.portfolio, o.order_id) IN (
                SELECT portfolio, order_id FROM (
                    SELECT portfolio, order_id, {SENT} AS at, max({SENT}) OVER (PARTITION BY {decision_key}) AS newest
                    FROM orders FINAL WHERE {_within(SENT)} AND ({decision_key}) IN (
                        SELECT {decision_key} FROM orders FINAL
                        WHERE {unfilled} AND toUnixTimestamp64Micro(decided_at) != 0
                    )
                ) WHERE at < newest
            ) AS is_again,
            if(f.done > 0, {_told_currency("f.currency", "o.portfolio")},
                {_of_instrument("currency", asked.instruments, _own("o.portfolio"), "o.instrument")}) AS currency
        FROM (
            SELECT portfolio, order_id, instrument, side, quantity, status, decision_price, arrival_price, broker,
                strategy, {SENT} AS sent_at,
                if(toUnixTimestamp64Micro(ended_at) != 0, toDate(ended_at), toDate(ts)) AS end_day
            FROM orders FINAL WHERE {_within(SENT)}
        ) AS o
        LEFT JOIN (
            SELECT portfolio, order_id, {venue}sum(quantity) AS done, sum(quantity * price) AS spent,
                sum(commission + fees) AS paid, any(toString(currency)) AS currency
            FROM trades AS t FINAL
            WHERE {_of_portfolios()} AND order_id != '' AND t.ts >= toDateTime({{start:UInt32}})
            GROUP BY portfolio, order_id{", venue" if by_venue else ""}
        ) AS f ON f.portfolio = o.portfolio AND f.order_id = o.order_id
        LEFT JOIN (
            SELECT instrument, toDate(p.ts) AS day, argMax(price, p.ts) AS close FROM prices AS p FINAL
            WHERE origin = {{origin:String}} AND price > 0 AND (instrument, toDate(p.ts)) IN (
                SELECT instrument, if(toUnixTimestamp64Micro(ended_at) != 0, toDate(ended_at), toDate(ts))
                FROM orders FINAL WHERE {unfilled}
            ) GROUP BY instrument, day
        ) AS c ON c.instrument = o.instrument AND c.day = o.end_day
        {"WHERE f.done > 0" if by_venue else ""}
    """


def _label(by: By) -> str:
    match by:
        case "hour":
            return "leftPad(toString(toHour(sent, {zone:String})), 2, '0')"
        case "size":
            return "if(worth > 0, toString(toInt32(floor(log10(worth)))), '')"
        case "venue":
            return "''"
        case _:
            return by


def _of_portfolios() -> str:
    return "origin = {origin:String} AND portfolio IN {names:Array(String)}"


def _within(moment: str) -> str:
    """Return the condition of the window. What came into its state before it began was sent before, too."""
    later = "" if moment.endswith("ts") else " AND ts >= toDateTime({start:UInt32})"
    return f"{_of_portfolios()}{later} AND {moment} >= toDateTime({{start:UInt32}}) AND {moment} < toDateTime({{end:UInt32}})"


def _own(portfolio: str) -> str:
    return f"transform({portfolio}, {{names:Array(String)}}, {{own:Array(String)}}, '')"


def _told_currency(currency: str, portfolio: str = "portfolio") -> str:
    return f"if({currency} = '', {_own(portfolio)}, {currency})"


def _of_instrument(name: str, known: Mapping[str, Any], other: str, instrument: str = "instrument") -> str:
    """Return what is known of an instrument, `other` where nothing is."""
    if not known:
        return other
    kind = "String" if isinstance(next(iter(known.values())), str) else "Float64"
    return f"transform({instrument}, {{{name}_of:Array(String)}}, {{{name}:Array({kind})}}, {other})"


def _multiplier(asked: Asked) -> str:
    return _of_instrument("multiplier", asked.multipliers, "1.")


def _rate(asked: Asked) -> str:
    """Return what an order's currency is worth in the wanted one; NaN where it is not known."""
    if not asked.rates:
        return "if(currency = {wanted:String}, 1., nan)"
    key = "concat(currency, toString(toUInt16(toDate(sent))))"
    return (
        f"if(currency = {{wanted:String}}, 1., transform({key}, {{rated:Array(String)}}, {{rate:Array(Float64)}}, nan))"
    )


def _inside(asked: Asked) -> str:
    if not asked.bands:
        return "toUInt8(0)"
    at = "toInt64(toUnixTimestamp(sent))"
    begun = f"roundDown({at}, {{band_starts:Array(Int64)}})"
    return (
        f"({at} >= {begun} AND {at} < transform({begun}, {{band_starts:Array(Int64)}}, {{band_ends:Array(Int64)}}, 0))"
    )


def _parameters(asked: Asked) -> dict[str, object]:
    found: dict[str, object] = {
        "origin": asked.origin, "names": list(asked.currencies), "own": list(asked.currencies.values()),
        "start": asked.start, "end": asked.end, "wanted": asked.wanted, "zone": asked.zone,
        "band_starts": [start for start, _ in asked.bands], "band_ends": [end for _, end in asked.bands],
        "rated": [f"{currency}{day}" for currency, day in asked.rates], "rate": list(asked.rates.values()),
    }  # fmt: skip
    of_instruments: Mapping[str, Mapping[str, Any]] = {
        "currency": asked.instruments, "multiplier": asked.multipliers, "root": asked.roots, "volume": asked.volumes,
    }  # fmt: skip
    for name, known in of_instruments.items():
        found |= {f"{name}_of": list(known), name: list(known.values())}
    return found
