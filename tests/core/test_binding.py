"""Where the web server may listen: to others than this machine only under TLS, or behind a proxy that speaks it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings.binding import is_loopback
from core.settings.load import load_settings
from tests.support.certificates import self_signed


def load(monkeypatch: pytest.MonkeyPatch, folder: Path, **said: str) -> str:
    """Return what is wrong with settings; empty for nothing."""
    monkeypatch.chdir(folder)
    for name, value in said.items():
        monkeypatch.setenv(f"FUNDWATCH_{name.upper()}", value)
    try:
        load_settings()
    except SettingsError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_this_machine_s_own_addresses_need_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str) -> None:
    assert load(monkeypatch, tmp_path, host=host) == ""


@pytest.mark.parametrize("host", ["10.0.0.5", "fund.example", "0.0.0.0", "::", "2001:db8::1"])
def test_any_other_address_is_refused_with_both_ways_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str
) -> None:
    told = load(monkeypatch, tmp_path, host=host)
    assert f"FUNDWATCH_HOST={host}" in told
    assert all(name in told for name in ("FUNDWATCH_TLS_CERT", "FUNDWATCH_TLS_KEY", "FUNDWATCH_TRUSTED_PROXY"))
    assert load(monkeypatch, tmp_path, host=host, trusted_proxy="10.0.0.1", allowed_hosts="fund.example") == ""
    monkeypatch.delenv("FUNDWATCH_TRUSTED_PROXY")
    certificate, key = self_signed(tmp_path)
    assert load(monkeypatch, tmp_path, host=host, tls_cert=str(certificate), tls_key=str(key)) == ""


@pytest.mark.parametrize(
    ("host", "is_here"),
    [("127.0.0.1", True), ("::1", True), ("[::1]", True), ("localhost", True), ("::ffff:127.0.0.1", True),
     ("::ffff:10.0.0.7", False), ("10.0.0.7", False), ("127.0.0.1.example", False), ("", False)],
)  # fmt: skip
def test_this_machine_is_known_however_its_address_is_written(host: str, is_here: bool) -> None:
    assert is_loopback(host) == is_here


def test_every_address_needs_the_names_that_browsers_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "FUNDWATCH_ALLOWED_HOSTS" in load(monkeypatch, tmp_path, host="0.0.0.0", trusted_proxy="10.0.0.1")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"tls_cert": "c.pem"}, "belong together"),
        ({"tls_key": "k.pem"}, "belong together"),
        ({"tls_cert": "c.pem", "tls_key": "none.pem"}, "FUNDWATCH_TLS_KEY=none.pem: No such file"),
        ({"tls_cert": "none.pem", "tls_key": "k.pem"}, "FUNDWATCH_TLS_CERT=none.pem: No such file"),
        ({"tls_cert": "c.pem", "tls_key": "other-key.pem"}, "the private key that belongs to it"),
        ({"tls_cert": "k.pem", "tls_key": "c.pem"}, "must be a certificate in PEM"),
        ({"tls_cert": "c.pem", "tls_key": "locked-key.pem"}, "without a password"),
        ({"trusted_proxy": "10.0.0.0/33"}, "10.0.0.0/33"),
        ({"trusted_proxy": "10.0.0.1/24"}, "host bits"),
        ({"trusted_proxy": "proxy.example"}, "address or a network"),
        ({"trusted_proxy": "10.0.0.1,0.0.0.0/0"}, "every address"),
        ({"allowed_hosts": "https://fund.example"}, "without https://"),
        ({"allowed_hosts": "fund.example:443"}, "without a port"),
        ({"sign_in": "loopback-open", "trusted_proxy": "127.0.0.1"}, "FUNDWATCH_SIGN_IN=required"),
        ({"second_factor_roles": "admin,root"}, "'root' is no role"),
    ],
)
def test_what_cannot_be_is_named_with_the_fix(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: dict[str, str], told: str
) -> None:
    (certificate, key), _ = self_signed(tmp_path), self_signed(tmp_path, "other")
    certificate.rename(tmp_path / "c.pem"), key.rename(tmp_path / "k.pem")
    self_signed(tmp_path, "locked", b"secret")
    assert told in load(monkeypatch, tmp_path, **said)


def test_lists_are_texts_with_commas_or_lists_of_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "fundwatch.yaml").write_text("allowed_hosts: [Fund.Example, 10.0.0.5]\ntrusted_proxy: 10.0.0.1\n")
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert (settings.allowed_hosts, settings.trusted_proxy) == (("fund.example", "10.0.0.5"), ("10.0.0.1",))
    assert settings.host_names == {"127.0.0.1", "fund.example", "10.0.0.5"}


@pytest.mark.parametrize(
    ("address", "is_taken"),
    [
        ("https://fund.example", True), ("https://fund.example:8443/", True), ("", True),
        ("fund.example", False), ("https://fund.example/fundwatch", False), ("https://a:b@fund.example", False),
        ("ftp://fund.example", False), ("https://fund.example?x=1", False), ("https://", False),
        ("https://fund.example:port", False),
    ],
)  # fmt: skip
def test_where_links_of_messages_lead_is_an_address_without_a_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str, is_taken: bool
) -> None:
    told = load(monkeypatch, tmp_path, public_address=address)
    assert (told == "") is is_taken and (is_taken or "must be an address such as https://" in told)


def test_people_may_open_what_messages_lead_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FUNDWATCH_PUBLIC_ADDRESS", "https://fund.example:8443/")
    settings = load_settings()
    assert settings.links_lead_to == "https://fund.example:8443" and "fund.example" in settings.host_names
    monkeypatch.delenv("FUNDWATCH_PUBLIC_ADDRESS")
    assert load_settings().links_lead_to == "http://127.0.0.1:8050"
