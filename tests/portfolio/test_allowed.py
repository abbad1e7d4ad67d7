"""Which portfolios a limited viewer may see, against the plainest way to say it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from portfolio.allowed import is_import_seen, own_ids, seen, seen_changes, seen_ids, stamp_of
from storage.state.changes import Change
from storage.state.imports import Import
from storage.state.portfolios import Portfolio

IDS = st.sampled_from([f"p{number}" for number in range(8)])
PARENTS = st.dictionaries(IDS, st.one_of(st.just(""), IDS, st.just("gone")), max_size=8)
"""Also circles, and parents that are not there: a state database of another time may hold them."""
LIMITS = st.frozensets(st.one_of(IDS, st.just("gone")), max_size=4)


def is_allowed(id: str, parents: dict[str, str], limits: frozenset[str]) -> bool:
    above, at = [], id
    while at in parents and at not in above:
        above.append(at)
        at = parents[at]
    return bool(limits & set(above))


@given(PARENTS, LIMITS)
def test_seen_is_what_is_named_and_what_is_below_it(parents: dict[str, str], limits: frozenset[str]) -> None:
    assert seen_ids(parents, limits) == {id for id in parents if is_allowed(id, parents, limits)}


@given(PARENTS, LIMITS, LIMITS)
def test_no_portfolio_that_may_not_be_seen_is_told_of(
    parents: dict[str, str], limits: frozenset[str], more: frozenset[str]
) -> None:
    parents = {id: parent if parent != id else "" for id, parent in parents.items()}
    own = [Portfolio("own", id, f"Name of {id}", parent=parent) for id, parent in parents.items()]
    others = [Portfolio("sample", id, id, parent=parent) for id, parent in parents.items()]
    found = seen([*own, *others], limits)
    ids = {each.id for each in found if each.origin == "own"}
    assert all(each.parent in ids | {""} for each in found if each.origin == "own")
    assert [each for each in found if each.origin != "own"] == others
    assert seen(found, limits) == found, "once is enough"
    assert ids <= own_ids(own, limits | more), "more names never show less"
    assert seen([*own, *others], None) == [*own, *others]
    assert own_ids(own, frozenset()) == frozenset()
    changed = {each.id: each for each in own if each.parent and each.parent in ids}
    assert all(each == changed[each.id] for each in found if each.origin == "own" and each.id in changed)


def test_what_tells_of_another_portfolio_is_left_out_whole() -> None:
    changes = [
        Change(1.0, "ana", "a", "set", "currency USD → EUR"),
        Change(2.0, "ana", "a", "set", "currency USD → EUR, part of none → secret"),
        Change(3.0, "ana", "secret", "set", "currency USD → EUR"),
        Change(4.0, "ana", "a", "merge", "A merged into Secret: 3 values", "secret"),
    ]
    assert seen_changes(changes, frozenset({"a"})) == changes[:1]
    mine = Import(1.0, "a.csv", "x", 1, "taken", kind="nav", names=("A",))
    names, ids = {"A": "a", "Secret": "secret"}, frozenset({"a"})
    assert is_import_seen(mine, names, ids)
    for other in (
        Import(1.0, "a.csv", "x", 1, "taken", kind="nav", names=("A", "Secret")),
        Import(1.0, "a.csv", "x", 1, "refused", "Secret is merged", kind="nav", names=("A",)),
        Import(1.0, "a.csv", "x", 1, "taken", kind="prices", names=("a",)),
        Import(1.0, "a.csv", "x", 1, "taken", kind="nav"),
    ):
        assert not is_import_seen(other, names, ids)


def test_limits_have_one_stamp_that_tells_no_id() -> None:
    assert stamp_of(None) == ""
    assert stamp_of(frozenset({"secret", "b"})) == stamp_of(frozenset({"b", "secret"})) != stamp_of(frozenset({"b"}))
    assert "secret" not in stamp_of(frozenset({"secret"}))
