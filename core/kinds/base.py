"""What the settings of every watched source have in common."""

from __future__ import annotations

import difflib
import re
from typing import Annotated, ClassVar
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, Field, SecretStr

from core.group import Group, Seconds
from core.model import SourceId

OWN = "own"
"""Name of the instance that is a part of Fundwatch; nobody else may have it."""

NAME_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]


def _known_market(name: str) -> str:
    """Return `name` when it is that of a market, "24/7" or empty. Raises ValueError that names what is near."""
    if name in ("", "24/7", "24/5", "XNYS"):
        return name
    from exchange_calendars import get_calendar_names  # loaded only when somebody names a market

    known = get_calendar_names(include_aliases=True)
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "write its code, as XNYS, XLON or CMES, or 24/5, 24/7"
    raise ValueError(f"must be a market that exchange_calendars knows, and {name} is none; {hint}")


MarketName = Annotated[str, AfterValidator(_known_market)]
"""A market by its code in exchange_calendars; its hours are made by the collectors."""


class Source(Group):
    """An instance of a kind of source. A kind adds its own fields, and how it is switched on."""

    KIND: ClassVar[str]
    """Name of its list in the settings and first part of its collectors' names: "redis"."""
    TITLE: ClassVar[str]
    """What people call it: "Redis"."""
    WATCHES: ClassVar[str]
    """What its instances are, in the list of settings: "Redis and Valkey servers."."""
    EXAMPLE: ClassVar[tuple[str, ...]]
    """The lines of fundwatch.yaml that switch one on."""

    name: Name = Field(description="What it is called on the screen.")
    interval_seconds: Seconds = Field(5, description="Seconds between readings.")
    timeout_seconds: Annotated[float, Field(ge=0.1, le=60)] = Field(2, description="Longest time a reading may take.")

    @property
    def id(self) -> SourceId:
        """Its kind and name."""
        return SourceId(self.KIND, self.name)

    @property
    def collector(self) -> str:
        """The name of its collector: "redis:main"."""
        return str(self.id)

    @property
    def component(self) -> str:
        """What it is called in sentences: "Redis main"."""
        return f"{self.TITLE} {self.name}"


def checked_url(value: SecretStr, *schemes: str) -> SecretStr:
    """Return `value` when it is a URL of one of `schemes`. Raises ValueError that does not repeat it."""
    if _is_cut(value.get_secret_value()):
        raise ValueError("has /, ? or # in its user or password, which ends the host: write %2F, %3F or %23")
    try:
        parts = urlsplit(value.get_secret_value())
        is_good = parts.scheme in schemes and bool(parts.netloc or parts.path) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise ValueError("must be a URL that starts with " + " or ".join(f"{scheme}://" for scheme in schemes))
    return value


def checked_pattern(value: str) -> str:
    """Return `value` when it is a regular expression. Raises ValueError that says what is wrong with it."""
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"must be a regular expression: {error}") from error
    return value


def _is_cut(url: str) -> bool:
    """Return whether the host ends within the password, so that the @ stands after it. Pages may have one there."""
    parts = urlsplit(url)
    try:
        is_page = parts.scheme.startswith("http") and parts.port != 0
    except ValueError:
        is_page = False
    return bool(parts.netloc) and not is_page and "@" in parts.path + parts.query + parts.fragment


def masked(url: str | SecretStr) -> str:
    """Return `url` without password, query and fragment, fit to be shown."""
    text = url.get_secret_value() if isinstance(url, SecretStr) else url
    parts = urlsplit(text)
    who, at, where = parts.netloc.rpartition("@")
    return urlunsplit((parts.scheme, f"{who.partition(':')[0]}{at}{where}".removeprefix("@"), parts.path, "", ""))
