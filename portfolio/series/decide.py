"""What a person decides of series, blends and risk-free rates: changed whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from core.currency import CASH, unknown_currency
from core.errors import ChangeRejected
from portfolio.series.rates import usual_day_count
from portfolio.series.reference import BLEND, Catalogue, catalogue
from storage.state.changes import OF_BLEND, OF_RATE, OF_SERIES, Change
from storage.state.portfolios import OWN, list_portfolios
from storage.state.series import (
    Blend,
    RiskFree,
    Series,
    put_blend,
    put_risk_free,
    put_series,
    remove_blend,
    remove_risk_free,
)

if TYPE_CHECKING:
    from storage.stores import Stores

SERIES, BLENDED, UNBLENDED, RATED = "series", "blend", "remove-blend", "risk-free"
DOES = (SERIES, BLENDED, UNBLENDED, RATED)
SERIES_FIELDS = ("name", "kind", "currency", "day_count", "note")
BLEND_FIELDS = ("name", "parts", "rebalancing", "currency")
_BETWEEN, _BETWEEN_WITHOUT_COMMA = re.compile(r"[;\n,]"), re.compile(r"[;\n]")
_NOT_SAVED = "Nothing was changed."
Made = TypeVar("Made")


def decide(
    stores: Stores,
    do: str,
    key: str,
    fields: Mapping[str, str],
    parts: Sequence[tuple[str, str]] | None = None,
    *,
    who: str = "",
) -> str:
    """Do one of DOES for `who` and return what was done, a sentence; `parts` are those of a blend, as in `set_blend`.

    Raises ChangeRejected that says what is wrong with which field, StorageUnavailable or StorageRejected; then nothing
    was changed.
    """
    if do == SERIES:
        told = set_series(stores, key, fields, who)
    elif do == BLENDED:
        told = set_blend(stores, key, fields, parts, who)
    elif do == UNBLENDED:
        told = drop_blend(stores, key, who)
    else:
        told = set_risk_free(stores, key, fields.get("rate", ""), who)
    stores.live.bump("portfolio")
    return told


def set_series(stores: Stores, symbol: str, fields: Mapping[str, str], who: str = "") -> str:
    """Change what is known of a series: some of SERIES_FIELDS; an empty currency is one that is not known."""
    known = catalogue(stores, OWN)
    if symbol not in known.series:
        raise ChangeRejected(_NOT_SAVED, {"symbol": f"there is no series {symbol!r}: import one first"})
    _check_names(fields, SERIES_FIELDS)
    was = known.series[symbol]
    changed: dict[str, Any] = {name: fields[name].strip() for name in SERIES_FIELDS if name in fields}
    if "currency" in changed:
        changed["currency"] = changed["currency"].upper()
    kind, currency = changed.get("kind", was.kind), changed.get("currency", was.currency)
    day_count = changed.get("day_count", was.day_count) or usual_day_count(currency)
    changed["day_count"] = day_count if kind == "rate" else ""
    now = _made(lambda: replace(was, **changed))
    if now.currency != was.currency:
        _check_currency(now.currency)
    _check_use(now, was, known)
    told = [f"{name.replace('_', ' ')} {getattr(now, name) or 'not known'}" for name in SERIES_FIELDS
            if getattr(now, name) != getattr(was, name)]  # fmt: skip
    if not told:
        return f"{symbol} is as it was."
    put_series(stores.state, [now], _change(stores, who, symbol, OF_SERIES, ", ".join(told)))
    return f"{symbol}: {', '.join(told)}."


def set_blend(
    stores: Stores,
    id: str,
    fields: Mapping[str, str],
    parts: Sequence[tuple[str, str]] | None = None,
    who: str = "",
) -> str:
    """Add a blend, or change one: `id` is that of one that is there, empty for another one, whose name is its id.

    The field `parts` is a text such as "SPX 60, AGG 40"; `parts`, symbols and weights as typed, stand in for it.
    """
    known = catalogue(stores, OWN)
    was = known.blends.get(BLEND + id) if id else None
    _check_names(fields, BLEND_FIELDS)
    given = parts if parts is not None else _pairs(fields["parts"]) if "parts" in fields else None
    if id and was is None and not given:
        raise ChangeRejected(_NOT_SAVED, {"id": f"there is no blend {id!r}"})
    name = fields.get("name", "").strip() or (was.name if was else id)
    if not name:
        raise ChangeRejected(_NOT_SAVED, {"name": "give it a name"})
    if not id and BLEND + name in known.blends:
        raise ChangeRejected(_NOT_SAVED, {"name": f"there is a blend {name} already: change that one"})
    made_of = _parts(given, known) if given is not None else was.parts if was else ()
    if {symbol for symbol, _ in made_of} == {CASH}:
        raise ChangeRejected(_NOT_SAVED, {"parts": f"{CASH} alone is no blend: use a series of rates as the benchmark"})
    rebalancing: Any = fields.get("rebalancing", "").strip() or (was.rebalancing if was else "monthly")
    currency = fields.get("currency", was.currency if was else "").strip().upper()
    made = _made(lambda: Blend(OWN, id or name, name, made_of, rebalancing, currency))
    if was is None or made.currency != was.currency:
        _check_currency(made.currency)
    parts_told = ", ".join(f"{symbol} {weight_text(weight)} %" for symbol, weight in made.parts)
    told = f"{parts_told}; weights restored: {made.rebalancing}"
    put_blend(stores.state, made, _change(stores, who, made.id, OF_BLEND, f"blend {made.name}: {told}"))
    return f"{made.name}: {told}."


def drop_blend(stores: Stores, id: str, who: str = "") -> str:
    """Remove a blend that is no portfolio's benchmark."""
    used = [each.name for each in list_portfolios(stores.state, OWN) if each.benchmark == BLEND + id]
    if used:
        raise ChangeRejected(f"{id} is the benchmark of {', '.join(used)}: give them another one first.")
    if not remove_blend(stores.state, OWN, id, _change(stores, who, id, OF_BLEND, "blend removed")):
        raise ChangeRejected(_NOT_SAVED, {"id": f"there is no blend {id!r}"})
    return f"{id} is removed."


