"""In whose hours a portfolio trades: the zone of its exchange, else of the main one of its currency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.state.portfolios import Portfolio

OF_EXCHANGE: Mapping[str, str] = {
    "XNYS": "America/New_York", "XNAS": "America/New_York", "CMES": "America/Chicago", "XCBF": "America/Chicago",
    "XTSE": "America/Toronto", "BVMF": "America/Sao_Paulo", "XLON": "Europe/London", "XPAR": "Europe/Paris",
    "XAMS": "Europe/Amsterdam", "XFRA": "Europe/Berlin", "XETR": "Europe/Berlin", "XEUR": "Europe/Berlin",
    "XMIL": "Europe/Rome", "XMAD": "Europe/Madrid", "XSWX": "Europe/Zurich", "XSTO": "Europe/Stockholm",
    "XOSL": "Europe/Oslo", "XCSE": "Europe/Copenhagen", "XTKS": "Asia/Tokyo", "XHKG": "Asia/Hong_Kong",
    "XSES": "Asia/Singapore", "XSHG": "Asia/Shanghai", "XBOM": "Asia/Kolkata", "XKRX": "Asia/Seoul",
    "XASX": "Australia/Sydney", "XNZE": "Pacific/Auckland", "XJSE": "Africa/Johannesburg",
}  # fmt: skip
OF_CURRENCY: Mapping[str, str] = {
    "USD": "America/New_York", "CAD": "America/Toronto", "BRL": "America/Sao_Paulo", "GBP": "Europe/London",
    "EUR": "Europe/Paris", "CHF": "Europe/Zurich", "SEK": "Europe/Stockholm", "NOK": "Europe/Oslo",
    "DKK": "Europe/Copenhagen", "JPY": "Asia/Tokyo", "HKD": "Asia/Hong_Kong", "SGD": "Asia/Singapore",
    "CNY": "Asia/Shanghai", "INR": "Asia/Kolkata", "KRW": "Asia/Seoul", "AUD": "Australia/Sydney",
    "NZD": "Pacific/Auckland", "ZAR": "Africa/Johannesburg",
}  # fmt: skip


def session_zone(portfolio: Portfolio) -> str:
    """Return the time zone, UTC where neither calendar nor currency says one."""
    return OF_EXCHANGE.get(portfolio.calendar) or OF_CURRENCY.get(portfolio.currency, "UTC")
