"""What is written down of a moment: an event that a program sent or a note of a person, and what it is about.

One model checks it, whoever writes: the API's document, the forms of pages and what is kept share it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from core.kinds.base import OWN
from core.kinds.registry import KINDS, WatchBase, collector_title
from core.machine.spec import PROCESSES, SYSTEM
from core.model import SourceId
from core.pipeline.health import HEALTH
from core.pipeline.spec import PIPELINE
from core.readiness import READINESS
from core.web.spec import REQUESTS

Kind = Literal["event", "note"]
EVENT: Kind = "event"
NOTE: Kind = "note"
TEXT_CHARACTERS, TAG_CHARACTERS, MOST_TAGS = 1_000, 32, 10
PORTFOLIO_CHARACTERS, COMPONENT_CHARACTERS = 80, 160
AHEAD_SECONDS = 366 * 86_400.0
"""How far ahead of now a time may be: what is planned is worth a mark too."""
TABS_OF_OWN = {SYSTEM: "system", PROCESSES: "system", PIPELINE: "pipeline", REQUESTS: "services", HEALTH: "overview",
               READINESS: "overview"}  # fmt: skip
"""Id of the tab that shows what each collector of the machine and of Fundwatch itself tells."""
Tag = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=TAG_CHARACTERS,
                                       pattern=r"^[^\s,]+$")]  # fmt: skip


class EventContent(BaseModel):
    """What an event or a note says."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, title="EventContent")

    kind: Kind = Field(EVENT, description="event: a program sent it; note: a person wrote it.")
    at: AwareDatetime | None = Field(None, description="When, RFC 3339 with a zone; now when left out.")
    until: AwareDatetime | None = Field(None, description="End of a span, after `at`; null: it is a moment.")
    text: str = Field(min_length=1, max_length=TEXT_CHARACTERS, description="What happened or was decided.")
    tags: tuple[Tag, ...] = Field(
        (), max_length=MOST_TAGS, description="Words to find it by, without blanks or commas, as in deploy."
    )
    portfolio: str = Field(
        "", max_length=PORTFOLIO_CHARACTERS,
        description="`id` of the portfolio that it is about, as /portfolios says: own:alpha.",
    )  # fmt: skip
    component: str = Field(
        "", max_length=COMPONENT_CHARACTERS,
        description="`id` of the component that it is about, as /components says, or its collector: redis:main. "
        "Neither: it is about everything.",
    )  # fmt: skip

    @field_validator("text")
    @classmethod
    def _is_readable(cls, value: str) -> str:
        if any(not each.isprintable() and each not in "\n\t" for each in value):
            raise ValueError("has characters that cannot be shown: leave them out")
        return value

    @field_validator("component", "tags")
    @classmethod
    def _is_shown(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if any(not each.isprintable() for each in ([value] if isinstance(value, str) else value)):
            raise ValueError("has characters that cannot be shown: leave them out")
        return value

    @field_validator("tags")
    @classmethod
    def _is_once_each(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value))

    @field_validator("at", "until")
    @classmethod
    def _is_since_1970(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.timestamp() < 0:
            raise ValueError("is before 1970: give a later time")
        return value

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if self.portfolio and self.component:
            raise ValueError("component beside a portfolio: give one of them, or neither")
        if self.at is not None and self.until is not None and self.until <= self.at:
            raise ValueError("until is not after at: give a later end, or leave it out")
        return self


def collector_of(component: str) -> str:
    """Return the collector that tells of a component, of its id (host/collector/name) or its collector's name.

    Empty for what names none that there could be.
    """
    for part in component.split("/")[:2]:
        source = SourceId.parse(part)
        if part in TABS_OF_OWN or (source is not None and source.kind in KINDS):
            return part
    return ""


def host_of(component: str) -> str:
    """Return the machine that a component's id begins with; empty for one of a watched source."""
    first, _, rest = component.partition("/")
    return first if rest and collector_of(first) != first else ""


def tab_of(component: str) -> str:
    """Return the id of the tab that shows a component; empty for what names none."""
    collector = collector_of(component)
    source = SourceId.parse(collector)
    return KINDS[source.kind].tab if source else TABS_OF_OWN.get(collector, "")


def component_title(component: str) -> str:
    """Return what a component is called in sentences: "Redis main", "CPU on host-1"."""
    collector, host = collector_of(component), host_of(component)
    name = component.split("/", 2 if host else 1)[-1] if "/" in component else ""
    return " on ".join(part for part in (name or collector_title(collector) or component, host) if part)


def collectors_of(watch: WatchBase) -> list[str]:
    """Return the collectors that an event can be about: of the machine and Fundwatch, and of what is watched."""
    named = [str(SourceId(kind, source.name)) for kind in KINDS for source in watch.of(kind)]
    own = [str(SourceId(name, OWN)) for name, kind in KINDS.items() if kind.has_own]
    return [*TABS_OF_OWN, *named, *own]
