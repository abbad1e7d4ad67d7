"""`python -m alerting`: look through rules, and test them.

python -m alerting check [FILE...]   say what is wrong with files of rules; without FILE with those in force
python -m alerting test FILE...      run tests of rules: series in, alerts expected
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import FundwatchError, RuleRejected
from core.format import count


def main(arguments: list[str]) -> int:
    """Do what the arguments say. Return 0; 1 when a rule is wrong or a test fails; 2 when nothing could be tried."""
    parser = argparse.ArgumentParser(prog="python -m alerting", description="Look through rules of alerts, test them.")
    commands = parser.add_subparsers(dest="command", required=True)
    checked = commands.add_parser("check", help="say what is wrong with rules, with the line of each mistake")
    checked.add_argument("files", nargs="*", type=Path, metavar="FILE", help="left out: the rules of the settings")
    tested = commands.add_parser("test", help="run tests of rules")
    tested.add_argument("files", nargs="+", type=Path, metavar="FILE")
    chosen = parser.parse_args(arguments)
    try:
        return _check(chosen.files) if chosen.command == "check" else max(map(_test, chosen.files))
    except FundwatchError as error:
        print(f"fundwatch: {error}", file=sys.stderr)
        return 2


def _check(files: Sequence[Path]) -> int:
    from core.alerts.files import read_rule_file
    from core.alerts.rule_set import assemble, load_rules
    from core.settings.load import load_settings
    from core.settings.model import config_file
    from portfolio.vocabulary import query_of, vocabulary

    if files:
        found = assemble([read_rule_file(each, vocabulary(), query_of) for each in files], vocabulary(), query_of)
    else:
        found = load_rules(load_settings(), config_file(), vocabulary(), query_of)
    for fault in found.faults:
        print(fault, file=sys.stderr)
    for hint in found.hints:
        print(f"{hint} (a hint)")
    wrong = f", {count(len(found.faults), 'mistake')}" if found.faults else ", no mistake"
    print(f"{count(len(found.in_force()), 'rule')} in force with those that come with Fundwatch{wrong}")
    return 1 if found.faults else 0


def _test(path: Path) -> int:
    """Run the tests of a file, print what came of each, and return 0, or 1 when one failed."""
    from alerting.trial import failures, read_trials
    from core.alerts.files import read_rule_file
    from core.alerts.rule_set import assemble
    from portfolio.vocabulary import query_of, vocabulary

    trials = read_trials(path)
    files = [read_rule_file(path.parent / each, vocabulary(), query_of) for each in trials.rules]
    found = assemble(files, vocabulary(), query_of)
    if found.faults:
        raise RuleRejected("rules", "; ".join(map(str, found.faults)))
    rules = {rule.name: rule for rule in found.in_force()}
    failed = 0
    for trial in trials.tests:
        wrong = failures(trial, rules)
        print(f"{'FAILED' if wrong else 'passed'}  {trial.name}")
        for each in wrong:
            print(f"        {each}")
        failed += bool(wrong)
    print(f"{path}: {count(len(trials.tests), 'test')}, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
