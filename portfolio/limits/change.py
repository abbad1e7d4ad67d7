"""Setting limits of portfolios here: checked whole, saved, deleted, and exported as they stand in the settings file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import yaml

from core.errors import ChangeRejected
from core.portfolio_limits.figures import RESTRICTED, Unit
from core.portfolio_limits.limit import (
    AT_LEAST,
    EVERY,
    EVERY_IN_SETTINGS,
    NOT_SAVED,
    WARN_RATIO,
    PortfolioLimit,
    nearest,
    read_limit,
)
from portfolio.limits.names import known_names
from portfolio.tree.names import ids_by_name
from storage.state.portfolio_limits import (
    NOT_DELETED,
    Change,
    add_limit,
    change_limit,
    changes_in,
    delete_limit,
    limits_in,
)
from storage.state.portfolios import OWN, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

LIMITS = "limits"
"""Data set whose version moves when a limit is set, and when a breach begins or ends."""
MOST_CHANGES = 200


def save(
    stores: Stores, given: Mapping[str, str], who: str, *, id: str = "", version: int = 0
) -> tuple[PortfolioLimit, str]:
    """Keep a limit as texts say it: a new one, or another version of the limit `id` that was seen at `version`.

    Beside it a hint, what can be and is hardly meant. Raises ChangeRejected that names each field that cannot be;
    StorageUnavailable or StorageRejected.
    """
    limit, hint = checked(stores, given)
    now = stores.clock.now()
    state = stores.state
    done = change_limit(state, id, version, limit, who, now) if id else add_limit(state, limit, who, now)
    stores.live.bump(LIMITS)
    return done, hint


def delete(stores: Stores, id: str, who: str) -> PortfolioLimit:
    """Delete a limit that was set here and return it. Raises ChangeRejected; StorageUnavailable."""
    if any(each.id == id for each in stores.settings.limits.limits()):
        raise ChangeRejected(NOT_DELETED, {"id": "it stands in fundwatch.yaml; take it out there"})
    done = delete_limit(stores.state, id, who, stores.clock.now())
    stores.live.bump(LIMITS)
    return done


def checked(stores: Stores, given: Mapping[str, str]) -> tuple[PortfolioLimit, str]:
    """Return the limit that texts say, of what there is, and a hint. Raises ChangeRejected."""
    wrong: dict[str, str] = {}
    limit = None
    try:
        limit = read_limit(given)
    except ChangeRejected as error:
        wrong = dict(error.fields)
    portfolio = _portfolio(stores, given.get("portfolio", ""), wrong)
    if limit is None or wrong:
        raise ChangeRejected(NOT_SAVED, wrong)
    hint = ""
    if limit.of:
        known = known_names(stores, limit)
        strange = [each for each in limit.of if each not in known]
        if strange and limit.figure != RESTRICTED:
            near = nearest(strange[0], known)
            what = limit.about.cut.replace("_", " ")
            raise ChangeRejected(NOT_SAVED, {"of": f"there is no {what} {strange[0]!r}{near or _some(known)}"})
        if strange:
            hint = f"No instrument {strange[0]!r} is known yet{nearest(strange[0], known) or '.'}"
    return replace(limit, portfolio=portfolio), hint


def changes(stores: Stores) -> list[Change]:
    """Return the newest versions of limits that were set here, the newest first. Raises StorageUnavailable."""
    with stores.state.reading() as connection:
        return changes_in(connection, MOST_CHANGES)


def exported(stores: Stores) -> str:
    """Return the limits that were set here as they stand in fundwatch.yaml. Raises StorageUnavailable."""
    with stores.state.reading() as connection:
        found = limits_in(connection)
    return yaml.safe_dump({"limits": {"portfolios": [*map(_as_set, found)]}}, sort_keys=False, allow_unicode=True)


def texts_of(limit: PortfolioLimit) -> dict[str, str]:
    """Return a limit as the texts that `save` takes."""
    return {
        "portfolio": limit.portfolio, "figure": limit.figure, "operator": limit.operator, "value": _exact(limit),
        "of": ", ".join(limit.of), "below": "on" if limit.below else "", "warn": f"{100 * limit.warn_ratio:.12g} %",
        "severity": limit.severity.word, "note": limit.note,
    }  # fmt: skip


def _as_set(limit: PortfolioLimit) -> dict[str, Any]:
    found: dict[str, Any] = {"portfolio": limit.portfolio or EVERY_IN_SETTINGS, "figure": limit.figure}
    if limit.figure != RESTRICTED:
        found["at_least" if limit.operator == AT_LEAST else "at_most"] = _exact(limit)
    if limit.of:
        found["of"] = [*limit.of]
    if limit.below:
        found["below"] = True
    if limit.warn_ratio != WARN_RATIO:
        found["warn_ratio"] = limit.warn_ratio
    found["severity"] = limit.severity.word
    if limit.note:
        found["note"] = limit.note
    return found


def _exact(limit: PortfolioLimit) -> str:
    """Return the value as it can be read back, without a loss."""
    if limit.figure == RESTRICTED:
        return ""
    if limit.about.unit is Unit.RATIO:
        return f"{100 * limit.value:.12g} %"
    unit = {Unit.TIMES: " x", Unit.DAYS: " d"}.get(limit.about.unit, "")
    return f"{limit.value:.15g}{unit}"


def _portfolio(stores: Stores, given: str, wrong: dict[str, str]) -> str:
    if given == EVERY:
        return EVERY
    known = {each.id for each in list_portfolios(stores.state, OWN)}
    given = given if given in known else given.removeprefix(f"{OWN}:")
    if given in known:
        return given
    by_name = ids_by_name(stores.state)
    if given in by_name and by_name[given] in known:
        return by_name[given]
    wrong["portfolio"] = f"there is no portfolio {given[:64]!r} of the fund{nearest(given, known)}"
    return EVERY


def _some(known: set[str]) -> str:
    return f"; there are {', '.join(sorted(known)[:8])}" if known else "; none is known yet: send instruments first"
