"""The fields of a channel as a form has them, made of the models of the settings, and what was typed as those have it.

No secret is ever put into a field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

import yaml
from dash import html

from core.alerts.files import NO_YAML
from core.errors import ChangeRejected
from core.settings.channel_fields import secret_fields
from core.settings.channels import KINDS, Channel
from dashboard.components.form import Options, long_field, select_field, text_field, tick
from dashboard.views.form import Sent
from storage.state.channels import NOT_SAVED

FALLBACK = "fallback"
DROPS = "drop_"
"""What the name of a box begins with that takes a secret away."""
KEPT = "Kept: leave it empty to keep it."
UNITS = {"_seconds": " (s)"}
SHORT = {"url": "URL", "ca": "CA", "api": "API"}


def field_of(id: str, kind: str, name: str, channel: Channel | None, others: Options) -> list[html.Div]:
    """Return a field of the form of a channel; channel: the one that is changed, None: a new one.

    others: what may be chosen as its fallback.
    """
    model = KINDS[kind]
    field, value = model.model_fields[name], _value(model, name, channel)
    label, hint, of = _label(name), field.description or "", field.annotation
    if name in secret_fields(kind):
        return _secret(id, name, label, hint, value, is_needed=field.is_required())
    if name == FALLBACK:
        return [select_field(id, name, label, [("", "none"), *others], str(value or ""), hint=hint)]
    if get_origin(of) is Literal:
        return [select_field(id, name, label, [(each, each) for each in get_args(of)], str(value), hint=hint)]
    if get_origin(of) is dict:
        text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True) if value else ""
        return [long_field(id, name, label, text, hint=f"{hint} As YAML or JSON.", most=4_000, is_code=True)]
    if get_origin(of) is tuple:
        return [text_field(id, name, label, ", ".join(map(str, value or ())), hint=f"{hint} With commas between them.")]
    shown = f"{value:g}" if isinstance(value, float) else "" if value is None else str(value)
    return [text_field(id, name, label, shown, hint=hint)]


def fields_sent(kind: str, sent: Sent) -> dict[str, Any]:
    """Return what was typed, as the model of the kind takes it. Raises ChangeRejected, beside the field."""
    found: dict[str, Any] = {}
    for name, field in KINDS[kind].model_fields.items():
        text, of = sent[name], field.annotation
        if name == "name":
            continue
        if name in secret_fields(kind):
            found[name] = _lines(name, text) if get_origin(of) is dict else text
            if not text and sent[f"{DROPS}{name}"]:
                found[name] = None
        elif not text:
            continue
        elif get_origin(of) is dict:
            found[name] = _yaml(name, text)
        elif get_origin(of) is tuple:
            found[name] = [each.strip() for each in text.replace("\n", ",").split(",") if each.strip()]
        else:
            found[name] = text
    return found


def _value(model: type[Channel], name: str, channel: Channel | None) -> Any:
    if channel is not None:
        return getattr(channel, name)
    field = model.model_fields[name]
    return None if field.is_required() else field.get_default()


def _label(name: str) -> str:
    unit = next((each for each in UNITS if name.endswith(each)), "")
    words = " ".join(SHORT.get(word, word) for word in name.removesuffix(unit).split("_"))
    return f"{words[:1].upper()}{words[1:]}{UNITS.get(unit, '')}"


def _lower(label: str) -> str:
    return label if label.isupper() else label.lower()


def _secret(id: str, name: str, label: str, hint: str, value: Any, *, is_needed: bool) -> list[html.Div]:
    if isinstance(value, Mapping):
        # A name without a value stands for the value that is kept.
        text = "".join(f"{each}: \n" for each in value)
        told = f"{hint} A line each, such as X-Desk: risk."
        told += " One without a value keeps it; without its line it is gone." if value else ""
        return [long_field(id, name, label, text, hint=told, most=4_000, is_code=True)]
    is_set = bool(value and value.get_secret_value())
    box = text_field(id, name, label, hint=f"{KEPT} {hint}" if is_set else hint, type="password")
    if not is_set or is_needed:
        return [box]
    return [box, tick(id, f"{DROPS}{name}", f"Take the {_lower(label)} away")]


def _lines(name: str, text: str) -> dict[str, str]:
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        of, colon, value = line.partition(":")
        if not colon or not of.strip():
            # The line itself may be a secret: it is not repeated.
            raise ChangeRejected(NOT_SAVED, {name: "has a line without a colon; write X-Desk: risk"})
        found[of.strip()] = value.strip()
    return found


def _yaml(name: str, text: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(text)
    except NO_YAML as error:
        raise ChangeRejected(NOT_SAVED, {name: f"cannot be read as YAML: {' '.join(str(error).split())}"}) from error
    if not isinstance(content, dict):
        raise ChangeRejected(NOT_SAVED, {name: "must be a group of `name: value`"})
    return content
