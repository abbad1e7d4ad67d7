"""Settings of one portfolio, changed whole or not at all; and a new one without values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.currency import ASSUMED_CURRENCY, unknown_currency
from core.errors import ChangeRejected
from core.format import first_of
from core.portfolios import RULE, RULES, WHOLE, mistakes
from core.trading_days import trading_days
from portfolio.series.reference import catalogue
from portfolio.tree.alone import alone
from portfolio.tree.names import ids_of
from storage.state.changes import Change, record_change, unfinished_in
from storage.state.database import Transaction
from storage.state.portfolios import OWN, Portfolio, forget_name, know_as, names_in, portfolios_in, put_into

if TYPE_CHECKING:
    from storage.stores import Stores

CURRENCY_NOT_TOLD = f"Currency not told: {ASSUMED_CURRENCY}."
"""In the note of a portfolio whose file does not say its currency, until somebody does."""
WHERE_SET = "fundwatch.yaml"


def change(stores: Stores, id: str, fields: Mapping[str, str], who: str = "") -> str:
    """Change fields of an own portfolio and return what was changed, a sentence.

    `fields` are texts by name, as core/portfolios.py has them. Raises ChangeRejected that says what is wrong with which
    field, StorageUnavailable or StorageRejected; then nothing was changed.
    """
    fields = _tidy(fields)
    _check_known(fields)
    fields = _with_benchmark_key(stores, fields)
    unknown = unknown_calendar(fields.get("calendar", ""))
    no_benchmark = _unknown_benchmark(stores, fields)
    with alone(stores), stores.state.deciding() as connection:
        was = own_portfolio(connection, id)
        check_idle(connection, id)
        fields = _with_parent_id(connection, fields)
        if fields.get("parent", was.parent) != was.parent:
            check_idle(connection, *_upwards(connection, fields["parent"]))
        changed = {name: value for name, value in fields.items() if value != str(getattr(was, name))}
        fixed = set_in_file(stores, id)
        wrong = {
            name: f"is set in {WHERE_SET}: change it there"
            for name, value in changed.items()
            if name in fixed and value != fixed[name]
        }
        wrong |= mistakes({rule.name: getattr(was, rule.name) for rule in RULES} | fields)
        wrong |= _unknown_currency(changed) | _further(connection, was, changed) | unknown
        wrong |= no_benchmark if "benchmark" in changed and "benchmark" not in wrong else {}
        if wrong:
            raise ChangeRejected(f"{was.name} is as it was.", wrong)
        now = told_currency(replace(was, **values_of(changed)), fields)
        if now == was:
            return f"{was.name} is as it was: nothing else was said."
        _put(connection, now)
        if now.name != was.name:
            _rename(connection, was, now.name)
        steps = [f"{RULE[name].label.lower()} {_shown(was, name)} → {_shown(now, name)}" for name in changed]
        told = ", ".join(steps) or f"currency {now.currency}, told now"
        record_change(connection, Change(stores.clock.now(), who, id, "set", told))
    stores.live.bump("portfolio")
    return f"{now.name}: {told}."


def add(stores: Stores, fields: Mapping[str, str], who: str = "") -> str:
    """Add an own portfolio without values and return its id, made of its name.

    Raises as `change` does.
    """
    fields = {name: value for name, value in _tidy(fields).items() if value or name == "name"}
    _check_known(fields)
    fields = _with_benchmark_key(stores, fields)
    whole = {"name": "", "currency": ASSUMED_CURRENCY, **fields}
    wrong = _unknown_currency(fields) | _unknown_benchmark(stores, fields) | mistakes(whole)
    wrong |= unknown_calendar(fields.get("calendar", ""))
    if wrong:
        raise ChangeRejected("No portfolio was added.", wrong)
    with alone(stores), stores.state.deciding() as connection:
        there = portfolios_in(connection, OWN)
        id = free_id(fields["name"], {each.id for each in there} | set(names_in(connection)))
        fields = _with_parent_id(connection, fields)
        check_idle(connection, *_upwards(connection, fields.get("parent", "")))
        now = replace(Portfolio(OWN, id, fields["name"], position=len(there)), **values_of(fields))
        wrong = _further(connection, now, fields)
        if wrong:
            raise ChangeRejected("No portfolio was added.", wrong)
        _put(connection, now)
        record_change(connection, Change(stores.clock.now(), who, id, "add", f"{now.name} added"))
    stores.live.bump("portfolio")
    return id


def own_portfolio(connection: Transaction, id: str) -> Portfolio:
    """Return the own portfolio of this id. Raises ChangeRejected when there is none."""
    found = {each.id: each for each in portfolios_in(connection, OWN)}
    if id in found:
        return found[id]
    other = next((each for each in portfolios_in(connection) if each.id == id), None)
    if other is None:
        near = f": there are {', '.join(sorted(found)[:10])}" if found else ""
        raise ChangeRejected(f"There is no portfolio {id!r}{near}.")
    if other.origin == "sample":
        raise ChangeRejected(f"{other.name} belongs to the sample fund: `python -m sample remove` takes that away.")
    raise ChangeRejected(f"{other.name} belongs to the replay of the sample fund: it stays as it is.")


def check_idle(connection: Transaction, *ids: str) -> None:
    """Raise ChangeRejected when one of the portfolios is being merged or deleted, or was when that was cut off."""
    for going in unfinished_in(connection):
        if {going.portfolio, going.into} & set(ids):
            what = f"merged into {going.into}" if going.into else "deleted"
            raise ChangeRejected(f"{going.portfolio} is being {what}. If that was cut off, do it again first.")


def set_in_file(stores: Stores, id: str) -> dict[str, str]:
    """Return the fields of a portfolio that the settings file sets, as texts."""
    return next((each.given() for each in stores.settings.portfolios if each.id == id), {})


def free_id(name: str, taken: set[str]) -> str:
    """Return an id for a portfolio of this name: letters, digits and signs that files can write, 64 at most."""
    plain = unicodedata.normalize("NFC", name)
    id = " ".join(re.sub(r"[^\w .&()/+'-]", " ", plain).split())[:60] or "portfolio"
    numbered = (id, *(f"{id} {number}" for number in range(2, len(taken) + 3)))
    return next(each for each in numbered if each not in taken)


def _tidy(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the fields without blanks round them; a currency in capitals."""
    tidy = {name: value.strip() for name, value in fields.items()}
    return tidy | ({"currency": tidy["currency"].upper()} if "currency" in tidy else {})


