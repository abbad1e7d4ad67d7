"""How many there are of something is said by one function (core.format.count), which knows "1 row" from "2 rows"."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.format import count, noun

ROOT = Path(__file__).parents[1]
PACKAGES = ("core", "collectors", "dashboard", "portfolio", "status", "storage")
NOT_PLURAL = {
    "is", "has", "was", "as", "does", "this", "its", "seconds", "hours", "ms", "uses", "holds", "answers", "speaks",
    "refuses", "redirects", "contains", "tells", "falls", "brings", "waits", "begins", "opens", "loses", "serves",
    "sends", "accepts", "fails", "counts", "says", "stays", "sets", "builds", "names", "comes", "needs", "takes",
    "less", "bytes", "across", "stands", "reads", "belongs", "depends", "ends", "wants", "lies", "signs", "knows",
    "matches",
}  # fmt: skip
"""Words that end in s behind a value and are no plural: verbs, units."""
ONE_PLURAL = re.compile(r"^ (?:[a-z]+ )?([a-z]+s)\b")
UNITS = {
    "rows", "kinds", "sessions", "connections", "clients", "files", "messages", "queries", "parts", "tables", "tasks",
    "keys", "groups", "brokers", "queues", "workers", "series", "processes", "symbols", "points", "values",
}  # fmt: skip
CONSTANT = r"^(number\()?(\w+\.)*_?[A-Z][A-Z_0-9]+(\.warning)?\)?$"
WITH_DECIMALS = r"^(percent|tenths|ratio|bytes_|rate|duration|coarse_duration)\(|number\(.+, \d(, signed=True)?\)$"
TEXT = r"(name|name\.capitalize\(\)|rhythm|units|address|_where|frequency\]|wanted\]|most)$"
CARDS = {"card", "source_card", "detail_card", "_card"}


def trees() -> Iterator[tuple[Path, ast.AST]]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield file.relative_to(ROOT), ast.parse(file.read_text())


def is_several_always(value: ast.expr) -> bool:
    """Return whether a value is no count, or one that is never 1: a constant, a number with decimals, a text."""
    text = ast.unparse(value)
    return any(re.search(pattern, text) for pattern in (CONSTANT, WITH_DECIMALS, TEXT))


def test_no_count_is_written_beside_a_plural_that_is_always_the_same() -> None:
    wrong = []
    for file, tree in trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.JoinedStr):
                continue
            for value, after in zip(node.values, node.values[1:], strict=False):
                if not isinstance(value, ast.FormattedValue) or not isinstance(after, ast.Constant):
                    continue
                found = ONE_PLURAL.match(str(after.value))
                if found and found[1] not in NOT_PLURAL and not is_several_always(value.value):
                    wrong.append(f"{file}:{node.lineno} {{{ast.unparse(value.value)}}}{after.value}")
    assert not wrong, "say it with core.format.count:\n" + "\n".join(wrong)


def test_no_card_has_a_unit_that_is_always_a_plural() -> None:
    wrong = [
        f"{file}:{node.lineno} {argument.value}"
        for file, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CARDS
        for argument in (*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "unit"))
        if isinstance(argument, ast.Constant) and argument.value in UNITS
    ]
    assert not wrong, "make it with core.format.noun:\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    ("amount", "told"), [(0, "0 rows"), (1, "1 row"), (1.0, "1 row"), (2, "2 rows"), (None, "n/a rows")]
)
def test_one_is_singular_and_everything_else_plural(amount: float | None, told: str) -> None:
    assert count(amount, "row") == told
    assert noun(amount, "row") == told.split()[1]
    assert count(amount, "query", "queries").startswith(told.split()[0])
