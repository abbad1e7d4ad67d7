"""`python -m dashboard.users`, on the state database of a Fundwatch that may be running."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dashboard.users import main
from storage.state.audit import read_entries
from storage.state.database import State

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return what runs a command on a folder and gives its exit code and what it printed."""
    monkeypatch.setenv("FUNDWATCH_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("FUNDWATCH_PORT", "8123")

    def run(*arguments: str) -> tuple[int, str]:
        code = main(list(arguments))
        told = capsys.readouterr()
        return code, told.out + told.err

    return run


def test_an_account_from_its_making_to_its_end(command: Command, state: State) -> None:
    assert command("add", "Boss", "--role", "admin")[0] == 0
    code, told = command("add", "ana")
    assert code == 0 and re.search(r"http://127\.0\.0\.1:8123/sign-in/link\?key=[\w-]{43}$", told.strip())
    assert command("role", "ana", "operator") == (0, "ana is operator now.\n")
    assert command("disable", "ana")[0] == 0
    code, told = command("list")
    assert re.search(r"^ana +operator +every portfolio +disabled +never$", told, re.MULTILINE)
    assert "Enable the account first" in command("reset", "ana")[1]
    assert command("enable", "ana")[0] == 0
    assert "/sign-in/link?key=" in command("reset", "ana", "--without-second-factor")[1]
    done = [(each.who, each.what) for each in read_entries(state)]
    assert {"account added", "role changed", "account disabled", "account enabled", "sign-in link made"} == {
        what for _, what in done
    }
    assert {who for who, _ in done} == {"command line"}


def test_an_account_is_linked_to_who_it_is_at_the_provider(
    command: Command, monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    command("add", "boss", "--role", "admin")
    command("add", "ana")
    assert "set oidc first" in command("link", "ana", "--subject", "1")[1]
    for name, value in (("ISSUER", "https://id.bank.example"), ("CLIENT_ID", "x"), ("ROLES", '{"a": "viewer"}')):
        monkeypatch.setenv(f"FUNDWATCH_OIDC__{name}", value)
    assert command("link", "Ana", "--subject", "1") == (0, "ana signs in at https://id.bank.example from now on.\n")
    assert "OpenID provider" in command("list")[1]
    assert read_entries(state)[0].detail == "to https://id.bank.example 1"


def test_what_is_refused_names_the_field_and_the_way_out(command: Command, state: State) -> None:
    command("add", "boss", "--role", "admin")
    for arguments, said in (
        (("role", "bos", "viewer"), "Did you mean boss?"),
        (("disable", "boss"), "only admin"),
        (("add", "boss"), "choose another name"),
        (("add", "new", "--portfolio", "macro"), "There is no portfolio macro"),
    ):
        code, told = command(*arguments)
        assert code == 1 and said in told and told.startswith("fundwatch: "), arguments


def test_tokens_are_listed_under_headings_and_one_that_is_not_there_is_told_plainly(
    command: Command, state: State
) -> None:
    command("token", "add", "robot", "--scope", "read")
    code, told = command("token", "list")
    heads, row = told.splitlines()
    assert code == 0 and re.split("  +", heads) == ["number", "for", "of", "scopes", "sees", "state", "last used"]
    assert re.fullmatch(r"1 +robot +a service +read +every portfolio +expires \d{4}-\d\d-\d\d +never", row)
    assert command("token", "revoke", "99") == (
        1, "fundwatch: There is no token 99: give the number of one in the list.\n",
    )  # fmt: skip


def test_a_folder_without_fundwatch_is_told_and_stays_empty(command: Command, tmp_path: Path) -> None:
    code, told = command("list")
    assert code == 2 and "start Fundwatch once" in told
    assert not list(tmp_path.iterdir())