def _check_known(fields: Mapping[str, str]) -> None:
    unknown = [name for name in fields if name not in RULE]
    if unknown:
        raise ChangeRejected(f"{unknown[0]!r} is no setting of a portfolio: there are {', '.join(RULE)}.")


def _with_parent_id(connection: Transaction, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the fields with the id of the parent, where its name is given."""
    parent = fields.get("parent", "")
    ids = ids_of(portfolios_in(connection, OWN), names_in(connection))
    return {**fields, "parent": ids[parent]} if parent in ids else dict(fields)


def _with_benchmark_key(stores: Stores, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the fields with the key of the benchmark, where a blend is named by its id or name."""
    said = fields.get("benchmark", "")
    return {**fields, "benchmark": catalogue(stores, OWN).key(said)} if said else dict(fields)


def _unknown_benchmark(stores: Stores, fields: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with a benchmark that is none. Not within a transaction: it reads prices."""
    key = fields.get("benchmark", "")
    if not key:
        return {}
    known = catalogue(stores, OWN)
    there = known.benchmarks()
    if key in there:
        return {}
    offered = f"give one of {first_of([known.blends[each].id if each in known.blends else each for each in there], 10)}"
    return {"benchmark": f"there are no prices of {key!r}: {offered if there else 'import some first'}"}


def _upwards(connection: Transaction, id: str) -> list[str]:
    """Return the id and those of all that it is part of: what is merged or deleted of them changes the tree there."""
    parents = {each.id: each.parent for each in portfolios_in(connection, OWN)}
    ids = []
    while id:
        ids.append(id)
        id = parents.get(id, "")
    return ids


def _further(connection: Transaction, was: Portfolio, changed: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with fields by what else there is."""
    wrong: dict[str, str] = {}
    there = {each.id: each for each in portfolios_in(connection, OWN)}
    if "name" in changed:
        others = [each for each in there.values() if each.id != was.id]
        meant = ids_of(others, {name: id for name, id in names_in(connection).items() if id != was.id})
        if changed["name"] in meant:
            wrong["name"] = (
                f"is what files call {there[meant[changed['name']]].name}: give another one, or merge the two"
            )
    if changed.get("parent"):
        above = changed["parent"]
        if above not in there:
            wrong["parent"] = f"there is no portfolio {above!r}: give one of {', '.join(sorted(there))[:300]}"
        while above in there and "parent" not in wrong:
            if above == was.id:
                wrong["parent"] = f"is {was.name} or part of it: give another one"
            above = there[above].parent
    return wrong


def _unknown_currency(fields: Mapping[str, str]) -> dict[str, str]:
    wrong = unknown_currency(fields.get("currency", ""))
    return {"currency": wrong} if wrong else {}


def unknown_calendar(name: str) -> dict[str, str]:
    """Return what is wrong with a calendar that is none. Not within a transaction: an exchange's takes seconds."""
    if not name or mistakes({"calendar": name}):
        return {}
    try:
        trading_days(name)
    except ValueError as error:
        return {"calendar": str(error).partition(": ")[2]}
    return {}


def values_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """Return fields that are texts as a portfolio has them."""
    return {name: int(value) if name in WHOLE else value for name, value in fields.items()}


def told_currency(now: Portfolio, given: Mapping[str, str]) -> Portfolio:
    """Return a portfolio whose note does not say any more that nobody told its currency, where `given` tells it."""
    if "currency" not in given or CURRENCY_NOT_TOLD not in now.note:
        return now
    return replace(now, note=" ".join(now.note.replace(CURRENCY_NOT_TOLD, " ").split()))


def _put(connection: Transaction, now: Portfolio) -> None:
    try:
        put_into(connection, [now])
    except ValueError as error:
        raise ChangeRejected(f"{now.name} is as it was: {error}.") from error


def _rename(connection: Transaction, was: Portfolio, name: str) -> None:
    """Let the old name mean the portfolio too, and the new one nothing else."""
    forget_name(connection, name)
    if was.name != was.id:
        know_as(connection, {was.name: was.id})


def _shown(portfolio: Portfolio, name: str) -> str:
    return str(getattr(portfolio, name)) or "none"
