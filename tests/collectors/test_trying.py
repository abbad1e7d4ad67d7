"""`python -m collectors try NAME` says what a source answers; its exit code says whether that is fine."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from collectors.__main__ import main
from storage.state.database import State
from storage.state.pings import pings
from tests.support.dns_server import DnsServer
from tests.support.redis_servers import RedisServer


def test_a_source_is_read_once_and_the_exit_code_says_how_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with RedisServer(tmp_path / "redis", requirepass="right") as server:
        url = "redis://:{}@127.0.0.1:" + str(server.port)
        Path("fundwatch.yaml").write_text(
            "watch:\n  redis:\n"
            f"    - {{name: main, url: '{url.format('right')}'}}\n"
            f"    - {{name: locked, url: '{url.format('hunter2')}'}}\n"
        )
        assert main(["try", "main"]) == 0
        told = capsys.readouterr().out
        assert "Redis main: ok: " in told and " values in " in told
        assert main(["try", "redis:locked"]) == 1
        told = capsys.readouterr().out
        assert told.startswith("redis:locked: refused: ") and "hunter2" not in told
    assert main(["try", "main"]) == 1
    assert "redis:main: down: nothing listens at" in capsys.readouterr().out
    assert main(["try", "processes"]) in (0, 1)
    capsys.readouterr()
    assert not (tmp_path / "data").exists(), "to try a source makes no data folder"


def test_a_job_is_tried_where_fundwatch_has_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fundwatch.yaml").write_text("watch: {heartbeat: [{name: nightly, token: a-long-token}]}\n")
    assert main(["try", "nightly"]) == 1
    assert "Heartbeat nightly: unknown: has never pinged" in capsys.readouterr().out


def test_to_try_a_job_does_not_begin_to_watch_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'state.sqlite'}"
    Path("fundwatch.yaml").write_text(
        f"state_url: {url}\nwatch: {{heartbeat: [{{name: nightly, token: a-long-token}}]}}\n"
    )
    with closing(State(url)) as state:
        state.migrate()
    assert main(["try", "nightly"]) == 1
    with closing(State(url)) as state, state.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(pings)).scalar() == 0


def test_what_cannot_be_tried_is_told_with_what_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fundwatch.yaml").write_text("watch: {tcp: [{name: gate, host: 127.0.0.1, port: 1}]}\n")
    assert main(["try", "gait"]) == 2
    assert "there is no source gait; there are system, processes, tcp:gate, redis:own" in capsys.readouterr().err
    assert main(["try", "mysql:main"]) == 2
    assert "there is no kind mysql; there are clickhouse, postgresql, redis" in capsys.readouterr().err


def test_what_other_readings_would_tell_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with DnsServer({("db.fund.example", "A"): ["10.0.0.4"]}) as server:
        asked = f"{{name: db, domain: db.fund.example, server: 127.0.0.1, port: {server.port}, expects: [10.0.0.4]}}"
        closed = "{name: gate, host: 127.0.0.1, port: 1, retries: 3}"
        Path("fundwatch.yaml").write_text(f"watch: {{dns: [{asked}], tcp: [{closed}]}}\n")
        assert main(["try", "db"]) == 0
        assert "10.0.0.4" in capsys.readouterr().out
    assert main(["try", "gate"]) == 1
    assert "gate: down: " in capsys.readouterr().out
