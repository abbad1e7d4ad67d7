"""Channels that people make here: checked as those of fundwatch.yaml are, saved, switched, deleted, exported.

A secret comes in and never goes out: what is not given anew stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from core.alerts.channel_set import MADE_HERE, ChannelSet, KeptChannel, OwnChannel
from core.alerts.check import nearest
from core.alerts.spec import ALERTS
from core.errors import ChangeRejected
from core.format import first_of
from core.settings.channel_fields import LEADS, revealed, secret_fields, shown
from core.settings.channels import KINDS, Channel
from core.settings.lines import line_of
from core.settings.model import config_file
from core.settings.plain import must_be
from core.settings.routes import OwnRoute
from portfolio.channel_set import known_channels
from storage.state.channels import (
    NOT_DELETED,
    NOT_SAVED,
    NOT_SWITCHED,
    add_channel,
    change_channel,
    delete_channel,
    switch_channel,
)

if TYPE_CHECKING:
    from storage.stores import Stores

SETTINGS = "fundwatch.yaml"
TOLD_OF = ("warning", "critical", "urgent")
"""What a new channel is told of unless somebody says otherwise."""
ABOUT_EXPORT = (
    "# Channels that were made here, for fundwatch.yaml. Secrets are left out: write each where … stands.\n"
    "# The routes come before those that are there. Without any there, add {receivers: [log]} as the last one.\n"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A channel as somebody wants it."""

    name: str
    kind: str
    fields: Mapping[str, Any] = field(repr=False)
    """Of its kind, but the name. A secret that is left out or empty stays as it is, None takes it away."""
    severities: Sequence[str] = TOLD_OF
    labels: Mapping[str, str] = field(default_factory=dict)
    """What labels of alerts must be, as a route of the settings has it."""


def save(stores: Stores, wanted: Wanted, who: str, *, version: int = 0) -> KeptChannel:
    """Keep a channel: a new one, or another form of the one of this name that was seen at `version`.

    Raises ChangeRejected with the mistakes by field, StorageUnavailable.
    """
    found = known_channels(stores)
    mine = found.made(wanted.name)
    _check_name(stores, found, wanted, mine, version)
    channel = _checked(wanted, mine.kept if mine and version else None)
    if channel.fallback and channel.fallback not in {*found.every()} - {wanted.name}:
        raise ChangeRejected(NOT_SAVED, {"fallback": f"there is no other channel {channel.fallback}; choose one"})
    route, now = _route(wanted), stores.clock.now()
    before = mine.kept if mine and version else None
    kept = KeptChannel(
        wanted.name, wanted.kind, orjson.dumps(revealed(channel)).decode(), route.severities,
        orjson.dumps(route.labels).decode(), before.is_on if before else True, before.made_by if before else who,
        before.made_at if before else now, who, now, version + 1,
    )  # fmt: skip
    detail = _told(channel, route, _given(wanted))
    (change_channel if version else add_channel)(stores.state, kept, detail)
    stores.live.bump(ALERTS)
    return kept


def delete(stores: Stores, name: str, who: str) -> None:
    """Delete a channel that was made here. Raises ChangeRejected: it stands in the settings, or others need it."""
    found = known_channels(stores)
    _must_be_made(stores, found, name, NOT_DELETED)
    users = [each.kept.name for each in found.own if each.channel and each.channel.fallback == name]
    if users:
        told = f"{name} is the fallback of {first_of(users)}; choose another one there first"
        raise ChangeRejected(NOT_DELETED, {"name": told})
    delete_channel(stores.state, name, who, stores.clock.now())
    stores.live.bump(ALERTS)


def switch(stores: Stores, name: str, who: str, *, on: bool) -> None:
    """Switch a channel that was made here off, or on again. Raises ChangeRejected: there is none, it is so already."""
    found = known_channels(stores)
    _must_be_made(stores, found, name, NOT_SWITCHED)
    if (mine := found.made(name)) is not None and mine.channel is None:
        raise ChangeRejected(NOT_SWITCHED, {"name": f"{name} is left out: {mine.wrong}"})
    switch_channel(stores.state, name, who, stores.clock.now(), on=on)
    stores.live.bump(ALERTS)


def exported(found: ChannelSet, name: str = "") -> str:
    """Return a channel that was made here, or all of them, as fundwatch.yaml has them, without their secrets.

    Raises ChangeRejected: there is no such channel.
    """
    mine = [each for each in found.own if name in ("", each.kept.name)]
    if name and not mine:
        raise ChangeRejected("Nothing was exported.", {"name": f"there is no channel {name} that was made here"})
    channels: dict[str, list[Any]] = {}
    for each in mine:
        if each.channel is not None:
            channels.setdefault(each.kept.kind, []).append({"name": each.kept.name, **shown(each.channel)})
    routes = [_route_fields(each.route) for each in mine if each.route is not None and each.kept.is_on]
    content = {"channels": channels, "routes": routes}
    return ABOUT_EXPORT + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


def place_of(found: ChannelSet, name: str) -> str:
    """Return where a channel of the settings stands: "fundwatch.yaml, line 12"; empty: it is always there."""
    channel = found.configured.every()[name]
    items = getattr(found.configured, channel.KIND)
    if channel not in items:
        return ""
    line = line_of(config_file(), ("channels", channel.KIND, items.index(channel)))
    return f"{config_file().name}, line {line}" if line else "the settings of the environment"


