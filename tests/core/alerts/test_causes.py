"""What rests on what, through what lies between, and never on itself."""

from __future__ import annotations

from core.alerts.causes import RESTS_ON, causes_of, rests


def test_a_component_rests_on_what_its_causes_rest_on() -> None:
    assert causes_of("Freshness ticks", RESTS_ON) == {"IQFeed *", "Network"}
    assert rests("Freshness ticks", "Network", RESTS_ON)
    assert rests("Freshness ticks", "IQFeed main", RESTS_ON)
    assert not rests("IQFeed main", "Freshness ticks", RESTS_ON)
    assert not rests("Redis main", "Network", RESTS_ON)


def test_circles_end_and_nothing_is_its_own_cause() -> None:
    circle = {"a": ("b",), "b": ("a",), "c*": ("c*",)}
    assert rests("a", "b", circle) and rests("b", "a", circle)
    assert not rests("a", "a", circle) and not rests("c1", "c1", circle)
    assert rests("c1", "c2", circle)
