"""Numbers as people read them, on pages and in sentences. None and NaN become "n/a"; the minus sign is −."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

NOT_AVAILABLE = "n/a"
FARTHEST = 1e15
"""A number from here on is written with a power of ten."""
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_MONEY = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))
_DURATIONS = ((86_400 * 365, "y"), (86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
SCALES: Mapping[str, Sequence[tuple[float, str]]] = {
    "bytes": ((1024.0**3, "GiB"), (1024.0**2, "MiB"), (1024.0, "KiB"), (1.0, "B")),
    "bytes/s": ((1024.0**3, "GiB/s"), (1024.0**2, "MiB/s"), (1024.0, "KiB/s"), (1.0, "B/s")),
    "seconds": ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "ratio": ((0.01, "%"),),
    "count": ((1e6, "M"), (1e3, "K"), (1.0, "")),
    "/s": ((1e6, "M/s"), (1e3, "K/s"), (1.0, "/s")),
}
"""Scales of a unit, coarsest first: the first that the highest value reaches is used."""


def percent(ratio: float | None, *, signed: bool = False) -> str:
    """Return a ratio as percent: two decimals below 10, one above. 0.0123 → "1.23 %"."""
    if ratio is None or not math.isfinite(ratio):
        return NOT_AVAILABLE
    value = ratio * 100
    if _is_beyond(value):
        return f"{_scientific(value, signed)} %"
    return f"{_fixed(value, 2 if abs(value) < 9.995 else 1, signed)} %"


def points(difference: float | None, *, signed: bool = True) -> str:
    """Return the difference of two ratios in percentage points. 0.0173 → "+1.73 pp": of 34.3 % that is no 1.73 %."""
    return percent(difference, signed=signed).replace(" %", " pp")


def ratio(value: float | None, *, signed: bool = False) -> str:
    """Return a ratio such as Sharpe with two decimals."""
    if value is None or not math.isfinite(value):
        return NOT_AVAILABLE
    return _scientific(value, signed) if _is_beyond(value) else _fixed(value, 2, signed)


def number(value: float | None, decimals: int = 0, *, signed: bool = False) -> str:
    """Return a number with narrow spaces between thousands. 12345.6 → "12 346"; one with more digits than can be read
    one by one with a power of ten.
    """
    if value is None or not math.isfinite(value):
        return NOT_AVAILABLE
    return _scientific(value, signed) if _is_beyond(value) else _fixed(value, decimals, signed)


def count(amount: float | None, singular: str, plural: str = "") -> str:
    """Return how many there are of something: "1 row", "12 000 rows"; `plural` where it is more than an s."""
    return f"{number(amount)} {noun(amount, singular, plural)}"


def noun(amount: float | None, singular: str, plural: str = "") -> str:
    """Return the noun alone that stands behind an amount: "row" behind 1, else "rows" or `plural`."""
    return singular if number(amount) == "1" else plural or f"{singular}s"


def cores_of(cores: float | None) -> str:
    """Return a number of cores, of which a container may have a part: "0.50 cores", "1 core", "4 cores"."""
    if cores is None or not math.isfinite(cores):
        return NOT_AVAILABLE
    return count(cores, "core") if cores == round(cores) else f"{number(cores, 2)} cores"


def tenths(value: float | None) -> str:
    """Return a number with one decimal. 12.34 → "12.3"."""
    return number(value, 1)


def money(value: float | None, currency: str = "", *, signed: bool = False) -> str:
    """Return an amount in K/M/B with three significant figures. 12_412_345 → "12.4 M"."""
    if value is None or not math.isfinite(value):
        return NOT_AVAILABLE
    if _is_beyond(value) or 0 < abs(value) < 0.005:
        return f"{_scientific(value, signed)}{' ' + currency if currency else ''}"
    text = _scaled_money(abs(value))
    sign = "−" if value < 0 and any(c in "123456789" for c in text) else "+" if signed and value > 0 else ""
    return f"{sign}{text}{' ' + currency if currency else ''}"


def money_change(was: float, now: float) -> str:
    """Return two amounts with as many figures as it takes to tell them apart. 10.2 M, 10.4 M → "10.2 M → 10.4 M"."""
    short = money(was), money(now)
    before, after = short if short[0] != short[1] else (number(was, 2), number(now, 2))
    if before == after and was != now:
        before, after = f"{was:.17g}", f"{now:.17g}"
    return f"{before} → {after}"


def bytes_(value: float | None) -> str:
    """Return bytes in binary units with three significant figures. 1536 → "1.50 KiB"."""
    if value is None or not math.isfinite(value):
        return NOT_AVAILABLE
    size = abs(value)
    power = 0
    while power < len(_BINARY) - 1 and size >= 999.5:
        size /= 1024
        power += 1
    sign = "−" if value < 0 else ""
    text = f"{size:.0f}" if power == 0 else _significant(size)
    return f"{sign}{text} {_BINARY[power]}"


def rate(bytes_per_second: float | None) -> str:
    """Return bytes per second in binary units."""
    text = bytes_(bytes_per_second)
    return text if text == NOT_AVAILABLE else f"{text}/s"


def in_unit(value: float, unit: str) -> str:
    """Return a figure of a rule as people write it: "93.0 %", "4 h", "12.5"; unit: that of its metric."""
    if (write := _IN_UNIT.get(unit)) is not None:
        return write(value)
    plain = number(value) if value == round(value) else f"{value:.4g}".replace("-", "−")
    return f"{plain}/s" if unit == "/s" else plain


def duration(seconds: float | None) -> str:
    """Return a span in its largest two units. 9600 → "2 h 40 min"; below a second in ms or µs."""
    if seconds is None or not math.isfinite(seconds):
        return NOT_AVAILABLE
    sign, left = ("−" if seconds < 0 else ""), abs(seconds)
    if left < 1:
        return sign + _sub_second(left)
    if left < 9.95:
        return f"{sign}{left:.1f} s"
    return sign + _largest_two(round(left))


def coarse_duration(seconds: float | None) -> str:
    """Return a span as sentences tell it: whole seconds below two minutes, then whole minutes in its largest two units.

    86 → "86 s", 660 → "11 min". A sentence is kept with its state and compared with the one before: seconds of an hour
    would make it another one at each reading, and a span below a second is "0 s", as nothing that lasts is that short.
    """
    if seconds is None or not math.isfinite(seconds):
        return NOT_AVAILABLE
    whole = round(abs(seconds))
    sign = "−" if seconds < 0 and whole else ""
    return f"{sign}{whole} s" if whole < 120 else sign + _largest_two(60 * round(whole / 60))


def ago(seconds: float | None) -> str:
    """Return how long ago something was: "just now" within a minute, else "11 min ago"."""
    if seconds is not None and seconds < 60:
        return "just now"
    text = coarse_duration(seconds)
    return text if text == NOT_AVAILABLE else f"{text} ago"


def _largest_two(left: int) -> str:
    for index, (size, unit) in enumerate(_DURATIONS):
        if left < size:
            continue
        whole, rest = divmod(left, size)
        if index + 1 < len(_DURATIONS):
            smaller, small_unit = _DURATIONS[index + 1]
            part = rest // smaller
            if part:
                return f"{whole} {unit} {part} {small_unit}"
        return f"{whole} {unit}"
    return "0 s"


def _sub_second(seconds: float) -> str:
    if seconds == 0:
        return "0 s"
    if seconds < 0.000_999_5:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 0.009_95:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds * 1e3:.0f} ms"


def _scaled_money(size: float) -> str:
    for scale, unit in _MONEY:
        if size >= scale * 0.9995:
            return f"{_significant(size / scale)} {unit}"
    return f"{size:.2f}" if size < 100 else f"{size:.0f}"


def _significant(size: float) -> str:
    if size < 9.995:
        return f"{size:.2f}"
    return f"{size:.1f}" if size < 99.95 else f"{size:.0f}"


def _is_beyond(value: float) -> bool:
    """Return whether a number has too many digits to be read one by one."""
    return abs(value) >= FARTHEST


def _scientific(value: float, signed: bool) -> str:
    """Return a number as three significant digits and a power of ten: 1e300 → "1.00 × 10³⁰⁰"."""
    digits, power = f"{abs(value):.2e}".split("e")
    sign = "−" if value < 0 else "+" if signed else ""
    return f"{sign}{digits} × 10{str(int(power)).translate(_RAISED)}"


def _fixed(value: float, decimals: int, signed: bool) -> str:
    text = f"{abs(value):,.{decimals}f}".replace(",", "\u202f")
    if not any(c in "123456789" for c in text):
        return text
    return f"−{text}" if value < 0 else f"+{text}" if signed else text


def first_of(names: Sequence[str], most: int = 3, between: str = ", ") -> str:
    """Return the first of several names and how many more there are. Five names → "a, b, c and 2 more"."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(names[:most]) + more


def cut(text: str, longest: int) -> str:
    """Return a text of at most `longest` characters; the last of one that was cut is "…"."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def axis_scale(unit: str, highest: float) -> tuple[float, str]:
    """Return what to divide by and the unit to show: the coarsest that `highest` reaches; for nothing the base unit."""
    choices = SCALES[unit]
    reached = highest or 1.0
    return next((choice for choice in choices if reached >= choice[0]), choices[-1])


UNIT_BEHIND: Mapping[Callable[..., Any], str] = {
    percent: "ratio", points: "ratio", bytes_: "bytes", rate: "bytes/s",
    duration: "s", coarse_duration: "s", ago: "s",
}  # fmt: skip
"""Of the numbers that these write, as files have them."""
_IN_UNIT: Mapping[str, Callable[[float | None], str]] = {
    "ratio": percent, "seconds": duration, "bytes": bytes_, "bytes/s": rate,
}  # fmt: skip
