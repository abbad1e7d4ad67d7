"""The words of the Import page: for kinds, roles and marks, and for what the command line says with its options."""

from __future__ import annotations

import re

KINDS = {
    "nav": "NAV", "returns": "returns", "prices": "prices", "index": "returns of an instrument",
    "rates": "interest rates",
}  # fmt: skip
ROLES = {
    "date": "date", "time": "time of day", "portfolio": "portfolio", "instrument": "instrument", "nav": "NAV",
    "price": "price", "return": "return", "flow": "cash flow", "withdrawal": "withdrawal", "currency": "currency",
    "series": "a portfolio of its own", "skip": "left out",
}  # fmt: skip
DATE_ORDERS = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}
DECIMALS = {".": "point: 1234.5", ",": "comma: 1234,5"}
THOUSANDS = {",": "comma: 1,234", ".": "point: 1.234", "'": "apostrophe: 1'234", " ": "blank: 1 234"}
UNITS = {"percent": "percent: 1.5 is 1.5 %", "ratio": "ratios: 0.015 is 1.5 %"}

_OPTIONS = tuple(
    (re.compile(option), words)
    for option, words in (
        (
            r": say --portfolio NAME, and --kind nav if it is a portfolio",
            ": name it, and choose NAV if it is a portfolio",
        ),
        (
            r", and --kind index if it is an instrument, such as a benchmark",
            ", or choose “returns of an instrument” if it is one, such as a benchmark",
        ),
        (r": say --portfolio NAME", ": name it"),
        (r" \(--date-order (dmy|mdy|ymd)\)", lambda found: f" ({DATE_ORDERS[found[1]]})"),
        (r"say --decimal \. or --decimal ,", "choose the decimal mark"),
        (r"say --unit percent or --unit ratio", "choose how they are written"),
        (
            r"say what each is: --column '.*?=flow' \(money in and out\), --column '.*?=series' "
            r"\(a portfolio of its own\) or --column '.*?=skip'",
            "say below what each is: cash flow, a portfolio of its own, or left out",
        ),
        (r"say which not: --column '.*?=skip'", "choose “left out” for the others"),
        (r"--kind (\w+)", lambda found: f"choose the kind “{KINDS.get(found[1], found[1])}”"),
        (r"or with choose", "or choose"),
        (r"say --sheet NAME", "choose one"),
        (r"Name one with --sheet\.", "Choose one."),
        (r"leave --portfolio out", "leave its name out"),
        (r"confirm them: --accept\.", "look at the file, and tick that they are."),
        (r"Say it, and import the file again\.", "Answer it, and the file is looked at again."),
        (r" The file's own name suggests --portfolio (.+)\.", ""),
        (r"Correct these lines, and import the file again\.", "Correct these lines in the file, and choose it again."),
    )
)


def on_page(text: str) -> str:
    """Return a sentence of the reader with what the page calls the options of the command line."""
    for option, words in _OPTIONS:
        text = option.sub(words, text)
    return text
