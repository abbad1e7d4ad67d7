"""What the sample fund's instruments are: sectors (GICS), industries, where they trade, roughly how much."""

from __future__ import annotations

from dataclasses import dataclass

from storage.state.series import Blend, Series


@dataclass(frozen=True, slots=True)
class Listed:
    """One instrument."""

    name: str
    sector: str
    industry: str
    venue: str
    daily_volume: float
    """Shares a day, rounded to one or two figures: of the size of 2022, not its average."""
    asset_class: str = "equity"


ETF = "Factor ETF"
INSTRUMENTS = {
    "AAPL": Listed("Apple", "Information Technology", "Technology Hardware", "NASDAQ", 90e6),
    "AMD": Listed("AMD", "Information Technology", "Semiconductors", "NASDAQ", 90e6),
    "BAC": Listed("Bank of America", "Financials", "Banks", "NYSE", 45e6),
    "BBY": Listed("Best Buy", "Consumer Discretionary", "Specialty Retail", "NYSE", 3e6),
    "CVX": Listed("Chevron", "Energy", "Integrated Oil & Gas", "NYSE", 10e6),
    "GE": Listed("General Electric", "Industrials", "Industrial Conglomerates", "NYSE", 6e6),
    "HD": Listed("Home Depot", "Consumer Discretionary", "Specialty Retail", "NYSE", 4e6),
    "JNJ": Listed("Johnson & Johnson", "Health Care", "Pharmaceuticals", "NYSE", 7e6),
    "JPM": Listed("JPMorgan Chase", "Financials", "Banks", "NYSE", 13e6),
    "KO": Listed("Coca-Cola", "Consumer Staples", "Beverages", "NYSE", 16e6),
    "LLY": Listed("Eli Lilly", "Health Care", "Pharmaceuticals", "NYSE", 3e6),
    "MRK": Listed("Merck", "Health Care", "Pharmaceuticals", "NYSE", 10e6),
    "MSFT": Listed("Microsoft", "Information Technology", "Systems Software", "NASDAQ", 30e6),
    "PEP": Listed("PepsiCo", "Consumer Staples", "Beverages", "NASDAQ", 5e6),
    "PFE": Listed("Pfizer", "Health Care", "Pharmaceuticals", "NYSE", 25e6),
    "PG": Listed("Procter & Gamble", "Consumer Staples", "Household Products", "NYSE", 7e6),
    "RRC": Listed("Range Resources", "Energy", "Oil & Gas Exploration", "NYSE", 5e6),
    "UNH": Listed("UnitedHealth", "Health Care", "Managed Health Care", "NYSE", 3e6),
    "WMT": Listed("Walmart", "Consumer Staples", "Broadline Retail", "NYSE", 7e6),
    "XOM": Listed("Exxon Mobil", "Energy", "Integrated Oil & Gas", "NYSE", 23e6),
    "MTUM": Listed("iShares MSCI USA Momentum", ETF, "Momentum", "BATS", 0.8e6, "fund"),
    "QUAL": Listed("iShares MSCI USA Quality", ETF, "Quality", "BATS", 1.2e6, "fund"),
    "SIZE": Listed("iShares MSCI USA Size", ETF, "Size", "ARCA", 0.03e6, "fund"),
    "USMV": Listed("iShares MSCI USA Minimum Volatility", ETF, "Minimum volatility", "BATS", 3e6, "fund"),
    "VLUE": Listed("iShares MSCI USA Value", ETF, "Value", "BATS", 0.8e6, "fund"),
}


def series_of(origin: str) -> list[Series]:
    """Return what the state database knows of the instruments, under `origin`."""
    return [
        Series(
            origin, symbol, each.name, "total_return", "USD", asset_class=each.asset_class, sector=each.sector,
            industry=each.industry, country="US", daily_volume=each.daily_volume,
        )
        for symbol, each in INSTRUMENTS.items()
    ]  # fmt: skip


EQUAL_WEIGHTED = "EQW"
"""Id of the blend of all stocks: an honest benchmark whose constituents are known, which the index's are not."""


def blend_of(origin: str) -> Blend:
    """Return the benchmark that is made of the sample's stocks, under `origin`."""
    stocks = [symbol for symbol, each in INSTRUMENTS.items() if each.asset_class == "equity"]
    parts = tuple((symbol, 100.0 / len(stocks)) for symbol in stocks)
    return Blend(origin, EQUAL_WEIGHTED, "Equal-weighted stocks of the sample", parts, "monthly", "USD")
