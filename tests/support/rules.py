"""Texts of rules that people write: one that is right, and what may be wrong with one."""

from __future__ import annotations

RIGHT = """rules:
  - name: data-disk
    when: system_disk_used_ratio{mount="/data"} > 90 %
    for: 5 min
    severity: critical
    message: '{mount} is {value:.0%} full'
"""
WRONG = (
    ("rules: []\n", "has no rule"),
    ("rules: [\n", "cannot be read as YAML"),
    ("rules: &all [*all]\n", "line 1: has an alias"),
    ("[" * 5_000, "cannot be read as YAML"),
    (RIGHT.replace("used_ratio", "used_rato"), "line 3: when: there is no figure system_disk_used_rato. Did you mean"),
    (RIGHT.replace("mount=", "mont="), "Did you mean mount?"),
    (RIGHT.replace("90 %", "90 min"), "is not measured in min"),
    (RIGHT.replace("> 90", ">> 90"), "is not understood"),
    (RIGHT.replace("5 min", "soon"), "line 4: for: is no span of time"),
    (RIGHT.replace("severity", "severty"), "Did you mean severity?"),
    (RIGHT.replace("critical", "grave"), "line 5: severity: is none of info"),
    (RIGHT.replace("{mount} is", "{disk} is"), "line 6: message: {disk} is not known"),
    (RIGHT.replace("data-disk", "Data Disk"), "line 2: name: "),
    (RIGHT + "  - {name: second, when: age > 1 h}\n", "has several rules"),
    (RIGHT + "disabled: [api-slow]\n", "disabled: belongs into files"),
    (RIGHT.replace("data-disk", "slow"), "name: another rule has it, in "),
    (RIGHT + "#" * 10_000, "10,000 at most"),
)  # fmt: skip
"""With what is said of each; a rule named slow stands in a file."""
