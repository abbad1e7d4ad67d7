"""What rests on what, through what lies between, and never on itself."""

from __future__ import annotations

from core.alerts.causes import RESTS_ON, causes_of, last_causes


def test_a_component_rests_on_what_its_causes_rest_on() -> None:
    assert causes_of("Freshness ticks", RESTS_ON) == {"IQFeed *", "Network"}
    assert causes_of("Redis main", RESTS_ON) == frozenset()
    names = ("Freshness ticks", "IQFeed main", "Network", "Redis main")
    assert last_causes(names, RESTS_ON) == {"Freshness ticks": ["Network"], "IQFeed main": ["Network"]}
    assert last_causes(names[:2], RESTS_ON) == {"Freshness ticks": ["IQFeed main"]}


def test_circles_end_and_nothing_is_its_own_cause() -> None:
    circle = {"a": ("b",), "b": ("a",), "c*": ("c*", "d")}
    assert last_causes(("a", "b"), circle) == {}
    assert last_causes(("c1", "c2"), circle) == {}
    assert last_causes(("c1", "c2", "d"), circle) == {"c1": ["d"], "c2": ["d"]}
