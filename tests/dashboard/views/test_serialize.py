"""What is sent: figures and components as JSON."""

from __future__ import annotations

import base64
import itertools
import math
import re
from typing import Any

import numpy as np
import orjson
import pytest
from dash import html
from hypothesis import given
from hypothesis import strategies as st

from dashboard.views.delta import delta_encoded
from dashboard.views.serialize import plain, prepare, rounded
from dashboard.views.tab import Choices, View
from tests.support.frame import DEMO


@given(st.floats(allow_nan=False, allow_infinity=False, width=64))
def test_rounding_cannot_be_seen(value: float) -> None:
    shown = rounded(value)
    assert math.isclose(shown, value, rel_tol=1e-5, abs_tol=0.006 if abs(value) >= 10_000 else 0)


@pytest.mark.parametrize("nothing", [float("nan"), float("inf"), -float("inf"), np.float64("nan")])
def test_what_is_no_number_is_a_gap(nothing: float) -> None:
    assert rounded({"y": [1.0, nothing]}) == {"y": [1.0, None]}
    assert plain({"y": (1.0, nothing)}) == {"y": [1.0, None]}


def test_arrays_and_components_become_plain() -> None:
    assert rounded({"x": np.array([1_700_000_000, 1_700_000_005]), "y": np.array([0.1234567, 2.0])}) == {
        "x": [1_700_000_000, 1_700_000_005],
        "y": [0.123457, 2.0],
    }
    sent = plain(html.Div([html.B("a"), 3]))
    assert sent["props"]["children"][0]["props"]["children"] == "a"


def test_a_view_says_which_choices_its_zoom_belongs_to_and_carries_no_template() -> None:
    choices = Choices.parse("?window=6h")
    figure = {"data": [{"y": [1.0]}], "layout": {"yaxis": {"range": [0, 1]}}}
    prepared = prepare(DEMO, choices, "7?window=6h", View(figures={"demo-cpu-graph": figure}))
    payload = orjson.loads(orjson.dumps(prepared.payload()))
    layout = payload["figures"]["demo-cpu-graph"]["layout"]
    assert layout["uirevision"] == "demo-cpu-graph?window=6h"
    assert "template" not in layout
    assert figure["layout"] == {"yaxis": {"range": [0, 1]}}


def test_a_view_with_something_the_tab_does_not_have_is_refused() -> None:
    with pytest.raises(KeyError, match="page demo built graph nowhere"):
        prepare(DEMO, Choices(), "1", View(figures={"nowhere": {}}))


def _number(text: str) -> int | None:
    """Return a number written as source maps do; None of a space."""
    if text == " ":
        return None
    digits = base64.b64decode("".join(f"AAA{letter}" for letter in text))[2::3]
    size, is_negative = divmod(sum((digit % 32) << 5 * place for place, digit in enumerate(digits)), 2)
    return -size if is_negative else size


def decoded(column: Any) -> Any:
    """What assets/js/39-delta.js does."""
    deltas = [_number(text) for text in re.findall(r" |[g-z0-9+/]*[A-Za-f]", column.get("deltas") or column["days"])]
    sums = itertools.accumulate(delta or 0 for delta in deltas)
    values = [None if delta is None else total for delta, total in zip(deltas, sums, strict=True)]
    if "days" in column:
        return [str(np.datetime64(int(value or 0), "D")) for value in values]
    return [None if value is None else value / column["scale"] for value in values]


@given(st.lists(st.none() | st.decimals(-1_000_000, 1_000_000, places=3).map(float), min_size=12, max_size=40))
def test_delta_encoded_columns_come_out_as_they_went_in(values: list[float | None]) -> None:
    sent = delta_encoded({"data": [{"y": values, "z": [values, values], "name": "cpu"}], "layout": {}})
    (trace,) = orjson.loads(orjson.dumps(sent))["data"]
    assert trace["name"] == "cpu"
    assert decoded(trace["y"]) == values
    assert [decoded(row) for row in trace["z"]] == [values, values]


def test_amounts_of_billions_are_delta_encoded_to_the_cent() -> None:
    values = [3_000_000_000.0 + 0.01 * place for place in range(40)]
    sent = delta_encoded({"data": [{"customdata": values}]})["data"][0]["customdata"]
    assert decoded(sent) == [round(value, 2) for value in values] and sent["scale"] == 100


def test_days_are_delta_encoded_and_what_does_not_fit_is_left_alone() -> None:
    days = [str(day) for day in np.arange("2020-02-20", "2020-03-10", dtype="datetime64[D]")]
    assert decoded(delta_encoded({"data": [{"x": days}]})["data"][0]["x"]) == days
    for odd in (["core 12345"] * 20, [math.pi * 10**9] * 20, [1e-9] * 20, [1, 2, 3], [True] * 20):
        assert delta_encoded({"data": [{"y": odd}]}) == {"data": [{"y": odd}]}


def test_what_is_for_the_pointer_alone_is_not_sent_with_a_figure() -> None:
    told = {"customdata": [12_412_345.67, 12_400_000.5], "hovertemplate": "%{customdata}"}
    lines = [{"y": [1.0, 2.0]}, {"y": [1.0, 2.0], "hover": told}]
    made = prepare(DEMO, Choices(), "1", View(figures={"demo-cpu-graph": {"data": lines, "layout": {}}}))
    sent = orjson.loads(made.figures["demo-cpu-graph"])
    assert sent["data"] == [{"y": [1.0, 2.0]}, {"y": [1.0, 2.0]}]
    assert sent["hover"]["lazy"] == "/figure/demo/demo-cpu-graph/hover?"
    assert orjson.loads(made.hovers["demo-cpu-graph"]) == [{}, told]
