"""What every group of settings is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Ratio = Annotated[float, Field(gt=0, le=1)]
Seconds = Annotated[float, Field(ge=0.5, le=86_400)]
Days = Annotated[int, Field(ge=1, le=3_650)]


class Group(BaseModel):
    """A frozen group of settings; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def twice(names: Iterable[str]) -> list[str]:
    """Return the names that stand there more than once, in order."""
    return [name for name, count in Counter(names).items() if count > 1]
