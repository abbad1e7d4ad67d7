"""Channels and routes in the settings: a mistake names its place, and no secret is ever repeated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import SettingsError
from core.settings.channels import KINDS
from core.settings.load import load_settings
from core.settings.model import Settings

HOOK = {"name": "hook", "url": "https://x.example/hunter2"}
MAIL = {"name": "mail", "host": "h", "user": "u", "password": "hunter2", "sender": "a@b.c", "to": ["d@e.f"]}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(monkeypatch: pytest.MonkeyPatch, routes: Any = (), **channels: Any) -> Settings:
    for kind, items in channels.items():
        monkeypatch.setenv(f"FUNDWATCH_CHANNELS__{kind.upper()}", json.dumps(items))
    monkeypatch.setenv("FUNDWATCH_ROUTES", json.dumps(routes))
    return load_settings()


def test_the_example_of_each_kind_is_valid() -> None:
    import yaml

    for kind, model in KINDS.items():
        for item in yaml.safe_load("\n".join(model.EXAMPLE))[kind]:
            model.model_validate(item)


def test_channels_have_names_and_their_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, webhook=[HOOK], email=[MAIL])
    assert set(settings.channels.every()) == {"mail", "hook", "log"}
    assert [*settings.channels.every()["mail"].secrets()] == ["hunter2"]
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("channels", "told"),
    [
        ({"webhook": [{**HOOK, "url": "hunter2"}]}, "channels.webhook[0].url (environment): must be a URL"),
        ({"webhook": [{**HOOK, "headers": {"A": "hunter2\n"}}]}, "headers (environment): A must be one line of ASCII"),
        ({"webhook": [{**HOOK, "headers": {"Host": "hunter2"}}]}, "Host belongs to the request itself"),
        ({"webhook": [{**HOOK, "secert": "hunter2"}]}, "unknown setting; did you mean secret?"),
        ({"webhook": [HOOK, {**HOOK}]}, "two channels are named hook"),
        ({"webhook": [{**HOOK, "fallback": "hook"}]}, "hook: its fallback hook is no other channel"),
        ({"email": [{**MAIL, "security": "none"}]}, "security none would send the password in the clear"),
        ({"email": [{**MAIL, "user": ""}]}, "user is missing"),
        ({"email": [{**MAIL, "to": ["d@e.f\nBcc: g@h.i"]}]}, "must be an address such as"),
        ({"email": [{**MAIL, "host": "http://127.0.0.1:25"}]}, "must be the name of a server alone"),
        ({"slack": [{"name": "s"}]}, "give either url or token"),
        ({"slack": [{"name": "s", "token": "hunter2"}]}, "channel is missing"),
        ({"sms": [{"name": "s", "account": "A1", "token": "hunter2", "sender": "+15550100", "to": "911"}]}, "to"),
    ],
)
def test_a_mistake_in_a_channel_is_one_line_without_a_secret(
    monkeypatch: pytest.MonkeyPatch, channels: Any, told: str
) -> None:
    with pytest.raises(SettingsError) as error:
        loaded(monkeypatch, **channels)
    assert told in str(error.value) and "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("route", "told"),
    [
        ({"receivers": ["desk"]}, "routes[0]: there is no channel desk; there are log"),
        ({"receivers": ["log"], "escalation": [{"after": "5 min", "receivers": ["desk"]}]}, "no channel desk"),
        ({"receivers": ["log"], "escalation": [{"after": "5 parsec", "receivers": ["log"]}]}, "is no span of time"),
        ({"receivers": ["log"], "severities": ["worst"]}, "must be one of info, warning, critical or urgent"),
        ({"receivers": ["log"], "hours": "8-9"}, "routes[0].hours='8-9' (environment): must be hours such as"),
        ({"receivers": ["log"], "hours": "08:00-08:00"}, "begin and end at the same time"),
        ({"receivers": ["log"], "time_zone": "Mars/Base"}, "is no time zone"),
        ({"receivers": ["log"], "labels": {"host": "("}}, "is no regular expression"),
        ({}, "routes[0].receivers (environment): is missing"),
    ],
)
def test_a_mistake_in_a_route_names_it(monkeypatch: pytest.MonkeyPatch, route: Any, told: str) -> None:
    with pytest.raises(SettingsError) as error:
        loaded(monkeypatch, [route])
    assert told in str(error.value)
