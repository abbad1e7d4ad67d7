"""Every figure against the numbers that others published for it."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.reference.adapter import METRICS, compute

HERE = Path(__file__).parent
CASES: list[dict[str, Any]] = [
    case
    for name in ("cases.json", "consensus_cases.json")
    for case in json.loads((HERE / name).read_text(encoding="utf-8"))
]
PENDING: dict[str, str] = yaml.safe_load((HERE / "pending.yaml").read_text(encoding="utf-8")) or {}
DISPUTED: dict[str, str] = yaml.safe_load((HERE / "disputed.yaml").read_text(encoding="utf-8")) or {}


@cache
def table(name: str) -> pd.DataFrame:
    """Return an input file, the first column as its dates."""
    return pd.read_csv(HERE / "inputs" / name, index_col=0, parse_dates=True)


def parameters() -> list[Any]:
    """Return a parameter set a case; a disputed one must fail."""
    marks = {name: [pytest.mark.xfail(reason=why, strict=True)] for name, why in DISPUTED.items()}
    mapped = [case for case in CASES if case["metric"] not in PENDING]
    return [pytest.param(case, id=case["name"], marks=marks.get(case["name"], [])) for case in mapped]


@pytest.mark.parametrize("case", parameters())
def test_figure_is_the_published_one(case: dict[str, Any]) -> None:
    frame = table(case["input_file"]) if case["input_file"] else None
    got = compute(case["metric"], frame, case["column"], case["params"])
    expected = float(case["expected"])
    if math.isfinite(expected):
        assert got == pytest.approx(expected, abs=case["tolerance"], rel=0)
    else:
        assert np.array_equal(got, expected, equal_nan=True)


def test_the_lists_name_what_there_is() -> None:
    assert set(DISPUTED) <= {case["name"] for case in CASES}
    assert set(PENDING) <= {case["metric"] for case in CASES}
    assert not set(PENDING) & set(METRICS)
