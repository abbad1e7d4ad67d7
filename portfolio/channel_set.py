"""The channels in force, read anew whenever somebody changed what the state database has of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from core.alerts.channel_set import ChannelSet, KeptChannel, with_kept
from core.errors import StorageError
from core.memo import Memo
from core.settings.channels import Channel
from core.settings.model import Settings
from core.settings.routes import Route
from storage.state.channels import kept_channels_in

if TYPE_CHECKING:
    from storage.state.database import State
    from storage.stores import Stores

_READ: Memo[tuple[Settings, ChannelSet]] = Memo(4)
"""Beside the settings, so that their id is that of no others meanwhile."""
log = logging.getLogger(__name__)


def channel_set(stores: Stores) -> ChannelSet:
    """Return every channel. Without the state database those of the settings, and that the others are not known."""
    try:
        return known_channels(stores)
    except StorageError as error:
        problem = f"channels that were made here cannot be read: {error}"
        return ChannelSet(stores.settings.channels, (), stores.settings.routes, problem)


def known_channels(stores: Stores) -> ChannelSet:
    """Return every channel. Raises StorageError."""
    return channels_of(stores.settings, kept_channels(stores.state))


def channels_in_force(stores: Stores) -> Mapping[str, Channel]:
    """Return the channels by which something is sent, by name. Raises StorageError."""
    return known_channels(stores).in_force


def fallbacks_of_off(stores: Stores) -> Mapping[str, str]:
    """Return the fallbacks of channels that are switched off, by name. Raises StorageError."""
    own = known_channels(stores).own
    return {each.kept.name: each.channel.fallback for each in own if each.channel is not None and not each.kept.is_on}


def routes_in_force(stores: Stores) -> Sequence[Route]:
    """Return who is told of what. Raises StorageError."""
    return known_channels(stores).routes


def kept_channels(state: State) -> Sequence[KeptChannel]:
    """Return the channels that people made. Raises StorageError."""
    with state.reading() as connection:
        return kept_channels_in(connection)


def channels_of(settings: Settings, kept: Sequence[KeptChannel]) -> ChannelSet:
    """Return the channels of these settings and those that people made."""
    return _READ.get((id(settings), tuple(kept)), lambda: (settings, _read(settings, kept)))[1]


def _read(settings: Settings, kept: Sequence[KeptChannel]) -> ChannelSet:
    found = with_kept(settings.channels, settings.routes, kept)
    for each in found.own:
        if each.wrong:
            log.warning("alerts: the channel %s is left out: %s", each.kept.name, each.wrong)
    return found
