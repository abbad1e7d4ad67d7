"""What Dash's dispatcher is asked, held to what its callbacks take before it sees it.

Dash takes a request as it comes and fails somewhere on the way when it is none. Every callback here has fixed ids, so
that a request has one form; another form is answered with 400, and a request of no callback with 404.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.exceptions import BadRequest, NotFound

PATH = "/_dash-update-component"
DEEPEST = 32
"""Of lists and mappings within each other in what is sent."""


def check(asked: Any, callbacks: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise BadRequest or NotFound when `asked` is no request of one of Dash's `callbacks`, by output."""
    if not isinstance(asked, dict) or not isinstance(asked.get("output"), str):
        raise BadRequest("This is no request of a callback.")
    callback = callbacks.get(asked["output"])
    if callback is None or "callback" not in callback:
        raise NotFound("There is no such callback.")
    outputs = asked.get("outputs")
    if _places(outputs if isinstance(outputs, list) else [outputs]) != _outputs(asked["output"]):
        raise BadRequest("The outputs are not those of the callback.")
    for name, given in (("inputs", callback["inputs"]), ("state", callback["state"])):
        if _places(asked.get(name, [])) != _places(given):
            raise BadRequest(f"The {name} are not those of the callback.")
    changed = asked.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(each, str) for each in changed):
        raise BadRequest("What changed is no list of names.")
    if _is_deeper(asked, DEEPEST):
        raise BadRequest("The values are nested too deeply.")


def _outputs(key: str) -> list[tuple[str, str]]:
    parts = key[2:-2].split("...") if key.startswith("..") else [key]
    return [(id, prop.split("@")[0]) for id, prop in (part.rsplit(".", 1) for part in parts)]


def _places(items: Any) -> list[tuple[Any, Any]] | None:
    """Return id and property of each item; None when it is no list of such."""
    if not isinstance(items, list):
        return None
    places = [(item.get("id"), item.get("property")) for item in items if isinstance(item, dict)]
    return places if len(places) == len(items) else None


def _is_deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [inner for outer in level for inner in _within(outer)]
        if not level:
            return False
    return True


def _within(value: Any) -> Sequence[Any]:
    if isinstance(value, dict):
        return tuple(value.values())
    return value if isinstance(value, list) else ()
