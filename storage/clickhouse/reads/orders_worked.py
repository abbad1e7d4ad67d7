"""What each order came to, as a part of a statement: its fills, its costs, what it is grouped by.

An order counts at the time at which it was sent: submitted, else decided on, else first told of. Money is in one
currency, that of the `Asked`, at the rate of that day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

NO_SIZE = -128
"""Size class of an order of which it is not known."""
By = Literal["strategy", "venue", "instrument", "hour", "size", "broker"]
SENT = (
    "multiIf(toUnixTimestamp64Micro(submitted_at) != 0, submitted_at, "
    "toUnixTimestamp64Micro(decided_at) != 0, decided_at, toUnixTimestamp64Micro(placed) != 0, placed, ts)"
)
ORDER = "cityHash64(portfolio, order_id)"
"""What orders and fills are joined by, in a third of the time that their texts take. That two of a million are alike
happens once in forty million times."""
DECISION = "cityHash64(portfolio, instrument, side, quantity, decided_at)"
"""Orders that are alike in this are one decision, sent again."""
UNFILLED = "status IN ('rejected', 'cancelled', 'expired')"
ENDED = "if(toUnixTimestamp64Micro(ended_at) != 0, toDate(ended_at), toDate(ts))"


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
    is_one_currency: bool = False
    """Whether nothing is told in any other than the wanted one."""
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


def worked_orders(asked: Asked, label: str, *, by_venue: bool = False) -> str:
    """Return the statement of what each order came to; its period is `%(period)s` of the time at which it was sent."""
    side = "if(side = 'buy', 1., -1.)"
    rate = rate_of(asked)
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
            SELECT *, {rate} AS rate, rate * {multiplier_of(asked)} AS unit,
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
    of_venue = "f.venue AS venue, " if by_venue else ""
    # Which orders are looked up beside is asked roughly, older versions among them: what is too many does no harm.
    since = f"{_of_portfolios()} AND ts >= toDateTime({{start:UInt32}})"
    unfilled = f"{since} AND {UNFILLED}"
    return f"""
        SELECT o.portfolio AS portfolio, o.instrument AS instrument, o.side AS side, o.quantity AS quantity,
            o.status AS status, o.decision_price AS decision, o.arrival_price AS arrival, o.broker AS broker,
            if(o.strategy = '', o.portfolio, o.strategy) AS strategy, o.sent_at AS sent, {of_venue}f.done AS done,
            f.spent AS spent, f.paid AS paid, c.close AS close, o.is_unfilled OR o.status = 'filled' AS is_ended,
            f.done = 0 AND o.is_unfilled AND o.id GLOBAL IN (
                SELECT id FROM (
                    SELECT {ORDER} AS id, {SENT} AS at, max({SENT}) OVER (PARTITION BY {DECISION}) AS newest
                    FROM (
                        SELECT * FROM orders FINAL WHERE {since} AND decided_at GLOBAL IN (
                            SELECT decided_at FROM orders
                            WHERE {unfilled} AND toUnixTimestamp64Micro(decided_at) != 0
                        )
                    )
                ) WHERE at < newest
            ) AS is_again,
            {currency_of(asked)} AS currency
        FROM (
            SELECT {ORDER} AS id, portfolio, instrument, side, quantity, status, decision_price, arrival_price, broker,
                strategy, {SENT} AS sent_at, {UNFILLED} AS is_unfilled,
                cityHash64(instrument, {ENDED}) * is_unfilled AS closed
            FROM orders FINAL WHERE {within_window(SENT)}
        ) AS o
        LEFT JOIN ({fills(asked, by_venue=by_venue)}) AS f ON f.id = o.id
        LEFT JOIN (
            SELECT cityHash64(instrument, toDate(p.ts)) AS id, argMax(price, p.ts) AS close FROM prices AS p FINAL
            WHERE origin = {{origin:String}} AND price > 0 AND id GLOBAL IN (
                SELECT cityHash64(instrument, {ENDED}) FROM orders WHERE {unfilled}
            ) GROUP BY id
        ) AS c ON c.id = o.closed
        {"WHERE f.done > 0" if by_venue else ""}
    """


def fills(asked: Asked, *, by_venue: bool = False) -> str:
    """Return the statement of what was filled of each order, and at each venue when asked for."""
    venue, then = ("venue, ", ", venue") if by_venue else ("", "")
    told = "" if asked.is_one_currency else ", any(currency) AS currency"
    return f"""
        SELECT {ORDER} AS id, {venue}sum(quantity) AS done, sum(quantity * price) AS spent,
            sum(commission + fees) AS paid{told}
        FROM trades AS t FINAL
        WHERE {_of_portfolios()} AND order_id != '' AND t.ts >= toDateTime({{start:UInt32}})
        GROUP BY id{then}
    """


def currency_of(asked: Asked) -> str:
    """Return the currency of an order `o` with its fills `f`: theirs, else the instrument's, else the portfolio's."""
    if asked.is_one_currency:
        return "{wanted:String}"
    of_none = _of_instrument("currency", asked.instruments, _own("o.portfolio"), "o.instrument")
    return f"if(f.done > 0, {_told_currency('f.currency', 'o.portfolio')}, {of_none})"


def label_of(by: By) -> str:
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


def within_window(moment: str) -> str:
    """Return the condition of the window. What came into its state before it began was sent before, too."""
    start, end = "toDateTime({start:UInt32})", "toDateTime({end:UInt32})"
    later = "" if moment.endswith("ts") else f" AND ts >= {start}"
    return f"{_of_portfolios()}{later} AND {moment} >= {start} AND {moment} < {end}"


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


def multiplier_of(asked: Asked) -> str:
    return _of_instrument("multiplier", asked.multipliers, "1.")


def rate_of(asked: Asked) -> str:
    """Return what an order's currency is worth in the wanted one; NaN where it is not known."""
    if asked.is_one_currency:
        return "1."
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


def parameters_of(asked: Asked) -> dict[str, object]:
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
