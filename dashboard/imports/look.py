"""Looking at a file before anything of it is taken: what it says, set against what is stored."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import ImportRejected
from portfolio.allowed import Limits, seen
from portfolio.imports.mapping import OF_INSTRUMENTS, Mapping
from portfolio.imports.names import Names, compare_names
from portfolio.imports.take import check_against_stored, digest_of, look_at
from portfolio.imports.understand import Understood
from portfolio.imports.within import within
from storage.clickhouse.reads.prices import priced_instruments
from storage.state.imports import Import, same_content
from storage.state.portfolios import OWN, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores


@dataclass(frozen=True, slots=True)
class Looked:
    """What is known of a file that a person chose."""

    understood: Understood
    said: Mapping
    """What the person said of it."""
    names: Names
    known: Dict[str, str]
    """Names that there are already, of its kind, each with its currency ("" for an instrument)."""
    against: ImportRejected | None
    """Why it cannot join what is stored, when that is so."""
    again: Import | None
    """The import that brought this very file and stands."""
    digest: str

    @property
    def can_be_taken(self) -> bool:
        """Return whether nothing but a person's yes is missing."""
        return self.understood.points is not None and self.against is None


def look(stores: Stores, name: str, content: bytes | None, said: Mapping, limits: Limits) -> Looked:
    """Return what a file says (None: too large to read), to somebody with these limits. Raises StorageError."""
    understood = look_at(stores, name, content, said, limits)
    known, called = _known(stores, understood.kind, limits)
    points = understood.points
    names = Names((), ()) if points is None else compare_names(points.names, [*known, *called])
    digest = digest_of(content)
    again = _again(stores, digest, limits)
    return Looked(understood, said, names, known, _against(stores, understood), again, digest)


def _again(stores: Stores, digest: str, limits: Limits) -> Import | None:
    """Return the import that brought this very content and stands, where it may be seen."""
    item = same_content(stores.state, digest)
    if item is None or limits is None:
        return item
    return item if within(stores.state, limits).shows(item) else None


def _known(stores: Stores, kind: str, limits: Limits) -> tuple[dict[str, str], list[str]]:
    """Return the names that files of a kind can mean, with their currencies, and what people call those."""
    if kind in OF_INSTRUMENTS:
        return {name: "" for origin, name in priced_instruments(stores.clickhouse) if origin == OWN}, []
    own = seen(list_portfolios(stores.state, OWN), limits)
    return {each.id: each.currency for each in own}, [each.name for each in own]


def _against(stores: Stores, understood: Understood) -> ImportRejected | None:
    if understood.points is None:
        return None
    try:
        check_against_stored(stores, understood, understood.points)
    except ImportRejected as error:
        return error
    return None