def set_risk_free(stores: Stores, currency: str, rate: str, who: str = "") -> str:
    """Set the risk-free rate of a currency: percent a year, the symbol of a series of rates, or empty for none."""
    currency, rate = currency.strip().upper(), rate.strip()

    def change(told: str) -> Change:
        return _change(stores, who, currency, OF_RATE, f"risk-free rate {told}")

    if not rate:
        if not remove_risk_free(stores.state, OWN, currency, change("taken away: 0 % is used")):
            raise ChangeRejected(_NOT_SAVED, {"rate": "give percent a year such as 4.3, or the symbol of a series"})
        return f"{currency or 'It'} has no risk-free rate any more: 0 % is used."
    _check_currency(currency)
    series = catalogue(stores, OWN).series.get(rate)
    if series is not None:
        _check_rate(series, currency)
        made = _made(lambda: RiskFree(OWN, currency, series=rate))
        put_risk_free(stores.state, made, change(f"{series.name}, {series.day_count}"))
        return f"{currency}: {series.name}, {series.day_count}."
    try:
        percent = float(rate.replace("%", "").replace(",", ".").strip())
    except ValueError as error:
        wrong = f"{rate!r} is no number and no series of rates: give percent a year such as 4.3"
        raise ChangeRejected(_NOT_SAVED, {"rate": wrong}) from error
    made = _made(lambda: RiskFree(OWN, currency, percent), {"percent": "rate"})
    put_risk_free(stores.state, made, change(f"{percent:g} % a year"))
    return f"{currency}: {percent:g} % a year."


