"""How far what is built from trades may differ from what is reported."""

from __future__ import annotations

from pydantic import Field

from core.group import Group


class Books(Group):
    """When positions, cash and net asset value that are built from trades agree with those that are reported."""

    quantity_tolerance_ratio: float = Field(
        1e-6, ge=0, le=1, description="Of a reported quantity: so far the built one may differ, beside a millionth."
    )
    money_tolerance_ratio: float = Field(
        0.0001, ge=0, le=1, description="Of the net asset value: so far cash and the value itself may differ."
    )
