"""Topics of Kafka whose messages are rows that are taken in: where, what kind of rows, and how they are written."""

from __future__ import annotations

import csv
import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from core.group import Group
from core.ingest.kinds import KINDS
from core.kinds.base import Name
from core.kinds.kafka.brokers import Brokers

PREFIX = "consume-"
"""What the names of their collectors begin with."""
JSON, CSV = "json", "csv"
EXAMPLE = (
    "consume:",
    "  - {name: fills, kind: trades, bootstrap: '10.0.0.9:9092,10.0.0.10:9092', topic: oms.fills}",
)


class _Named(Group):
    """What stands first: what it is called, and what it brings."""

    name: Name = Field(description="What it is called on the Pipeline tab.")
    kind: Literal[tuple(KINDS)] = Field(description="Of the rows; the page /api/docs has the columns of each.")  # type: ignore[valid-type]


class Consume(Brokers, _Named):
    """A topic whose messages are rows of a kind."""

    topic: str = Field(description="The topic.")
    group: str = Field(
        "", max_length=249, description="Consumer group that keeps the offsets; empty: fundwatch-, then the name."
    )
    start: Literal["earliest", "latest"] = Field(
        "earliest", description="Where a group without offsets begins: with what there is, or with what comes."
    )
    format: Literal["json", "csv"] = Field(
        "json", description="How a message is written: an object or a list of objects, or lines of CSV."
    )
    header: str = Field(
        "", description="Columns of the lines of CSV, separated by commas; empty: each message begins with its own."
    )
    interval_seconds: Annotated[float, Field(ge=0.5, le=600)] = Field(5, description="Seconds between two looks.")
    batch_messages: int = Field(
        2_000, ge=1, le=50_000, description="Messages that are read and stored at once, of 8 MiB together."
    )

    @field_validator("topic")
    @classmethod
    def _is_a_topic(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", value) or value in (".", ".."):
            raise ValueError("must be the name of one topic: letters, digits, dot, _ and -")
        return value

    @model_validator(mode="after")
    def _header_is_of_the_kind(self) -> Self:
        if self.header and self.format != CSV:
            raise ValueError("header is of format: csv alone; leave it out, or set the format")
        known = [column.name for column in KINDS[self.kind].columns]
        unknown = [name for name in self.columns if name not in known]
        if unknown:
            raise ValueError(f"header: {self.kind} have no column {unknown[0]!r}; they have {', '.join(known)}")
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("header: a column is there twice")
        return self

    @property
    def columns(self) -> list[str]:
        """Columns that the header names; none without one."""
        return [name.strip() for name in next(csv.reader([self.header]), [])] if self.header else []

    @property
    def collector(self) -> str:
        """Name of what runs it: "consume-fills"."""
        return f"{PREFIX}{self.name}"

    @property
    def consumer_group(self) -> str:
        """The group that keeps the offsets."""
        return self.group or f"fundwatch-{self.name}"
