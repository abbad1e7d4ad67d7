"""Portfolios that readiness and limits of the settings name and that there are not: what they say counts for none."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import SettingsError
from core.portfolio_limits.limit import EVERY
from storage.state.portfolios import OWN, names_in, portfolios_in

if TYPE_CHECKING:
    from storage.stores import Stores

log = logging.getLogger(__name__)

CLOSE = 0.75
"""How alike (0 to 1) a name must be to be taken for a typing mistake, and not for a portfolio that is yet to come."""


@dataclass(frozen=True, slots=True)
class Misnamed:
    """A name in the settings that is that of no portfolio."""

    place: str
    """The setting that it stands in."""
    name: str
    near: str
    """Id that is probably meant; empty: none is like it."""


def misnamed(stores: Stores) -> list[Misnamed]:
    """Return each of these names. One that was merged into another portfolio since is no mistake of typing.

    Raises StorageUnavailable.
    """
    settings = stores.settings
    given = [
        *(("readiness.portfolios", each.portfolio) for each in settings.readiness.portfolios),
        *(("limits.portfolios", each.portfolio) for each in settings.limits.limits() if each.portfolio != EVERY),
    ]
    if not given:
        return []
    with stores.state.reading() as connection:
        known = {each.id: each.name for each in portfolios_in(connection, OWN)}
        former = names_in(connection)
    wrong = dict.fromkeys((place, name) for place, name in given if name not in known)
    found = [Misnamed(place, name, _meant(name, known, former)) for place, name in wrong]
    # What limits say of a portfolio goes on for the one that it became part of.
    return [each for each in found if each.place != "limits.portfolios" or each.name not in former]


def _meant(given: str, known: Mapping[str, str], former: Mapping[str, str]) -> str:
    by_name = {name: id for id, name in known.items()}
    if given in by_name or given in former:
        return by_name.get(given, "")
    return next(iter(difflib.get_close_matches(given, list(known), n=1, cutoff=CLOSE)), "")


def refuse_misnamed(stores: Stores) -> None:
    """Raise SettingsError for a name that is nearly one of a portfolio: its limits would silently be the default ones.

    One that is like none may be of a portfolio that is yet to come: the log tells of it. Raises StorageUnavailable.
    """
    found = misnamed(stores)
    for each in found:
        if not each.near:
            log.warning("%s: %r is no portfolio of the fund yet: what it says counts for nobody", each.place, each.name)
    lines = [
        f"{each.place}: {each.name!r} is no portfolio of the fund; did you mean {each.near!r}?"
        for each in found
        if each.near
    ]
    if lines:
        raise SettingsError("\n".join(lines))
