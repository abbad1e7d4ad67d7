"""What is written of a rule is the rule."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from core.alerts.rule import Category, Rule
from core.alerts.severity import Severity
from core.alerts.timing import Policy
from core.alerts.written import fields_of, written

WORDS = st.sampled_from([each.word for each in Severity])
WHENS = st.sampled_from(
    ["a > 1", 'status{component=~"x|y"} == down', "max_drawdown[1y] < −5 %", "absent(a) or b > 2 d"]
)
TEXT = st.text(st.characters(exclude_categories=["C"], exclude_characters="{}"), max_size=40)
SPANS = st.one_of(st.sampled_from([0.0, 1.0, 90.0, 300.0, 7_200.0, 172_800.0]), st.floats(0, 86_400))
RULES = st.builds(
    lambda condition, spans, given: Rule.model_validate({"name": "x", **condition, **spans, **given}),
    st.one_of(
        st.fixed_dictionaries({"when": WHENS}, optional={"severity": WORDS}),
        st.fixed_dictionaries({"levels": st.dictionaries(WORDS, WHENS, min_size=1)}),
    ),
    st.fixed_dictionaries(
        {}, optional={"for": SPANS, "keep_firing_for": SPANS, "keep": SPANS, "every": st.floats(1, 86_400)}
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "title": TEXT, "message": TEXT, "clear": WHENS, "labels": st.dictionaries(TEXT, TEXT, max_size=3),
            "no_data": st.sampled_from([each.value for each in Policy]), "enabled": st.booleans(),
            "category": st.sampled_from([each.value for each in Category]),
            "runbook": st.just("https://example.com/a?b=c#d"),
        },
    ),
)  # fmt: skip


@given(RULES)
def test_what_is_written_reads_as_the_same_rule(rule: Rule) -> None:
    (content,) = yaml.safe_load(written([rule]))["rules"]
    assert Rule.model_validate(content) == rule


def test_it_reads_as_people_write_it() -> None:
    fields = {"name": "x", "levels": {"warning": "a > 1", "urgent": "a > 9"}, "for": "90 s", "keep": "2 d"}
    assert fields_of(Rule.model_validate(fields)) == {**fields, "for": "90 s"}
