"""Which instances of watched sources a page shows: the choice `instance` of its address."""

from __future__ import annotations

from collections.abc import Sequence

from core.kinds.registry import is_own
from dashboard.views.tab import Choices
from status.instances import Instance

ALL = "all"


def chosen_instances(found: Sequence[Instance], choices: Choices) -> list[Instance]:
    """Return the instance that the choice `instance` names, else those that somebody watches.

    Fundwatch's own are among them where nothing else is watched, and else when they are chosen.
    """
    wanted = choices.get("instance", ALL)
    named = [each for each in found if each.collector == wanted]
    return named or [each for each in found if not is_own(each.id)] or list(found)


def folded_instances(found: Sequence[Instance], chosen: Sequence[Instance]) -> list[Instance]:
    """Return Fundwatch's own that are folded away: those that are not chosen."""
    shown = {each.collector for each in chosen}
    return [each for each in found if is_own(each.id) and each.collector not in shown]
