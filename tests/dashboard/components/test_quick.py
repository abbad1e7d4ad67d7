"""Components made without their constructor are those that it makes."""

from __future__ import annotations

from dash import html

from dashboard.components.attributes import attributes
from dashboard.components.quick import quick
from dashboard.views.serialize import plain


def test_a_quick_component_is_what_the_constructor_makes_without_what_is_none() -> None:
    given = {"className": "fw-x", "id": "a", **attributes(data_ts="1", aria_label="now")}
    children = ["text", html.Span("in it")]
    made = quick(html.Td, children, title=None, **given)
    assert made.to_plotly_json() == html.Td(children, **given).to_plotly_json()
    assert quick(html.Span).to_plotly_json() == html.Span().to_plotly_json()


def test_what_is_sent_of_a_component_is_its_properties() -> None:
    sent = plain(html.Td([html.Span("a", className="b"), None, 1.0], title="t", **attributes(data_ts="1")))
    span = {"props": {"children": "a", "className": "b"}, "type": "Span", "namespace": "dash_html_components"}
    assert sent["props"] == {"children": [span, None, 1.0], "title": "t", "data-ts": "1"}
