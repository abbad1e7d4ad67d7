from __future__ import annotations

from typing import Any

import pytest
from werkzeug.exceptions import BadRequest

from dashboard.views.callbacks import check

KNOWN = {"a.children": {"callback": object(), "inputs": [{"id": "b", "property": "data"}], "state": []}}
ASKED: dict[str, Any] = {
    "output": "a.children", "outputs": {"id": "a", "property": "children"},
    "inputs": [{"id": "b", "property": "data"}], "state": [], "changedPropIds": [],
}  # fmt: skip


def test_a_request_of_a_callback_is_let_through() -> None:
    check(ASKED, KNOWN)


@pytest.mark.parametrize("state", ["", {}, None, 0, [1]])
def test_what_is_no_list_is_refused_also_where_nothing_is_in_it(state: Any) -> None:
    with pytest.raises(BadRequest, match="state"):
        check({**ASKED, "state": state}, KNOWN)
