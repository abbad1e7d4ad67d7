"""Numbers in the sentences of components."""

from __future__ import annotations


def percent(ratio: float) -> str:
    """Return a ratio in percent: two decimals below 10, one above."""
    return f"{ratio * 100:.2f} %" if ratio < 0.1 else f"{ratio * 100:.1f} %"


def size(amount: float) -> str:
    """Return bytes in binary units, three significant figures."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 999.5:
            return f"{amount:.3g} {unit}"
        amount /= 1024
    return f"{amount:.3g} PiB"


def duration(seconds: float) -> str:
    """Return a duration in its two largest units, in whole minutes."""
    if seconds < 60:
        return "under a minute"
    minutes = round(seconds / 60)
    days, hours, minutes = minutes // 1_440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h" if days < 10 else f"{days} d"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