def _change(stores: Stores, who: str, key: str, what: str, told: str) -> Change:
    return Change(stores.clock.now(), who, key[:64], what, told)


def parts_text(blend: Blend) -> str:
    """Return the parts of a blend as `set_blend` takes them."""
    return ", ".join(f"{symbol} {weight_text(weight)}" for symbol, weight in blend.parts)


def weight_text(percent: float) -> str:
    """Return a weight as it was typed: no digit that counts is lost."""
    return f"{percent:.12g}"


def _pairs(text: str) -> list[tuple[str, str]]:
    """Return symbols and weights of a text such as "SPX 60, AGG 40"; also with = or : between them, and %.

    With semicolons or lines between them commas are decimal: "SPX 33,3; AGG 66,7".
    """
    between = _BETWEEN_WITHOUT_COMMA if _BETWEEN_WITHOUT_COMMA.search(text) else _BETWEEN
    found = []
    for part in filter(None, (each.strip() for each in between.split(text))):
        symbol, _, weight = re.sub(r"\s*%$", "", part).replace("=", " ").replace(":", " ").rpartition(" ")
        found.append((symbol.strip(), weight))
    return found


def _parts(pairs: Sequence[tuple[str, str]], known: Catalogue) -> tuple[tuple[str, float], ...]:
    """Return symbols with their weights as numbers."""
    found: list[tuple[str, float]] = []
    for symbol, weight in pairs:
        try:
            found.append((symbol, float(weight.replace("%", "").replace(",", "."))))
        except ValueError as error:
            part = f"{symbol} {weight}".strip()
            raise ChangeRejected(_NOT_SAVED, {"parts": f"{part!r}: write symbol and weight, such as SPX 60"}) from error
        if symbol != CASH and (symbol not in known.series or known.series[symbol].kind == "fx"):
            raise ChangeRejected(_NOT_SAVED, {"parts": f"there is no series {symbol!r} that can be part of a blend"})
    return tuple(found)


def _check_rate(series: Series, currency: str) -> None:
    if series.kind != "rate":
        raise ChangeRejected(_NOT_SAVED, {"rate": f"{series.symbol} is no series of rates: its kind is {series.kind}"})
    if series.currency and series.currency != currency:
        raise ChangeRejected(_NOT_SAVED, {"rate": f"{series.symbol} is a rate on {series.currency}, not on {currency}"})


def _check_currency(code: str) -> None:
    if wrong := unknown_currency(code):
        raise ChangeRejected(_NOT_SAVED, {"currency": wrong})


def _check_use(now: Series, was: Series, known: Catalogue) -> None:
    """Raise ChangeRejected when a series would not be any more what it is used as."""
    of = [rate.currency for rate in known.risk_free.values() if rate.series == now.symbol]
    first = f"it is the risk-free rate of {', '.join(of)}: give that another one first"
    if of and now.kind != "rate" and was.kind == "rate":
        raise ChangeRejected(_NOT_SAVED, {"kind": first})
    if now.currency != was.currency and any(now.currency not in ("", currency) for currency in of):
        raise ChangeRejected(_NOT_SAVED, {"currency": first})


def _check_names(fields: Mapping[str, str], allowed: tuple[str, ...]) -> None:
    wrong = [name for name in fields if name not in allowed]
    if wrong:
        raise ChangeRejected(_NOT_SAVED, {wrong[0]: f"is nothing that can be set: give some of {', '.join(allowed)}"})


def _made(make: Callable[[], Made], called: Mapping[str, str] | None = None) -> Made:
    """Return what `make` makes; its ValueError, which begins with the field, as ChangeRejected.

    called: what a field is called where it is typed.
    """
    try:
        return make()
    except ValueError as error:
        field, _, rest = str(error).partition(" ")
        name = field.rstrip(":")
        raise ChangeRejected(_NOT_SAVED, {(called or {}).get(name, name): rest}) from error
