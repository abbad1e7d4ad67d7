"""How the cards of a tab stand in strips, and the room that they will take before they are there.

A row of a server that has nothing but its card, because it is down, stands alone: all of those share the first strip.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.model import SEVERITY, Status, worst
from dashboard.sources.section import Section
from dashboard.sources.shown import Shown
from dashboard.sources.strip import ServerRow
from status.instances import Instance


def strips_of(sections: Sequence[Section], shown: Shown) -> tuple[list[Any], list[list[Any]]]:
    """Return the cards that stand alone, and those of each other strip: of a server with tiles, or of a kind without.

    The worst come first.
    """
    alone: list[Any] = []
    found: list[tuple[Status, list[Any]]] = []
    for section in sections:
        of_kind = section.of(shown)
        made = list(section.cards(of_kind)) if of_kind.chosen else []
        rows = [each for each in made if isinstance(each, ServerRow)]
        alone += [row.cards[0] for row in rows if len(row.cards) == 1]
        found += [(row.state, list(row.cards)) for row in rows if len(row.cards) > 1]
        loose = [each for each in made if not isinstance(each, ServerRow)]
        if loose:
            found.append((worst([each.status for each in of_kind.chosen]), loose))
    found.sort(key=lambda pair: -SEVERITY[pair[0]])
    return alone, [each for _, each in found]


def room_of(sections: Sequence[Section], chosen: Sequence[Instance]) -> tuple[int, list[int]]:
    """Return how many cards will stand alone, and how many in each other strip."""
    alone, counts = 0, []
    for section in sections:
        of_kind = section.card_counts([each for each in chosen if each.kind == section.kind])
        alone += sum(count == 1 for count in of_kind) if section.detail_cards else 0
        counts += [count for count in of_kind if count > 1 or not section.detail_cards]
    return alone, counts
