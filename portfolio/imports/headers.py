"""What a column is by its header: the words that spreadsheets, brokers and price pages use.

Accents, case, blanks and what stands in brackets do not count.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from core.currency import CURRENCIES

_WORDS = {
    "date": (
        "date datum day tag timestamp datetime datetimeutc dateutc timestamputc datetag asof asofdate "
        "valuationdate navdate tradedate pricedate valuedate reportdate reportingdate businessdate enddate "
        "dateend stichtag bewertungstag bewertungsdatum kursdatum handelstag periodend periodending monthend "
        "month monat period periode fecha jour dato pvm data"
    ),
    "time": "time uhrzeit zeit heure hora timeutc",
    "portfolio": (
        "portfolio fund account fonds portefeuille portfolioname fundname accountname fondsname portfolioid "
        "fundid accountid portfoliocode fundcode accountnumber accountno strategy strategie strategyname book "
        "sleeve konto depot compte cuenta conto fondo fondsbezeichnung subfund teilfonds mandate mandat"
    ),
    "instrument": "instrument ticker symbol security isin ric wertpapier wkn cusip indexname",
    "nav": (
        "nav netassetvalue netassetvalues navtotal totalnav closingnav endingnav navpershare navpershareusd "
        "navperunit navshare value totalvalue endingvalue endvalue marketvalue totalmarketvalue portfoliovalue "
        "accountvalue fundvalue equity totalequity accountequity equityvalue balance closingbalance endingbalance "
        "netliq netliquidation netliquidationvalue netliquidatingvalue netliquidity aum netassets totalnetassets "
        "totalassets wert gesamtwert marktwert depotwert portfoliowert vermogen nettovermogen fondsvermogen "
        "nettoinventarwert inventarwert anteilwert anteilswert rucknahmepreis kontostand saldo guthaben valeur "
        "unitprice unitvalue shareprice sharevalue priceperunit pricepershare "
        "valeurliquidative valeurtotale actifnet vl vni valor valorliquidativo valore valorequota patrimonio"
    ),
    "rate": (
        "rate rates interestrate interestrates riskfree riskfreerate overnightrate policyrate depositrate yield zins "
        "zinsen zinssatz zinssatze taux tauxdinteret tasso"
    ),
    "price": (
        "adjclose adjustedclose adjclosing adjcloseprice adjustedcloseprice closeadj closeadjusted close closing "
        "closeprice closingprice last lastprice pxlast price settle settlement settlementprice kurs schlusskurs "
        "schluss cours coursdecloture cloture cierre chiusura precio prezzo prix indexlevel level"
    ),
    "return": (
        "return returns ret rets rendite renditen performance perf dailyreturn dailyreturns dayreturn "
        "monthlyreturn monthlyreturns weeklyreturn weeklyreturns periodreturn netreturn netreturns totalreturn "
        "totalreturns pctreturn returnpct returnspct percentreturn returnpercent returninpercent renditeinprozent "
        "renditeprozent simplereturn twr twrr rendement rendimiento rendimento wertentwicklung tagesrendite "
        "monatsrendite"
    ),
    "flow": (
        "flow flows cashflow cashflows netflow netflows netcashflow netcashflows externalflow externalflows "
        "externalcashflow capitalflow capitalflows deposit deposits netdeposit netdeposits depositwithdrawal "
        "depositswithdrawals depositsandwithdrawals depositsminuswithdrawals contribution contributions "
        "netcontribution netcontributions subscription subscriptions netsubscriptions inflow inflows einzahlung "
        "einzahlungen einauszahlung einauszahlungen mittelfluss mittelzufluss zufluss zuflusse nettozufluss "
        "nettozuflusse flux apport apports versement versements aportacion aportaciones transfer transfers"
    ),
    "withdrawal": (
        "withdrawal withdrawals outflow outflows redemption redemptions auszahlung auszahlungen entnahme "
        "entnahmen abfluss abflusse retrait retraits rachat rachats"
    ),
    "currency": "currency ccy curr wahrung devise moneda valuta currencycode basecurrency",
    "skip": (
        "open high low volume vol dividend dividends stocksplit stocksplits split splits capitalgains turnover "
        "openinterest eroffnung eroffnungskurs hoch tief hochst tiefst volumen umsatz ouverture haut bas unnamed0 "
        "nr no row note notes comment comments remark remarks bemerkung bemerkungen kommentar source quelle "
        "description shares units sharesoutstanding anteile anzahlanteile"
    ),
}
_TIMESTAMP = "ts"
"""Of rows that programs send. Written in small letters alone: TS is a symbol."""
_ROLES = {word: role for role, words in _WORDS.items() for word in words.split()}
_ADJUSTED = frozenset(word for word in _ROLES if word.startswith(("adj", "closeadj")))
_BRACKETS = re.compile(r"[(\[{].*?[)\]}]")
_CURRENCY = re.compile(rf"\b({'|'.join(CURRENCIES)})\b")
_TOTAL_RETURN = re.compile(r"total.?return|\b(TR|NTR|GTR)\b", re.IGNORECASE)
_PAIR = re.compile(r"\s*(?:/|&|\+|,|;|\||[-–−]|\band\b|\bund\b|\bet\b|\bminus\b|\bless\b)\s*", re.IGNORECASE)
_PER_SHARE = re.compile(r"(per|/)\s*(share|unit)|(unit|share)\s*(price|value)|anteils?wert|rucknahmepreis|valorequota")
_PERCENT = re.compile(r"%|\b(pct|percent|prozent|pourcent)|(pct|percent|prozent)$", re.IGNORECASE)


@lru_cache(maxsize=4096)
def role_of(header: object) -> str | None:
    """Return what a column of this header is (one of mapping.ROLES); None: the header tells nothing."""
    if not isinstance(header, str):
        return None
    if header.strip() == _TIMESTAMP:
        return "date"
    for text in (header, _BRACKETS.sub(" ", header), _CURRENCY.sub(" ", _BRACKETS.sub(" ", header))):
        role = _ROLES.get(word_of(text)) or _ROLES.get(word_of(re.sub(r"\bin\s*$", "", text.strip())))
        if role is not None:
            return role
    return _flow_of_both(_CURRENCY.sub(" ", _BRACKETS.sub(" ", header)))


def _flow_of_both(header: str) -> str | None:
    """Return "flow" for a header that names money in and money out, such as "Subscriptions/Redemptions"; else None."""
    roles = {_ROLES.get(word_of(part)) for part in _PAIR.split(header.strip()) if part}
    return "flow" if roles == {"flow", "withdrawal"} else None


def is_per_share(header: str) -> bool:
    """Return whether a header says that its values are of a share or a unit, and so no money of the whole portfolio."""
    plain = unicodedata.normalize("NFKD", _BRACKETS.sub(" ", header).lower())
    return _PER_SHARE.search("".join(each for each in plain if not unicodedata.combining(each))) is not None


def is_adjusted(header: str) -> bool:
    """Return whether a column of prices is adjusted for dividends and splits."""
    return word_of(_BRACKETS.sub(" ", header)) in _ADJUSTED


def is_total_return(header: str) -> bool:
    """Return whether a column says that dividends are in its prices or returns."""
    return is_adjusted(header) or _TOTAL_RETURN.search(header) is not None


def is_percent(header: str) -> bool:
    """Return whether a header says that its numbers are percent."""
    return _PERCENT.search(header.strip()) is not None


def currency_of(header: str) -> str:
    """Return the currency that a header names, such as "NAV (EUR)"; empty: none."""
    found = _CURRENCY.search(header)
    return found[1] if found else ""


def word_of(header: str) -> str:
    """Return a header as small letters and digits without accents, blanks and signs."""
    plain = unicodedata.normalize("NFKD", header.lower().replace("ß", "ss").replace("ø", "o"))
    return "".join(letter for letter in plain if letter.isalnum())
