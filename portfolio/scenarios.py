"""Keeping scenarios of stress: what was typed is read, and refused where nothing held is of what it names."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import ChangeRejected
from core.format import first_of
from portfolio.stress import Stressed
from storage.state.scenarios import NAME_CHARACTERS, NOT_KEPT, Scenario, add_scenario

if TYPE_CHECKING:
    from storage.stores import Stores

LEAST_PERCENT, MOST_PERCENT = -100.0, 1_000.0
MOST_MOVES = 50
NOT_TRIED = "Nothing was tried."
_MOVE = re.compile(r"\s*(?P<name>[^;\n]+?)[\s:]+(?P<move>[+\-−]?\d+(?:\.\d+)?)\s*%?\s*(?:[,;\n]|$)")
FIELDS: Mapping[str, str] = {
    "sectors": "sector", "asset_classes": "asset class", "strategies": "strategy", "currencies": "currency",
}  # fmt: skip
"""What is typed as "Energy -10, Financials -5", and what each is called."""


def keep_scenario(stores: Stores, found: Stressed, texts: Mapping[str, str], who: str) -> Scenario:
    """Keep what was typed (name, market, FIELDS) and return it. `found`: what is held, which it must be about.

    Raises ChangeRejected that names the fields, StorageUnavailable.
    """
    wrong: dict[str, str] = {}
    name = texts.get("name", "").strip()
    if not name or len(name) > NAME_CHARACTERS or not name.isprintable():
        wrong["name"] = f"give 1 to {NAME_CHARACTERS} characters, all on one line"
    made = _read(found, texts, wrong)
    if wrong:
        raise ChangeRejected(NOT_KEPT, wrong)
    return add_scenario(stores.state, replace(made, name=name, who=who, made_at=stores.clock.now()))


def read_scenario(found: Stressed, texts: Mapping[str, str]) -> Scenario:
    """Return what was typed (market, FIELDS), without a name and not kept. Raises ChangeRejected as keeping does."""
    wrong: dict[str, str] = {}
    made = _read(found, texts, wrong)
    if wrong:
        raise ChangeRejected(NOT_TRIED, wrong)
    return made


def _read(found: Stressed, texts: Mapping[str, str], wrong: dict[str, str]) -> Scenario:
    """Return what was typed; what is wrong with a field is put into `wrong`."""
    market = _market(texts.get("market", ""), found, wrong)
    names = {
        "sectors": {each: each for each in found.sectors()},
        "asset_classes": {each: each for each in found.asset_classes()},
        "strategies": {name: key for key, name in found.strategies().items()},
        "currencies": {each: each for each in found.foreign()},
    }
    moves = {field: _moves(field, texts.get(field, ""), names[field], found, wrong) for field in FIELDS}
    if not wrong and not market and not any(moves.values()):
        wrong["market"] = "nothing moves; give a move of the market, a sector, an asset class, a strategy or a currency"
    return Scenario("", market, moves["sectors"], moves["asset_classes"], moves["strategies"], moves["currencies"])


def nearest(wanted: str, known: Iterable[str]) -> str:
    """Return what to write instead of a name that there is not."""
    names = sorted(known)
    folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(wanted.casefold(), list(folded), n=1, cutoff=0.5)
    if near:
        return f"did you mean {folded[near[0]]}?"
    return f"there are {first_of(names, 8)}" if names else "there are none"


def _market(typed: str, found: Stressed, wrong: dict[str, str]) -> float:
    if not typed.strip():
        return 0.0
    move = _percent(typed.replace("%", "").strip())
    if math.isnan(move):
        wrong["market"] = f"“{typed[:40]}” is no number of percent from −100 to 1 000, such as -10"
        return 0.0
    if move and not found.benchmark:
        wrong["market"] = "the portfolio has no benchmark that betas are to; leave it empty, or set a benchmark"
    return move


def _moves(
    field: str, typed: str, known: Mapping[str, str], found: Stressed, wrong: dict[str, str]
) -> dict[str, float]:
    """Return the moves by what stands for each name; what is wrong with one is put into `wrong`."""
    moves: dict[str, float] = {}
    one, base = FIELDS[field], found.book.found.portfolio.currency
    folded = {name.casefold(): name for name in known}
    for name, said in _pairs(typed):
        move = _percent(said)
        label = folded.get(name.casefold())
        if math.isnan(move):
            wrong[field] = f"“{name[:40]}”: give a name and percent from −100 to 1 000, such as {_example(known)} -10"
        elif field == "currencies" and name.upper() == base:
            wrong[field] = f"{base} is the portfolio's own currency: it does not move against itself"
        elif label is None:
            wrong[field] = f"nothing held is of the {one} “{name[:40]}”; {nearest(name, known)}"
        elif known[label] in moves:
            wrong[field] = f"{label} is named twice; name it once"
        else:
            moves[known[label]] = move
    if len(moves) > MOST_MOVES:
        wrong[field] = f"{MOST_MOVES} at most"
    return moves


def _pairs(typed: str) -> Sequence[tuple[str, str]]:
    """Return names and the numbers behind them; what has no number comes with an empty one."""
    text, at = typed.strip(), 0
    found: list[tuple[str, str]] = []
    while at < len(text):
        match = _MOVE.match(text, at)
        if match is None:
            return [*found, (text[at:].strip(" ,;\n"), "")]
        found.append((match["name"].strip(), match["move"]))
        at = match.end()
    return found


def _percent(text: str) -> float:
    """Return the ratio of a text in percent; NaN where it is none, or beyond what can be."""
    try:
        percent = float(text.replace("−", "-"))
    except ValueError:
        return math.nan
    return percent / 100 if LEAST_PERCENT <= percent <= MOST_PERCENT else math.nan


def _example(known: Mapping[str, str]) -> str:
    return next(iter(sorted(known)), "Energy")