def _check_name(stores: Stores, found: ChannelSet, wanted: Wanted, mine: OwnChannel | None, version: int) -> None:
    name = wanted.name
    if name in found.configured.every():
        where = place_of(found, name)
        told = f"stands in {where}; change it there, or give another name" if where else "is always there; give another"
        raise ChangeRejected(NOT_SAVED, {"name": f"{name} {told}"})
    if wanted.kind not in MADE_HERE:
        raise ChangeRejected(NOT_SAVED, {"kind": f"there is none such; there are {', '.join(MADE_HERE)}"})
    if not version:
        return
    if mine is None:
        raise ChangeRejected(NOT_SAVED, {"name": f"there is no channel {name} that was made here"})
    if mine.kept.kind != wanted.kind:
        told = f"it is {mine.kept.kind} for ever; make another channel, and delete this one"
        raise ChangeRejected(NOT_SAVED, {"kind": told})


def _checked(wanted: Wanted, before: KeptChannel | None) -> Channel:
    """Return the channel that is wanted. Raises ChangeRejected with what is wrong by field; no secret is repeated."""
    model = KINDS[wanted.kind]
    fields = {**_with_secrets(wanted, before.fields if before else {}), "name": wanted.name}
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        wrong: dict[str, str] = {}
        for each in error.errors(include_url=False, include_input=False):
            name, told = _mistake(model, each)
            wrong.setdefault(name, told)
        raise ChangeRejected(NOT_SAVED, wrong) from None  # what was given, secrets too, stands in the cause


def _mistake(model: type[Channel], problem: ErrorDetails) -> tuple[str, str]:
    """Return the field of a mistake, and what to write there instead."""
    name = str(problem["loc"][0]) if problem["loc"] else ""
    if problem["type"] == "missing":
        return name, f"is missing: {model.model_fields[name].description}"
    if problem["type"] == "extra_forbidden":
        return name, f"is none of the fields of {model.KIND}. {nearest(name, model.model_fields)}".strip()
    told = must_be(problem)
    if not name:
        # Of fields that do not go together: beside the first that is named.
        words = told.replace(":", " ").replace(",", " ").split()
        name = next((word for word in words if word in model.model_fields), "name")
    return name, told


def _with_secrets(wanted: Wanted, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that are wanted, with the secrets before where none is given.

    Raises ChangeRejected: they would be sent elsewhere, where whoever changes the address could read them.
    """
    secrets = secret_fields(wanted.kind) if wanted.kind in KINDS else frozenset()
    fields = {name: value for name, value in wanted.fields.items() if name not in secrets}
    stays: list[str] = []
    for name in secrets:
        given, had = wanted.fields.get(name, ""), before.get(name)
        if isinstance(given, Mapping):
            of = had if isinstance(had, Mapping) else {}
            stays += [name for key, value in given.items() if not value and of.get(key)]
            fields[name] = {key: value or of.get(key, "") for key, value in given.items()}
        elif given:
            fields[name] = given
        elif given is not None and had:
            fields[name] = had
            stays.append(name)
    if stays and (moved := [*_moved(wanted, before)]):
        told = f"give it again: {first_of(moved)} changed, and what is kept goes to no other place"
        raise ChangeRejected(NOT_SAVED, dict.fromkeys(stays, told))
    return fields


def _moved(wanted: Wanted, before: Mapping[str, Any]) -> Iterator[str]:
    """Yield the fields that say where it is sent, and say otherwise than before."""
    model, secrets = KINDS[wanted.kind], secret_fields(wanted.kind)
    for name in sorted(LEADS & set(model.model_fields)):
        default = model.model_fields[name].get_default()
        given = wanted.fields.get(name)
        if name in secrets:
            if given and given != before.get(name):
                yield name
        elif str(given if given not in (None, "") else default) != str(before.get(name, default)):
            yield name


def _route(wanted: Wanted) -> OwnRoute:
    if not wanted.severities:
        raise ChangeRejected(
            NOT_SAVED, {"severities": "choose one at least; switch the channel off to tell it nothing"}
        )
    fields = {
        "severities": [*dict.fromkeys(wanted.severities)],
        "labels": {**wanted.labels},
        "receivers": [wanted.name],
    }
    try:
        return OwnRoute.model_validate(fields)
    except ValidationError as error:
        of = {"labels": "labels", "severities": "severities"}
        wrong = {of.get(str(each["loc"][0]) if each["loc"] else "", "labels"): must_be(each) for each in error.errors()}
        raise ChangeRejected(NOT_SAVED, wrong) from error


def _route_fields(route: OwnRoute) -> dict[str, Any]:
    found: dict[str, Any] = {"severities": [*route.severities]}
    if route.labels:
        found["labels"] = {**route.labels}
    return {**found, "receivers": [*route.receivers], "goes_on": True}


def _given(wanted: Wanted) -> list[str]:
    """Return the secrets that are given anew."""
    return sorted(name for name in secret_fields(wanted.kind) if _is_given(wanted.fields.get(name)))


def _is_given(value: Any) -> bool:
    return any(value.values()) if isinstance(value, Mapping) else bool(value)


def _told(channel: Channel, route: OwnRoute, given: Sequence[str]) -> str:
    """Return what the audit has of a channel: no secret, and which ones were given."""
    of = {channel.KIND: {"name": channel.name, **shown(channel)}, "route": _route_fields(route)}
    told = yaml.safe_dump(of, sort_keys=False, allow_unicode=True, width=120)
    return f"{told}# given: {', '.join(given)}\n" if given else told


def _must_be_made(stores: Stores, found: ChannelSet, name: str, reason: str) -> None:
    if found.made(name) is not None:
        return
    if name in found.configured.every():
        where = place_of(found, name)
        told = f"{name} stands in {where}; change it there" if where else f"{name} is always there"
        raise ChangeRejected(reason, {"name": told})
    there = [each.kept.name for each in found.own]
    raise ChangeRejected(reason, {"name": f"there is no channel {name}. {nearest(name, there)}".strip()})
