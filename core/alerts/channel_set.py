"""The channels in force: those of the settings, and those that people made; and the routes that lead to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from pydantic import ValidationError

from core.settings.channels import KINDS, LOG, Channel, Channels
from core.settings.plain import must_be
from core.settings.routes import OwnRoute, Route, routes_of

MADE_HERE = tuple(kind for kind in KINDS if kind != LOG)
"""Kinds of channels that people make: the log is always there."""


@dataclass(frozen=True, slots=True)
class KeptChannel:
    """A channel as the state database has it. Times are epoch seconds."""

    name: str
    kind: str
    body: str = field(repr=False)
    """Its fields that are not so by default, as JSON, with its secrets: it is shown to nobody."""
    severities: tuple[str, ...]
    """That it is told of."""
    labels: str
    """What labels of these must be, as a route has it, as JSON."""
    is_on: bool
    made_by: str
    made_at: float
    changed_by: str
    changed_at: float
    version: int = 1
    """Counts its changes: who changes it says which one he has seen."""

    @property
    def fields(self) -> dict[str, object]:
        """Return its fields, with its secrets."""
        found: dict[str, object] = orjson.loads(self.body)
        return found


@dataclass(frozen=True, slots=True)
class OwnChannel:
    """A channel that people made."""

    kept: KeptChannel
    channel: Channel | None
    """None: it is left out."""
    route: OwnRoute | None
    wrong: str = ""
    """Why it is left out; empty: it is not."""

    @property
    def is_in_force(self) -> bool:
        """Whether it is told of anything."""
        return self.channel is not None and self.kept.is_on


@dataclass(frozen=True, slots=True)
class ChannelSet:
    """Every channel."""

    configured: Channels
    """Those of the settings."""
    own: tuple[OwnChannel, ...] = ()
    """Those that people made, by name."""
    configured_routes: Sequence[Route] = ()
    problem: str = ""
    """Why those that people made are not known; empty: they are."""

    @property
    def in_force(self) -> Mapping[str, Channel]:
        """Return every channel by which something is sent, by its name; the log is always there."""
        own = {each.kept.name: each.channel for each in self.own if each.channel is not None and each.kept.is_on}
        return {**self.configured.every(), **own}

    @property
    def routes(self) -> tuple[Route, ...]:
        """Return the routes in force: those of channels that people made, and those of the settings."""
        own = [each.route for each in self.own if each.route is not None and each.is_in_force]
        return (*own, *routes_of(self.configured_routes, self.configured))

    def every(self) -> Mapping[str, Channel]:
        """Return every channel by its name, those that are switched off among them."""
        own = {each.kept.name: each.channel for each in self.own if each.channel is not None}
        return {**self.configured.every(), **own}

    def made(self, name: str) -> OwnChannel | None:
        """Return the channel of a name that people made; None: they made none."""
        return next((each for each in self.own if each.kept.name == name), None)


def with_kept(configured: Channels, routes: Sequence[Route], kept: Sequence[KeptChannel]) -> ChannelSet:
    """Return the channels of the settings with those that people made: one with a mistake is left out alone.

    Of two of one name that of the settings counts.
    """
    taken = configured.every()
    return ChannelSet(configured, tuple(_own(each, taken) for each in kept), tuple(routes))


def _own(kept: KeptChannel, taken: Mapping[str, Channel]) -> OwnChannel:
    if kept.name in taken:
        told = (
            f"the settings have a channel {kept.name} too, and that counts: delete this one, or name that one otherwise"
        )
        return OwnChannel(kept, None, None, told)
    if kept.kind not in MADE_HERE:
        return OwnChannel(
            kept, None, None, f"there is no kind {kept.kind} of channel; there are {', '.join(MADE_HERE)}"
        )
    try:
        channel = KINDS[kept.kind].model_validate({**kept.fields, "name": kept.name})
        route = OwnRoute(severities=kept.severities, labels=orjson.loads(kept.labels), receivers=(kept.name,))
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, each['loc']))}: {must_be(each)}".removeprefix(": ") for each in error.errors()]
        return OwnChannel(kept, None, None, "; ".join(wrong))
    return OwnChannel(kept, channel, route)
