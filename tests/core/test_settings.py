"""Settings: where they come from, and how a mistake is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from core.errors import SettingsError
from core.kinds.base import masked
from core.settings.load import allowed, leaves, load_settings, variable
from core.settings.model import Settings
from core.settings.text import example_yaml, settings_page

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(("FUNDWATCH_", "DASH_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def problem(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        load_settings()
    return str(error.value)


def test_environment_wins_over_file_wins_over_default(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("fundwatch.yaml").write_text("port: 9000\nrefresh_seconds: 15\nretention: {raw_days: 3}\n")
    monkeypatch.setenv("FUNDWATCH_PORT", "9001")
    monkeypatch.setenv("FUNDWATCH_RETENTION__HOUR_DAYS", "100")
    settings = load_settings()
    assert (settings.port, settings.refresh_seconds, settings.host) == (9001, 15, "127.0.0.1")
    assert (settings.retention.raw_days, settings.retention.hour_days, settings.retention.minute_days) == (3, 100, 90)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"FUNDWATCH_PORT": "abc"}, ["FUNDWATCH_PORT='abc'", "environment", "whole number", "65535"]),
        ({"FUNDWATCH_PORT": "0"}, ["FUNDWATCH_PORT", "≥ 1"]),
        ({"FUNDWATCH_PROT": "1"}, ["FUNDWATCH_PROT", "unknown", "FUNDWATCH_PORT"]),
        ({"FUNDWATCH_HOST": "0.0.0.0"}, ["FUNDWATCH_HOST=0.0.0.0", "FUNDWATCH_TLS_CERT", "FUNDWATCH_TRUSTED_PROXY"]),
        ({"FUNDWATCH_HOST": "192.168.1.5"}, ["FUNDWATCH_HOST=192.168.1.5", "FUNDWATCH_TRUSTED_PROXY"]),
        ({"FUNDWATCH_REFRESH_SECONDS": "7"}, ["FUNDWATCH_REFRESH_SECONDS", "one of 1, 5, 15, 30, 60"]),
        ({"FUNDWATCH_REDIS_URL": "http://x"}, ["FUNDWATCH_REDIS_URL", "redis://"]),
        ({"FUNDWATCH_SOURCES__SYSTEM": "perhaps"}, ["FUNDWATCH_SOURCES__SYSTEM='perhaps'", "true or false"]),
        ({"FUNDWATCH_CLICKHOUSE_CLUSTER": "prod"}, ["FUNDWATCH_CLICKHOUSE_CLUSTER", "FUNDWATCH_CLICKHOUSE_URL"]),
        ({"FUNDWATCH_THRESHOLDS__CPU_WARNING_RATIO": "0.9"}, ["cpu_warning_ratio (0.9)", "cpu_critical_ratio (0.8)"]),
        ({"FUNDWATCH_CONFIG": "/nowhere.yaml"}, ["FUNDWATCH_CONFIG=/nowhere.yaml", "no such file"]),
        ({"DASH_DEBUG": "true"}, ["DASH_DEBUG", "must be unset"]),
    ],
)
def test_a_mistake_in_the_environment_is_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], told: list[str]
) -> None:
    text = problem(monkeypatch, **environment)
    assert len(text.splitlines()) == 1
    for part in told:
        assert part in text


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("prot: 1", ["prot (fundwatch.yaml)", "unknown", "port"]),
        ("retention: {raw_dys: 1}", ["retention.raw_dys (fundwatch.yaml)", "retention.raw_days"]),
        ("retention: {raw_days: -1}", ["retention.raw_days=-1 (fundwatch.yaml)", "≥ 1"]),
        ("port: [1", ["fundwatch.yaml, line 1, column 9: cannot be read as YAML: expected ',' or ']'"]),
        (
            "port: 1\nwatch:\n\tredis: []\n",
            ["fundwatch.yaml, line 3, column 1: cannot be read as YAML: found character"],
        ),
        ("just words", ["fundwatch.yaml", "name: value"]),
        ("portfolios: fund", ["portfolios='fund' (fundwatch.yaml): must be a list of id, name, parent"]),
        ("portfolios: [{name: Fund}]", ["portfolios[0].id (fundwatch.yaml, line 1): is missing"]),
        (
            "portfolios: [{id: a}, {id: b, currency: euro}]",
            ["portfolios[1].currency='euro' (fundwatch.yaml, line 1): give three"],
        ),
        (
            "portfolios: [{id: a, curency: EUR}]",
            ["portfolios[0].curency (fundwatch.yaml, line 1): unknown", "mean currency?"],
        ),
        ("portfolios: [{id: a, inception: [1]}]", ["portfolios[0].inception (fundwatch.yaml, line 1): must be a text"]),
        (
            "portfolios: [{id: a, inception: 2020-13-01}]",
            ["cannot be read as YAML: month must be"],
        ),
        ("portfolios: [{id: a}, {id: a}]", ["portfolios", "two portfolios have the id a"]),
    ],
)
def test_a_mistake_in_the_file_is_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, content: str, told: list[str]
) -> None:
    Path("fundwatch.yaml").write_text(content)
    text = problem(monkeypatch)
    assert len(text.splitlines()) == 1
    for part in told:
        assert part in text


def test_portfolios_of_the_file_say_only_what_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    items = "[{id: a, inception: 2020-01-31, colour: 3, ended: '', note: }, {id: 7}]"
    Path("fundwatch.yaml").write_text(f"portfolios: {items}")
    first, second = load_settings().portfolios
    assert (first.id, first.given()) == ("a", {"inception": "2020-01-31", "ended": "", "colour": "3"})
    assert (second.id, second.given()) == ("7", {})
    monkeypatch.setenv("FUNDWATCH_PORTFOLIOS", '[{"id": "b", "currency": "EUR"}]')
    assert [each.given() for each in load_settings().portfolios] == [{"currency": "EUR"}]
    assert "FUNDWATCH_PORTFOLIOS (environment): must be a list as JSON" in problem(
        monkeypatch, FUNDWATCH_PORTFOLIOS="["
    )


MAIN = '{"name": "main", "url": "redis://me:hunter2@10.0.0.9"}'


def test_watched_sources_come_from_the_environment_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNDWATCH_WATCH__REDIS", f"[{MAIN}]")
    watched = load_settings().watch.redis[0]
    assert (watched.collector, watched.component, watched.interval_seconds) == ("redis:main", "Redis main", 5)
    assert "hunter2" not in repr(watched) and "hunter2" in watched.url.get_secret_value()
    assert masked(watched.url) == "redis://me@10.0.0.9"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("nope hunter2", ["FUNDWATCH_WATCH__REDIS (environment)", "list as JSON"]),
        (f"[{MAIN}, {MAIN}]", ["watch.redis: two instances are named main"]),
        (f"[{MAIN.replace('main', 'own')}]", ["watch.redis", "own belongs to Fundwatch's own"]),
        (f"[{MAIN.replace('main', 'my main')}]", ["watch.redis[0].name"]),
        (f"[{MAIN.replace('hunter2', 'hunter2/x')}]", ["watch.redis[0].url", "write %2F, %3F or %23"]),
        (f"[{MAIN.replace('redis:', 'http:')}]", ["watch.redis[0].url", "redis:// or rediss:// or unix://"]),
        (f'[{MAIN.replace("}", ", " + chr(34) + "intervall_seconds" + chr(34) + ": 1}")}]',
         ["watch.redis[0].intervall_seconds of main (environment): unknown setting; did you mean interval_seconds?"]),
        ('{"hunter2": 1}', ["watch.redis", "must be a list of name"]),
    ],
)  # fmt: skip
def test_a_mistake_in_a_watched_source_names_its_place_and_keeps_its_secrets(
    monkeypatch: pytest.MonkeyPatch, given: str, told: list[str]
) -> None:
    text = problem(monkeypatch, FUNDWATCH_WATCH__REDIS=given)
    assert len(text.splitlines()) == 1 and "hunter2" not in text
    for part in told:
        assert part in text


@pytest.mark.parametrize(
    ("kind", "given", "told"),
    [
        (
            "heartbeat",
            {"token": "hunter2"},
            "watch.heartbeat[0].token of main (environment): must have at least 8 characters",
        ),
        (
            "iqfeed",
            {"calendar": "XNYX"},
            "watch.iqfeed[0].calendar of main (environment): must be a market that exchange_calendars knows, and XNYX "
            "is none",
        ),
    ],
)
def test_a_short_token_and_an_unknown_market_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, kind: str, given: dict[str, str], told: str
) -> None:
    variable_name = f"FUNDWATCH_WATCH__{kind.upper()}"
    text = problem(monkeypatch, **{variable_name: json.dumps([{"name": "main", **given}])})
    assert told in text and "hunter2" not in text


def test_a_mistake_in_one_of_many_jobs_names_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = {"daily": "0 3 * * *", "weekly": "0 3 * * someday"}
    listed = ", ".join(f"{{name: {name}, token: a-long-token, schedule: '{when}'}}" for name, when in jobs.items())
    Path("fundwatch.yaml").write_text(f"watch: {{heartbeat: [{listed}]}}\n")
    told = "watch.heartbeat[1] of weekly (fundwatch.yaml): schedule must be a cron line such as"
    assert problem(monkeypatch).startswith(told)


def test_several_mistakes_are_all_told(monkeypatch: pytest.MonkeyPatch) -> None:
    text = problem(monkeypatch, FUNDWATCH_PORT="x", FUNDWATCH_WEB_THREADS="0")
    assert len(text.splitlines()) == 2


def test_a_password_in_a_url_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hunter2" not in problem(monkeypatch, FUNDWATCH_CLICKHOUSE_URL="ftp://me:hunter2@host")


def test_every_setting_is_described_and_says_what_it_may_be() -> None:
    for path, field in leaves():
        assert field.description and field.description.endswith("."), variable(path)
        assert allowed(path), variable(path)


def test_the_example_file_is_what_the_code_says_and_is_valid() -> None:
    text = (ROOT / "fundwatch.example.yaml").read_text()
    assert text == example_yaml()
    # A line "# name: value" is a setting, a line "# # text" explains it.
    lines = [
        line[2:] for line in text.splitlines()[2:] if line.startswith("# ") and not line[2:].lstrip().startswith("#")
    ]
    settings = Settings(**yaml.safe_load("\n".join(line for line in lines if ":" in line)))
    assert settings.model_dump(exclude={"machine"}) == Settings().model_dump(exclude={"machine"})


def test_the_page_of_settings_has_them_all() -> None:
    assert settings_page() == (ROOT / "docs" / "settings.md").read_text()


def test_nothing_else_reads_the_environment() -> None:
    readers = {
        str(file.relative_to(ROOT))
        for folder in ("core", "storage", "analytics", "collectors", "sample", "dashboard")
        for file in (ROOT / folder).rglob("*.py")
        if any(word in file.read_text() for word in ("os.environ", "getenv"))
    }
    assert readers <= {"core/settings/model.py", "core/settings/load.py"}
