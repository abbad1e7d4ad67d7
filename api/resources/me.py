"""Who asks."""

from __future__ import annotations

from pydantic import Field

from api.models import Answered
from api.operation import Ask, Operation
from api.parameters import Parameters


class Me(Answered):
    """The one who asks, and what that is allowed to see."""

    name: str
    role: str = Field(description="viewer, analyst, operator or admin.")
    may_act: bool = Field(description="Whether it may act on watched sources.")
    portfolios: list[str] | None = Field(
        description="The only own portfolios that may be seen, with those below; null: all."
    )
    scopes: list[str] | None = Field(description="What the token is for; null: it is no token.")


def _me(ask: Ask[Parameters]) -> Me:
    viewer = ask.viewer
    scopes = getattr(viewer, "scopes", None)
    return Me(
        name=viewer.name, role=viewer.role.word, may_act=viewer.may_act,
        portfolios=sorted(viewer.portfolios) if viewer.portfolios is not None else None,
        scopes=sorted(map(str, scopes)) if scopes is not None else None,
    )  # fmt: skip


OPERATIONS = (Operation(path="/me", summary="Who asks, and what it may see.", answer=_me, model=Me, tag="Access"),)
