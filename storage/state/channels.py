"""Channels that people make, each change in the audit as well. That they can be is known to the caller.

Their secrets stand here and nowhere else: what is told in the audit is given by the caller, without them.
"""

from __future__ import annotations

import sqlalchemy as sa

from core.alerts.channel_set import KeptChannel
from core.errors import ChangeRejected
from storage.state.alert_tables import alert_channels
from storage.state.audit import Entry, add_entry
from storage.state.database import State, Transaction

WHO_CHARACTERS = 80
NOT_SAVED, NOT_DELETED, NOT_SWITCHED = "Nothing was saved.", "Nothing was deleted.", "Nothing was switched."

_of = alert_channels.c


def kept_channels_in(connection: Transaction) -> tuple[KeptChannel, ...]:
    """Return every channel that people made, by name."""
    return tuple(map(_channel, connection.execute(sa.select(alert_channels).order_by(_of.name))))


def add_channel(state: State, channel: KeptChannel, detail: str) -> None:
    """Keep a new channel. Raises ChangeRejected: there is one of this name, StorageUnavailable."""
    with state.begin() as connection:
        if (known := _known(connection, channel.name)) is not None:
            reason = f"{known.made_by} made a channel {channel.name}; give another name, or edit that one"
            raise ChangeRejected(NOT_SAVED, {"name": reason})
        connection.execute(sa.insert(alert_channels).values(**_row(channel)))
        add_entry(connection, _entry(channel, "made", detail))


def change_channel(state: State, channel: KeptChannel, detail: str) -> None:
    """Keep a channel as it is now; its version: the one that was seen and one.

    Raises ChangeRejected: it was changed or deleted meanwhile, StorageUnavailable.
    """
    with state.begin() as connection:
        known = _known(connection, channel.name)
        if known is None:
            raise ChangeRejected(NOT_SAVED, {"name": f"{channel.name} was deleted meanwhile; make a new one"})
        seen = sa.update(alert_channels).where(_of.name == channel.name, _of.version == channel.version - 1)
        if not connection.execute(seen.values(**_row(channel))).rowcount:
            reason = f"{known.changed_by} changed {channel.name} meanwhile; load it anew, and make the change there"
            raise ChangeRejected(NOT_SAVED, {"name": reason})
        add_entry(connection, _entry(channel, "changed", detail))


def delete_channel(state: State, name: str, who: str, now: float) -> None:
    """Delete a channel with its secrets. Raises ChangeRejected: there is none, StorageUnavailable."""
    with state.begin() as connection:
        if not connection.execute(sa.delete(alert_channels).where(_of.name == name)).rowcount:
            raise ChangeRejected(NOT_DELETED, {"name": f"there is no channel {name} that was made here"})
        add_entry(connection, Entry(now, who[:WHO_CHARACTERS], "alert channel deleted", name))


def switch_channel(state: State, name: str, who: str, now: float, *, on: bool) -> None:
    """Switch a channel on or off. Raises ChangeRejected: there is none, it is so already; StorageUnavailable."""
    word = "on" if on else "off"
    with state.begin() as connection:
        if (known := _known(connection, name)) is None:
            raise ChangeRejected(NOT_SWITCHED, {"name": f"there is no channel {name} that was made here"})
        if known.is_on == on:
            raise ChangeRejected(NOT_SWITCHED, {"name": f"{name} is switched {word} already"})
        values = {"is_on": on, "changed_by": who[:WHO_CHARACTERS], "changed_at": now, "version": known.version + 1}
        connection.execute(sa.update(alert_channels).where(_of.name == name).values(**values))
        add_entry(connection, Entry(now, who[:WHO_CHARACTERS], f"alert channel switched {word}", name))


def _known(connection: Transaction, name: str) -> KeptChannel | None:
    row = connection.execute(sa.select(alert_channels).where(_of.name == name)).first()
    return _channel(row) if row is not None else None


def _channel(row: sa.Row[tuple[object, ...]]) -> KeptChannel:
    of = row._mapping
    severities = tuple(each for each in of["severities"].split(",") if each)
    return KeptChannel(**{**of, "severities": severities})


def _row(channel: KeptChannel) -> dict[str, object]:
    return {
        "name": channel.name, "kind": channel.kind, "body": channel.body, "severities": ",".join(channel.severities),
        "labels": channel.labels, "is_on": channel.is_on, "made_by": channel.made_by[:WHO_CHARACTERS],
        "made_at": channel.made_at, "changed_by": channel.changed_by[:WHO_CHARACTERS],
        "changed_at": channel.changed_at, "version": channel.version,
    }  # fmt: skip


def _entry(channel: KeptChannel, what: str, detail: str) -> Entry:
    return Entry(channel.changed_at, channel.changed_by[:WHO_CHARACTERS], f"alert channel {what}", channel.name,
                 detail=detail)  # fmt: skip
