"""docs/rules.md, made from the model of rules, what they may name, and those that come with Fundwatch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from core.alerts.expression import UNITS
from core.alerts.figures import OWN_FIGURES, FigureKind
from core.alerts.files import FIELDS, read_rules
from core.alerts.rule import EXAMPLE, Rule
from core.alerts.rule_set import SHIPPED, shipped_text
from core.format import coarse_duration
from portfolio.vocabulary import SETTINGS, SPOKEN, of_portfolios, query_of, vocabulary
from status.worked import FEWEST_MINUTES, FEWEST_WEEKS

HEAD = """# Rules of alerts

Made by `make texts`. Rules stand in `rules/*.yaml` (setting `rules_dir`), under `rules:` in `fundwatch.yaml`, or are
made on the page Rules ([alerting.md](alerting.md#rules-that-are-made-here)); `python -m alerting export` prints those.
`python -m alerting check` says what is wrong with them, each mistake with its line, before anything runs;
`python -m alerting test FILE` runs tests of them; `python -m alerting show NAME` prints one, to be copied and changed.
"""

WHEN = """
## What a rule watches for

| | |
|---|---|
| a figure beside a number | `system_cpu_busy_ratio > 80 %`, with `<` `<=` `>` `>=` `==` `!=` |
| of some series alone | `system_disk_used_ratio{mount="/data"} > 90 %`, with `=` `!=` `=~` `!~` |
| the state of a component | `status{component="Redis main"} >= critical` |
| that there is none | `absent(freshness_age_seconds{instance="L1"})` |
| over a span | `avg(x, 5 min)`, `min(x, 5 min)`, `max(x, 5 min)`; `change(x, 1 h)`: newest less an hour before |
| beside what is usual | `zscore(x, 4 w) > 5`: deviations from the median of this hour (UTC) of 4 weeks |
| what is to come | `forecast(x, 4 h) > 95 %`: where the line through 4 h (2 h at least) of the past leads |
| a figure of portfolios | `max_drawdown[1y] < -15 %`, `beta[1y, benchmark=SPY, frequency=weekly] > 1.2` |
| joined | `and`, `or`, `not`, `( )`; sets of labels that have one in common meet where its values are the same |

One rule watches every series of its figure: each set of labels is an alert of its own. Counters are kept as rates, so
that there is no `rate`. What is stale, unknown or too short to tell is no value, and `no_data` says what becomes of the
alert; missing data never make an alert clear."""

FILE = """
## A file of rules

```yaml
rules:
  - name: data-disk
    when: system_disk_used_ratio{{mount="/data"}} > 90 %
    clear: system_disk_used_ratio{{mount="/data"}} < 85 %
    for: 5 min
    severity: critical
    message: "{{mount}} of {{machine}} is {{value:.0%}} full"
disabled: [api-slow]      # of those that come with Fundwatch
metrics: [oms_orders]     # that exporters or programs name, and that rules here use
```

In `fundwatch.yaml` these are `rules`, `rules_disabled` and `rule_metrics`:

```yaml
{example}
```

A rule with the name of one that comes with Fundwatch takes its place. A file with a mistake is refused.

| field | default | meaning |
|---|---|---|"""

TESTS = """
## Tests of rules

```yaml
rules: [desk.yaml]        # from the folder of this file; those that come with Fundwatch are there too
tests:
  - name: a full disk is told after five minutes
    series:
      - {figure: 'system_disk_used_ratio{mount="/data"}', every: 1 min, values: '0.5x4 0.95x20'}
    expect:
      - {at: 8 min, rule: data-disk}
      - {at: 12 min, rule: data-disk, firing: [{labels: {mount: /data}, severity: critical}]}
```

Values are written as promtool has them: `a` one, `axn` it and n more, `a+bxn` n more that each grow by b, `_` and `_xn`
none, `stale` no longer there; a figure of states takes words: `ok`, `downx3`. What is expected is all that fires of the
rule at that time; severity and message are compared where they are given.

Thresholds with `for` and `keep_firing_for`, and `absent`, fire at the evaluations at which promtool has them fire.
Three things differ on purpose: a series that is gone lacks data (`no_data`) instead of being clear, what begins and
ends six times within half an hour fires on until it is quiet, and an alert of `absent` has no labels of what is not
there."""


def rules_page() -> str:
    """Return the page."""
    lines = [HEAD, *_fields(), WHEN, *_units(), *_figures(), *_shipped(), TESTS]
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def _fields() -> Iterator[str]:
    yield FILE.format(example="\n".join(EXAMPLE))
    for written, name in FIELDS.items():
        field = Rule.model_fields[name]
        default = "needed" if field.is_required() else _default(name)
        yield f"| `{written}` | {default} | {field.description} |"


def _default(name: str) -> str:
    value = Rule.model_fields[name].get_default(call_default_factory=True)
    if name in ("severity",):
        return f"`{value.word}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float):
        return coarse_duration(value)
    return f"`{value}`" if value else "empty"


def _units() -> Iterator[str]:
    yield "\nUnits: " + ", ".join(f"`{unit}`" for unit in UNITS) + ". A number alone is in the unit of the figure."


def _figures() -> Iterator[str]:
    yield "\n## What can be named\n"
    yield "Every metric of [metrics.md](metrics.md): those of watched sources have the label `instance`, those of the"
    yield "machine and of Fundwatch itself `machine`. What exporters and programs name is listed under `metrics`; what "
    yield "programs send has `machine` where they name the one it is of (`host`)."
    yield "Beside them there are these:\n"
    yield from _table(OWN_FIGURES)
    spoken = ", ".join(f"`{name}` for `{key}`" for name, key in SPOKEN.items())
    yield "\nFigures of portfolios have the labels `portfolio` (its id) and `origin`; without a word about `origin` the"
    yield "fund's own are meant. In `[ ]` stand the window (1y, ytd, itd, 2024-01-01:2024-12-31) and, behind commas,"
    yield f"{', '.join(f'`{name}`' for name in SETTINGS)}. Of a portfolio whose value is overdue no figure is told."
    yield f"`zscore` needs {FEWEST_WEEKS} weeks with {FEWEST_MINUTES} minutes in all. People may write {spoken}.\n"
    yield from _table(of_portfolios())


def _table(kinds: tuple[FigureKind, ...]) -> Iterator[str]:
    yield "| figure | unit | labels | meaning |"
    yield "|---|---|---|---|"
    for kind in kinds:
        of = "its own" if kind.labels is None else ", ".join(kind.labels)
        yield f"| `{kind.name}` | {kind.unit} | {of} | {kind.meaning} |"


def _shipped() -> Iterator[str]:
    yield "\n## Those that come with Fundwatch\n"
    yield "On from the first start. Collectors judge what they watch by the limits of the settings; these rules say"
    yield "when that is told. A warning is a warning, critical and down are critical; of what trading rests on, down is"
    yield "urgent. What is unknown lacks data, and is told with the highest severity of its rule."
    yield "\n| rule | severity | watches for | for |"
    yield "|---|---|---|---|"
    for each in read_rules(shipped_text(), SHIPPED, vocabulary(), query_of).rules:
        rule = each.rule
        of = [(severity.word, str(expression)) for severity, expression in rule.conditions]
        severities = "<br>".join(word for word, _ in of)
        watched = "<br>".join(f"`{text}`".replace("|", r"\|") for _, text in of)
        yield f"| `{rule.name}` | {severities} | {watched} | {coarse_duration(rule.for_) if rule.for_ else 'at once'} |"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(rules_page(), encoding="utf-8")
