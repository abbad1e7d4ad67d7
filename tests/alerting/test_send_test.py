"""`python -m alerting send-test`: a person tries a channel and reads what became of it."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from alerting.__main__ import main
from core.alerts.channel_set import KeptChannel
from core.settings.load import load_settings
from storage.state.channels import add_channel
from storage.state.database import State
from tests.support.receivers import Receiver, Reply


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "fundwatch.yaml"
    monkeypatch.setenv("FUNDWATCH_CONFIG", str(file))
    monkeypatch.setenv("FUNDWATCH_DATA_DIR", str(tmp_path / "data"))
    return file


def test_what_was_answered_is_printed_and_the_exit_says_what_became_of_it(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Receiver(Reply(), Reply(403, b'{"error": "no"}')) as receiver:
        hook = f"{{name: oms, url: '{receiver.url}/in?key=hush-hush-hush'}}"
        config.write_text(f"channels: {{webhook: [{hook}]}}\n")
        assert main(["send-test", "oms", "--who", "ana"]) == 0
        assert capsys.readouterr().out.startswith("oms: delivered")
        assert "asked for by ana" in receiver.received[0].body.decode()
        assert main(["send-test", "oms"]) == 1
        said = capsys.readouterr()
        assert said.out == "" and said.err.startswith("oms: not delivered: ") and "403" in said.err
        assert "hush" not in said.err
    assert main(["send-test", "oms"]) == 1, "nobody is there any more"
    capsys.readouterr()
    assert main(["send-test", "omss"]) == 2
    assert "there is no channel omss. Did you mean oms?" in capsys.readouterr().err


def test_a_channel_that_was_made_on_the_page_is_tried_too(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text("{}\n")
    with Receiver(Reply()) as receiver:
        state = State(load_settings().state_dsn)
        state.migrate()
        body = orjson.dumps({"url": f"{receiver.url}/in?key=hush-hush-hush"}).decode()
        made = KeptChannel("oms", "webhook", body, ("warning",), "{}", False, "root", 1.0, "root", 1.0)
        add_channel(state, made, "")
        state.close()
        assert main(["send-test", "oms"]) == 0, "also one that is switched off"
        assert len(receiver.received) == 1 and "hush" not in repr(made)
        capsys.readouterr()
