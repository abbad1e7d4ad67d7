"""Portfolios that `readiness.portfolios` of the settings names and that there are not: what it says counts for none."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.errors import SettingsError
from storage.state.portfolios import OWN, names_in, portfolios_in

if TYPE_CHECKING:
    from storage.stores import Stores

CLOSE = 0.75
"""How alike (0 to 1) a name must be to be taken for a typing mistake, and not for a portfolio that is yet to come."""


def misnamed(stores: Stores) -> dict[str, str]:
    """Return each of these names, with the id that is probably meant; empty: none is like it.

    One that was merged into another portfolio since is no mistake of typing. Raises StorageUnavailable.
    """
    given = [each.portfolio for each in stores.settings.readiness.portfolios]
    if not given:
        return {}
    with stores.state.reading() as connection:
        known = {each.id: each.name for each in portfolios_in(connection, OWN)}
        former = names_in(connection)
    return {each: _meant(each, known, former) for each in given if each not in known}


def _meant(given: str, known: Mapping[str, str], former: Mapping[str, str]) -> str:
    by_name = {name: id for id, name in known.items()}
    if given in by_name or given in former:
        return by_name.get(given, "")
    return next(iter(difflib.get_close_matches(given, list(known), n=1, cutoff=CLOSE)), "")


def refuse_misnamed(stores: Stores) -> None:
    """Raise SettingsError for a name that is nearly one of a portfolio: its limits would silently be the default ones.

    Raises StorageUnavailable.
    """
    lines = [
        f"readiness.portfolios: {name!r} is no portfolio of the fund; did you mean {near!r}?"
        for name, near in misnamed(stores).items()
        if near
    ]
    if lines:
        raise SettingsError("\n".join(lines))
