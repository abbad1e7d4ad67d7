"""Channels as fields: which of them are secrets, and what of a channel may be shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args, get_origin

import yaml
from pydantic import SecretStr

from core.settings.channels import KINDS, Channel

PLACEHOLDER = "…"
"""What stands for a secret where a channel is written out."""
LEADS = frozenset({"host", "port", "api", "url", "security", "ca_file"})
"""Fields that say where a channel sends, or who is believed to be there: with another one its secrets would go to
somebody else."""


@cache
def secret_fields(kind: str) -> frozenset[str]:
    """Return the fields of a kind that hold secrets: a text, or a text for each name."""
    fields = KINDS[kind].model_fields
    return frozenset(name for name, field in fields.items() if _is_secret(field.annotation))


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(map(_is_secret, get_args(annotation)))


@cache
def fields_of(kind: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the fields of a kind but its name: those that its example has, required ones first and groups last, and
    the others.
    """
    model = KINDS[kind]
    named = {name for item in yaml.safe_load("\n".join(model.EXAMPLE))[kind] for name in item}
    fields = {name: field for name, field in model.model_fields.items() if name != "name"}
    first = [name for name in fields if name in named or fields[name].is_required()]
    first.sort(key=lambda name: (get_origin(fields[name].annotation) is dict, not fields[name].is_required()))
    return tuple(first), tuple(name for name in fields if name not in first)


def revealed(channel: Channel) -> dict[str, Any]:
    """Return the fields of a channel that are not so by default, but its name, secrets in the clear.

    For the state database alone.
    """
    return _fields(channel, is_hidden=False)


def shown(channel: Channel) -> dict[str, Any]:
    """Return the same with a placeholder for each secret that is set."""
    return _fields(channel, is_hidden=True)


def _fields(channel: Channel, *, is_hidden: bool) -> dict[str, Any]:
    found = channel.model_dump(exclude={"name"}, exclude_defaults=True)
    return {name: _plain(value, is_hidden=is_hidden) for name, value in found.items()}


def _plain(value: Any, *, is_hidden: bool) -> Any:
    if isinstance(value, SecretStr):
        return PLACEHOLDER if is_hidden and value.get_secret_value() else value.get_secret_value()
    if isinstance(value, Mapping):
        return {name: _plain(each, is_hidden=is_hidden) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each, is_hidden=is_hidden) for each in value]
    return value
