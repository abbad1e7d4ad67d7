"""What each address and each callback needs of who asks: declared where it is registered, and kept here.

Data routes (routes.py) and forms (forms.py) declare theirs as they are installed, callbacks as they are registered with
`callback`. What declares nothing is answered by none of these, and a test that walks all of them fails.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import Forbidden

from access.viewer import Viewer
from core.roles import Role

if TYPE_CHECKING:
    from dash import Dash
    from flask import Flask

RULES, CALLBACKS = "fundwatch-rule-roles", "fundwatch-callback-roles"
"""Keys of Flask.extensions: the least role by endpoint, and by Dash's name of the outputs."""
OF_DASH = frozenset(
    {"/", "/<path:path>", "/_dash-layout", "/_dash-dependencies", "/_dash-update-component", "/_reload-hash"}
)
"""What Dash itself answers: behind the guard, for anybody who may see something. Pages and callbacks ask for theirs."""


def declare(server: Flask, role: Role, endpoints: Iterable[str]) -> None:
    """Say which role is the least that `endpoints` of a server answer; they ask for it themselves."""
    server.extensions.setdefault(RULES, {}).update(dict.fromkeys(endpoints, role))


def declare_rules(server: Flask, role: Role, rules: Collection[str]) -> None:
    """Say which role is the least that the addresses `rules`, which are there, answer; they ask for it themselves."""
    declare(server, role, [each.endpoint for each in server.url_map.iter_rules() if each.rule in rules])


def callback(app: Dash, *places: Any, role: Role, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Register a callback as `app.callback` does, for viewers of this role or more: others are answered with 403."""

    def register(answer: Callable[..., Any]) -> Any:
        known = set(app.callback_map)
        made = app.callback(*places, **options)(answer)
        kept = app.server.extensions.setdefault(CALLBACKS, {})
        kept.update(dict.fromkeys(set(app.callback_map) - known, role))
        return made

    return register


def rule_roles(server: Flask) -> Mapping[str, Role]:
    """Return the least role of each endpoint that declared one."""
    return server.extensions.setdefault(RULES, {})  # type: ignore[no-any-return]


def callback_roles(server: Flask) -> Mapping[str, Role]:
    """Return the least role of each callback that declared one, by Dash's name of its outputs."""
    return server.extensions.setdefault(CALLBACKS, {})  # type: ignore[no-any-return]


def ask(role: Role | None, viewer: Viewer) -> None:
    """Raise Forbidden unless the viewer has the role; None: what was asked for declares nothing."""
    if role is None:
        raise Forbidden("This does not say what it needs: nobody may ask for it.")
    if viewer.role < role:
        raise Forbidden(needs(role, "do this"))


def needs(role: Role, what: str) -> str:
    """Return the sentence for a viewer whose role is too low: what is refused (such as "import files"), and the way."""
    return f"Only {holders(role)} {what}. An admin can give you the role, on the page Users."


def holders(role: Role) -> str:
    """Return who has this role or more: "operators and admins"."""
    *others, last = (f"{each.word}s" for each in Role if each >= role)
    return f"{', '.join(others)} and {last}" if others else last
