"""Currencies, and the symbols that price one in another."""

from __future__ import annotations

import re
from typing import NamedTuple

ASSUMED_CURRENCY = "USD"
"""Of a portfolio whose currency nobody told."""
CURRENCIES = (
    *("USD", "EUR", "GBP", "CHF", "JPY", "AUD", "CAD", "NZD", "SEK", "NOK", "DKK", "HKD", "SGD", "CNY", "INR"),
    *("PLN", "CZK", "HUF", "BRL", "MXN", "ZAR", "KRW", "ILS", "TRY", "AED", "SAR", "THB", "TWD"),
)
"""Those that are known by their letters alone. Of all there are, many are words too (ALL, TOP)."""
_CODES = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF CLP "
    "CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF "
    "IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD "
    "MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB "
    "RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD "
    "UYU UZS VED VES VND VUV WST XAF XAG XAU XCD XCG XDR XOF XPD XPF XPT YER ZAR ZMW ZWG "
    "ANG BGN BYR CUC HRK LTL LVL MRO SLL STD VEF ZWL"
)
ISO_4217 = frozenset(_CODES.split())
"""Codes of ISO 4217 (list one of January 2026: currencies, metals, SDR), and those withdrawn since 2014."""
NO_CURRENCY = "give a code of ISO 4217 such as EUR"
CASH = "CASH"
"""Symbol of what earns the risk-free rate: cash among positions, and in a blend."""
_PAIR = re.compile(r"([A-Z]{3})[/ ._-]?([A-Z]{3})(=X)?")


class Pair(NamedTuple):
    """What one unit of `base` costs in `quote`: EURUSD is dollars for one euro (ISO 4217 codes, base first)."""

    base: str
    quote: str

    def __str__(self) -> str:
        return f"{self.base}{self.quote}"


def unknown_currency(code: str) -> str:
    """Return what to give instead of three capitals that are no currency; empty for those of one that is, or was.

    It is asked when a currency is decided, not when one that was decided is read.
    """
    return f"there is no currency {code}: {NO_CURRENCY}" if len(code) == 3 and code not in ISO_4217 else ""


def pair_of(symbol: str) -> Pair | None:
    """Return the currencies of a symbol such as EURUSD, EUR/USD, EURUSD=X or eurusd; None: it is no pair."""
    found = _PAIR.fullmatch(symbol.strip().upper())
    if found is None or found[1] == found[2] or not {found[1], found[2]} <= set(CURRENCIES):
        return None
    return Pair(found[1], found[2])
