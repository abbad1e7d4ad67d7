"""Every figure at once: the same as each alone, and a reason wherever there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import drawdown, ratios, risk
from analytics.metrics import METRICS, SURE
from analytics.returns import per_period_rate
from analytics.summary import UNKNOWN, summarize, summary

DAYS = pd.bdate_range("2018-01-01", periods=800)


def returns(columns: int, seed: int = 1) -> pd.DataFrame:
    numbers = np.random.default_rng(seed).normal(0.0004, 0.01, (len(DAYS), columns))
    return pd.DataFrame(numbers, index=DAYS, columns=[f"P{at}" for at in range(columns)])


def test_every_metric_says_what_it_is_and_has_a_name_of_its_own() -> None:
    assert len({metric.key for metric in METRICS}) == len({metric.title for metric in METRICS}) == len(METRICS)
    assert all(metric.definition.endswith((".", ")", "95 %")) for metric in METRICS)


def test_the_table_holds_what_each_figure_gives_alone() -> None:
    frame, index = returns(3), returns(1, 2)["P0"]
    table = summarize(frame, index, risk_free=0.02)
    rate = 1.02 ** (1 / 252) - 1
    np.testing.assert_allclose(table.loc["sharpe"], ratios.sharpe(frame, rate, 252))
    np.testing.assert_allclose(table.loc["max_drawdown"], drawdown.max_drawdown(frame))
    np.testing.assert_allclose(table.loc["volatility"], risk.volatility(frame, 252))
    assert list(table.index) == [metric.key for metric in METRICS]
    missing = set(table.index[table.isna().any(axis=1)])
    assert missing <= {"return_5y", "minimum_track_record"}


def test_many_portfolios_give_what_one_at_a_time_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.summary.CHUNK_VALUES", 3 * len(DAYS))
    frame, index = returns(8), returns(1, 2)["P0"]
    frame.iloc[:300, 2] = np.nan
    frame.iloc[400:410, 3] = np.nan
    frame.iloc[500, 4] = -1.0
    frame["P5"] = 0.0
    frame.iloc[600, 6] = -1.5
    frame["P7"] = np.nan
    together = summarize(frame, index)
    for name in frame:
        alone = summarize(frame[name], index)
        pd.testing.assert_series_equal(together[name], alone[name], rtol=1e-9)
        said = {key: why for (key, of), why in together.attrs["reasons"].items() if of == name}
        assert said == {key: why for (key, _), why in alone.attrs["reasons"].items()}


@settings(max_examples=40, deadline=None)
@given(order=st.permutations(range(5)), scale=st.floats(0.1, 3.0))
def test_order_changes_nothing_and_what_is_scaled_scales(order: list[int], scale: float) -> None:
    frame = returns(5)
    pd.testing.assert_frame_equal(summarize(frame.iloc[:, order]), summarize(frame).iloc[:, order])
    scaled, plain = summarize(scale * frame), summarize(frame)
    for key in ("volatility", "value_at_risk", "expected_shortfall", "downside_deviation"):
        np.testing.assert_allclose(scaled.loc[key], scale * plain.loc[key])
    for key in ("sharpe", "sortino", "omega", "skewness", "kurtosis", "hit_rate", "tail_ratio"):
        np.testing.assert_allclose(scaled.loc[key], plain.loc[key], rtol=1e-6)


HARD: dict[str, tuple[list[float], str, str]] = {
    "nothing": ([], "total_return", "no returns"),
    "only missing": ([np.nan] * 5, "max_drawdown", "no returns"),
    "one": ([0.01], "sharpe", "needs 20 returns"),
    "a month": ([0.01, -0.02] * 10, "annual_return", "needs a year of returns: less is not annualised"),
    "flat": ([0.0] * 300, "sharpe", "the returns never vary"),
    "constant": ([0.0001] * 300, "sharpe", "the returns never vary"),
    "only gains": ([0.01, 0.02] * 150, "sortino", "no return was negative"),
    "no drawdown": ([0.01, 0.02] * 150, "calmar", "there was no drawdown"),
    "debt": (
        [0.01, -1.3] + [0.01] * 298,
        "total_return",
        "a loss of more than 100 %: nothing compounds through a debt",
    ),
    "young": ([0.01, -0.02] * 150, "return_5y", "the history does not reach back that far"),
}


@pytest.mark.parametrize("name", HARD)
def test_what_cannot_be_told_says_why_and_nothing_is_infinite(name: str) -> None:
    values, key, reason = HARD[name]
    series = pd.Series(values, index=pd.bdate_range("2020-01-01", periods=len(values)), dtype=float, name="fund")
    index = pd.Series(np.linspace(-0.01, 0.01, len(values)), index=series.index)
    table = summarize(series, index)
    assert np.isnan(table["fund"][key])
    assert table.attrs["reasons"][key, "fund"] == reason
    assert not np.isinf(table.to_numpy()).any()
    missing = {(key, "fund") for key in table.index[table["fund"].isna()]}
    assert missing == set(table.attrs["reasons"])
    assert UNKNOWN not in table.attrs["reasons"].values()


def test_a_total_loss_is_told_to_its_day() -> None:
    table = summarize(pd.Series([0.02, -1.0, 0.5, 0.5], index=DAYS[:4], name="fund"))
    assert table["fund"][["total_return", "max_drawdown", "observations"]].tolist() == [-1.0, -1.0, 2.0]


def test_a_benchmark_is_joined_on_its_days() -> None:
    frame, index = returns(2), returns(1, 2)["P0"]
    late = index.iloc[100:].sample(frac=1.0, random_state=1).sort_index()
    joined = summarize(frame, late)
    pd.testing.assert_frame_equal(joined, summarize(frame.iloc[100:], late))
    assert joined["P0"]["common_observations"] == 700


@pytest.mark.parametrize(
    ("days", "message"),
    [
        (["2020-01-02", "2020-01-02"], "2020-01-02 .*is there twice"),
        (["2020-01-03", "2020-01-02"], "2020-01-02 .*comes after 2020-01-03"),
        (["2020-01-02", None], "row 1 has no date"),
    ],
)
def test_dates_out_of_order_are_named(days: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        summarize(pd.Series([0.1, 0.2], index=pd.DatetimeIndex(days)))


def test_an_infinite_return_is_named_with_its_date() -> None:
    with pytest.raises(ValueError, match=r"2018-01-02.*infinite"):
        summarize(pd.DataFrame({"fund": [0.1, np.inf]}, index=DAYS[:2]))


def test_time_zones_meet_in_universal_time_and_a_lone_one_is_refused() -> None:
    paris = pd.date_range("2020-01-01 18:00", periods=400, tz="Europe/Paris")
    numbers = np.random.default_rng(3).normal(0, 0.01, 400)
    own = pd.Series(numbers, index=paris, name="fund")
    table = summarize(own, pd.Series(numbers, index=paris.tz_convert("America/New_York")))
    assert table["fund"]["beta"] == pytest.approx(1.0)
    with pytest.raises(ValueError, match="time zone"):
        summarize(own, pd.Series(numbers, index=paris.tz_localize(None)))


def test_ratios_and_tails_of_a_handful_of_returns_are_not_told() -> None:
    frame, index = returns(1), returns(1, 2)["P0"]
    few, enough = summarize(frame[:19], index[:19]), summarize(frame[:20], index[:20])
    ratios_of = [each.key for each in METRICS if each.group == "Reward for risk"]
    for key in (
        *ratios_of,
        "volatility",
        "tracking_error",
        "value_at_risk",
        "expected_shortfall",
        "value_at_risk_gaussian",
        "sharpe_low",
    ):
        assert np.isnan(few.loc[key, "P0"]), key
        assert few.attrs["reasons"][key, "P0"].startswith("needs 20 returns")
    assert few.attrs["reasons"]["beta", "P0"] == "needs 20 returns in common with the benchmark"
    for key in ("sharpe", "sortino", "value_at_risk", "expected_shortfall", "beta", "information_ratio"):
        assert np.isfinite(enough.loc[key, "P0"]), key
    for key in ("total_return", "max_drawdown", "best_period"):
        assert np.isfinite(few.loc[key, "P0"]), key


def test_a_rate_for_each_period_that_is_always_the_same_is_that_constant() -> None:
    draw = np.random.default_rng(4)
    own, other = draw.normal(0.0005, 0.01, (3, 400)), draw.normal(0.0004, 0.01, 400)
    own[1, 50:60] = np.nan
    days = np.datetime64("2020-01-01") + np.arange(400)
    each = np.full(400, per_period_rate(0.05, 252))
    constant = summary(days, own, other, 0.05, 252, metrics=(*METRICS, *SURE))
    series = summary(days, own, other, each, 252, metrics=(*METRICS, *SURE))
    for metric in constant.metrics:
        assert series[metric.key] == pytest.approx(constant[metric.key], nan_ok=True, rel=1e-6), metric.key


def test_a_return_whose_period_has_no_rate_counts_in_no_ratio() -> None:
    own = np.random.default_rng(5).normal(0.0005, 0.01, 300)
    rates = np.full(300, 1e-4)
    rates[:100] = np.nan
    found, shorter = summary(None, own, None, rates), summary(None, own[100:], None, rates[100:])
    assert found.of("sharpe") == pytest.approx(shorter.of("sharpe"))
    assert found.of("volatility") == pytest.approx(summary(None, own).of("volatility"))
