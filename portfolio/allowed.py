"""Which portfolios somebody may see who is limited to some of the fund's own: those named, and what is below them.

Pure: a tree in, a tree out. Every reader of portfolios begins with `seen` of what the state database lists. What it
leaves out is told of nowhere: it is answered for as if it did not exist, and a part that may be seen stands at the top
where its parent may not. Portfolios of other origins are nobody's money (the sample fund, its replay): all see them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b

from core.portfolios import RULE
from storage.state.changes import Change
from storage.state.imports import OF_NAV, REFUSED, Import
from storage.state.portfolios import OWN, Portfolio

Limits = frozenset[str] | None
"""Ids of the only own portfolios that may be seen, with those below them; None: every one (Viewer.portfolios)."""
A_FILE = "a file"
"""What is told of a file whose name may be that of a portfolio which may not be seen."""
_MOVED = f"{RULE['parent'].label.lower()} "
"""What a change begins with that tells of another portfolio."""


def seen(known: Sequence[Portfolio], limits: Limits) -> list[Portfolio]:
    """Return those of `known` that may be seen, in their order; one whose parent may not be is no part of any."""
    if limits is None:
        return [*known]
    ids = seen_ids({each.id: each.parent for each in known if each.origin == OWN}, limits)
    return [_without_hidden_parent(each, ids) for each in known if each.origin != OWN or each.id in ids]


def seen_ids(parents: Mapping[str, str], limits: Iterable[str]) -> frozenset[str]:
    """Return the ids of `limits` that there are, and of all below them; `parents`: own portfolios' by id.

    A limit to a portfolio that is gone, merged into another one too, allows nothing.
    """
    named = frozenset(limits)
    found: dict[str, bool] = {}
    for id in parents:
        path: list[str] = []
        at = id
        while at in parents and at not in found and at not in named and at not in path:
            path.append(at)
            at = parents[at]
        is_below = at in parents and (at in named or found.get(at, False))
        found.update(dict.fromkeys(path, is_below))
    return frozenset(id for id in parents if id in named or found[id])


def own_ids(known: Sequence[Portfolio], limits: Limits) -> frozenset[str]:
    """Return the ids of the own portfolios of `known` that may be seen."""
    return frozenset(each.id for each in seen(known, limits) if each.origin == OWN)


def seen_changes(changes: Sequence[Change], ids: frozenset[str]) -> list[Change]:
    """Return the changes of the portfolios `ids` that tell of no other one: not what was merged, deleted or moved."""
    return [each for each in changes if each.portfolio in ids and not each.into and _MOVED not in f"{each.detail} "]


def is_import_seen(item: Import, names: Mapping[str, str], ids: frozenset[str]) -> bool:
    """Return whether an import was taken and touched portfolios of `ids` alone; `names`: the id that each name means.

    What was refused, prices and rates touched none: whose they are is not known.
    """
    of_portfolios = item.outcome != REFUSED and item.kind in OF_NAV and bool(item.names)
    return of_portfolios and all(names.get(name, name) in ids for name in item.names)


def stamp_of(limits: Limits) -> str:
    """Return what tells these limits from others, the same in every process; no id can be read off it."""
    return "" if limits is None else blake2b("\0".join(sorted(limits)).encode(), digest_size=8).hexdigest()


def _without_hidden_parent(each: Portfolio, ids: frozenset[str]) -> Portfolio:
    if each.origin != OWN or not each.parent or each.parent in ids:
        return each
    return replace(each, parent="")
