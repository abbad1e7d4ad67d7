"""How the health score weighs what it is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from core.group import Group

Weight = Annotated[float, Field(ge=0, le=100)]


def _named(value: dict[str, float]) -> dict[str, float]:
    if any(not name.strip() for name in value):
        raise ValueError("a weight without a component; give its name as the page shows it, such as Redis main")
    return value


class Health(Group):
    """How the health score weighs what it is made of."""

    trading_weight: Weight = Field(5, description="Weight of feeds, brokers, freshness and heartbeats, all together.")
    storage_weight: Weight = Field(3, description="Weight of databases, caches and what Fundwatch stores with.")
    pipeline_weight: Weight = Field(2, description="Weight of queues, jobs, collectors and the alert engine.")
    services_weight: Weight = Field(2, description="Weight of services.")
    system_weight: Weight = Field(2, description="Weight of machines.")
    weights: Annotated[dict[str, Weight], AfterValidator(_named)] = Field(
        {}, description="Weights of components among those of their area, as {'Redis *': 2}; the others have 1 each."
    )
