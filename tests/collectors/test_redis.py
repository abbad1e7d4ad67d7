"""Watching a Redis: against the real Valkey under load, and against servers that behave badly."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from collectors.redis import RedisCollector
from core.watch.redis import RedisSource
from tests.support.bad_servers import BEHAVIOURS, assert_survives

TIMEOUT_SECONDS = 0.5


def source(url: str, **given: object) -> RedisSource:
    return RedisSource(name="main", url=SecretStr(url), timeout_seconds=TIMEOUT_SECONDS, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_server_that_behaves_badly_is_outlived_and_told_apart(behaviour: str) -> None:
    said = assert_survives(lambda host, port: RedisCollector(source(f"redis://{host}:{port}")), behaviour)
    words = {
        "refuses": "nothing listens at",
        "silent": "no answer from",
        "garbage": "not Redis",
        "drip": "no answer from",
        "hangs_up": "closed the connection",
    }
    assert words[behaviour] in said
