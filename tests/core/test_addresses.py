"""Hosts and ports as they are written."""

from __future__ import annotations

import pytest

from core.addresses import host_and_port


@pytest.mark.parametrize(
    ("host", "written"),
    [("127.0.0.1", "127.0.0.1:80"), ("db.fund.example", "db.fund.example:80"), ("::1", "[::1]:80")],
)
def test_an_address_of_ipv6_stands_in_brackets(host: str, written: str) -> None:
    assert host_and_port(host, 80) == written
