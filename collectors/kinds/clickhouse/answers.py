"""What a ClickHouse was asked and what it answered: each question in its own time, the newest answer to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collectors.kinds.clickhouse.connection import Engine, Refused, plain
from core.kinds.clickhouse import tables
from core.kinds.clickhouse.questions import ALWAYS, TABLES_THERE, Question
from core.literals import message_without_values, without_values
from core.net.reach import Deadline
from core.tables import R, Row

SLOW_QUESTIONS_EACH_READING = 3
SPARED_SHARE = 0.5
"""With less than this of the deadline left, the slower questions wait for the next reading."""
TABLES_THERE_SECONDS = 300.0
REFUSED_AGAIN = 4
"""A refused question is asked this many times less often."""
MESSAGES = frozenset({"exception", "error", "message", "latest_fail_reason"})
"""Columns that hold a message with its code, stack and version."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The newest answer to each question, by the class of its rows."""

    rows: Mapping[type[Row], Sequence[Any]] = field(default_factory=dict)

    def of(self, row: type[R]) -> Sequence[R]:
        """Return the rows of an answer; none when there is no answer."""
        return self.rows.get(row, ())

    def has(self, row: type[Row]) -> bool:
        """Return whether there is an answer."""
        return row in self.rows


class Asker:
    """Asks one server its questions: those of every reading, and a few of those that are due."""

    def __init__(self, questions: Sequence[Question], mask_literals: bool = True) -> None:
        self._mask_literals = mask_literals
        self._always = [each for each in questions if each.every_seconds == ALWAYS]
        self._slow = [each for each in questions if each.every_seconds != ALWAYS]
        self._due: dict[str, float] = {}
        self._rows: dict[type[Row], Sequence[Any]] = {}
        self._refused: dict[Question, str] = {}
        self._there: frozenset[str] = frozenset()
        self._there_due = float("-inf")

    @property
    def answers(self) -> Answers:
        """The newest answers."""
        return Answers(dict(self._rows))

    @property
    def refused(self) -> list[tables.Refused]:
        """The questions that have no answer."""
        return [tables.Refused(each.name, why) for each, why in self._refused.items()]

    @property
    def refused_titles(self) -> list[str]:
        """What the questions that have no answer ask for."""
        return sorted(each.title for each in self._refused)

    def ask(self, engine: Engine, deadline: Deadline, monotonic: float) -> set[type[Row]]:
        """Ask what is due. Return the rows of which there is a new answer."""
        if monotonic >= self._there_due:
            self._there = frozenset(str(row["name"]) for row in engine.ask(TABLES_THERE))
            self._there_due = monotonic + TABLES_THERE_SECONDS
        asked = {each.row for each in self._always if self._put(engine, each, monotonic)}
        due = [each for each in self._slow if monotonic >= self._due.get(each.name, 0.0)]
        due.sort(key=lambda each: self._due.get(each.name, float("-inf")))
        for each in due[:SLOW_QUESTIONS_EACH_READING]:
            # A busy server answers the short questions; a long one must not cost us those.
            if not _has_time(deadline):
                break
            if self._put(engine, each, monotonic):
                asked.add(each.row)
        return asked

    def _put(self, engine: Engine, question: Question, monotonic: float) -> bool:
        self._due[question.name] = monotonic + question.every_seconds
        missing = sorted(question.needs - self._there)
        if missing:
            return self._lost(question, f"this server has no system.{missing[0]}")
        try:
            answer = engine.ask(question.sql)
            if self._mask_literals:
                answer = [_masked(row) for row in answer]
            self._rows[question.row] = [_made(question.row, row) for row in answer]
        except Refused as error:
            self._due[question.name] = monotonic + question.every_seconds * REFUSED_AGAIN
            return self._lost(question, f"code {error.code}: {error}")
        self._refused.pop(question, None)
        return True

    def _lost(self, question: Question, why: str) -> bool:
        self._rows.pop(question.row, None)
        self._refused[question] = why
        return False


def _made(row: Any, values: dict[str, Any]) -> Any:
    """Return a row of that class, its messages without codes, stacks and versions."""
    return row(**{name: plain(value) if value and name in MESSAGES else value for name, value in values.items()})


def _masked(values: dict[str, Any]) -> dict[str, Any]:
    """Return a row about a query with ? for the values in its text, and in the message that repeats parts of it."""
    if not (values.get("query") or values.get("pattern")):
        return values
    masked = {"query": without_values(values["query"], is_clickhouse=True)} if "query" in values else {}
    messages = {name: message_without_values(str(values[name])) for name in MESSAGES & values.keys()}
    return values | masked | messages


def _has_time(deadline: Deadline) -> bool:
    try:
        return deadline.left() >= SPARED_SHARE * deadline.seconds
    except TimeoutError:
        return False
