"""Parts of a page for some roles alone: marked where they are made, left out of a layout or a view for a lesser one.

What they lead to asks for the role itself; here it is not even offered. Of a view the role counts when the page depends
on it (Page.varies_by): else what is marked is left out for all.
"""

from __future__ import annotations

from copy import copy
from typing import Any

from dash.development.base_component import Component

from core.roles import Role

MARK = "data-needs"


def needing(role: Role) -> dict[str, Any]:
    """Return the attribute of a part that is for viewers of this role or more; none for all."""
    return {} if role is Role.VIEWER else {MARK: role.word}


def offered(part: Any, role: Role) -> Any:
    """Return a component, or several, without the parts that need more than `role`.

    What they are left out of is copied, never changed.
    """
    if isinstance(part, (list, tuple)):
        kept = [offered(each, role) for each in part if not _needs_more(each, role)]
        is_same = len(kept) == len(part) and all(one is other for one, other in zip(kept, part, strict=True))
        return part if is_same else kept
    if not isinstance(part, Component):
        return part
    inside = getattr(part, "children", None)
    left = None if _needs_more(inside, role) else offered(inside, role)
    if left is inside:
        return part
    made = copy(part)
    made.children = left
    return made


def _needs_more(part: Any, role: Role) -> bool:
    needed = vars(part).get(MARK) if isinstance(part, Component) else None
    return needed is not None and Role[str(needed).upper()] > role
