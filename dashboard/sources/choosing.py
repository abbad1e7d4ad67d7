"""Which instances of watched sources a page shows: the choice `instance` of its address."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.views.tab import Choices
from status.instances import Instance

ALL = "all"


def chosen_instances(found: Sequence[Instance], choices: Choices) -> list[Instance]:
    """Return the instance that the choice `instance` names, else all."""
    wanted = choices.get("instance", ALL)
    return [each for each in found if each.collector == wanted] or list(found)
