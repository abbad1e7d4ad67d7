"""`python -m alerting`: look through rules, test them, and try channels.

python -m alerting check [FILE...]   say what is wrong with files of rules; without FILE with those in force
python -m alerting test FILE...      run tests of rules: series in, alerts expected
python -m alerting show [NAME...]    print rules in force as a file has them, to be copied and changed
python -m alerting export [NAME...]  print rules that were made on the page as a file, and what is switched off
python -m alerting send-test CHANNEL   send a test by a channel, and print what was answered
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.clock import SystemClock
from core.errors import DeliveryError, FundwatchError, RuleRejected, SettingsError
from core.format import count

if TYPE_CHECKING:
    from core.alerts.rule_set import RuleSet
    from core.settings.model import Settings
    from storage.state.database import State


def main(arguments: list[str]) -> int:
    """Do what the arguments say.

    Return 0; 1 when a rule is wrong, a test fails or a channel does not deliver; 2 when nothing could be tried.
    """
    about = "Look through rules of alerts, test them, try channels."
    parser = argparse.ArgumentParser(prog="python -m alerting", description=about)
    commands = parser.add_subparsers(dest="command", required=True)
    checked = commands.add_parser("check", help="say what is wrong with rules, with the line of each mistake")
    checked.add_argument("files", nargs="*", type=Path, metavar="FILE", help="left out: the rules of the settings")
    tested = commands.add_parser("test", help="run tests of rules")
    tested.add_argument("files", nargs="+", type=Path, metavar="FILE")
    shown = commands.add_parser("show", help="print rules as a file has them, to be copied and changed")
    shown.add_argument("names", nargs="*", metavar="NAME", help="left out: every rule in force")
    out = commands.add_parser("export", help="print rules that were made on the page as a file")
    out.add_argument("names", nargs="*", metavar="NAME", help="left out: every one, and what is switched off")
    sent = commands.add_parser("send-test", help="send a test by a channel, and print what was answered")
    sent.add_argument("channel", metavar="CHANNEL", help="its name in the settings")
    sent.add_argument("--who", default="the command line", metavar="NAME", help="who asks, as the test says")
    chosen = parser.parse_args(arguments)
    try:
        match chosen.command:
            case "check":
                return _check(chosen.files)
            case "test":
                return max(map(_test, chosen.files))
            case "export":
                return _export(chosen.names)
            case "send-test":
                return _send_test(chosen.channel, chosen.who)
            case _:
                return _show(chosen.names)
    except FundwatchError as error:
        print(f"fundwatch: {error}", file=sys.stderr)
        return 2


def _check(files: Sequence[Path]) -> int:
    from core.alerts.files import read_rule_file
    from core.alerts.rule_set import assemble
    from portfolio.vocabulary import query_of, vocabulary

    if files:
        found = assemble([read_rule_file(each, vocabulary(), query_of) for each in files], vocabulary(), query_of)
    else:
        found = _of_settings()
    for fault in (*found.faults, *found.left_out):
        print(fault, file=sys.stderr)
    for hint in found.hints:
        print(f"{hint} (a hint)")
    mistakes = len(found.faults) + len(found.left_out)
    if found.faults:
        print(
            f"{count(mistakes, 'mistake')}: Fundwatch does not start with them; while it runs, rules stay as they were"
        )
    else:
        wrong = f", {count(mistakes, 'mistake')}" if mistakes else ", no mistake"
        print(f"{count(len(found.in_force()), 'rule')} in force with those that come with Fundwatch{wrong}")
    return 1 if mistakes else 0


def _export(names: Sequence[str]) -> int:
    from portfolio.own_rules import exported

    print(exported(_of_settings(), names), end="")
    return 0


def _show(names: Sequence[str]) -> int:
    from core.alerts.check import nearest
    from core.alerts.written import written

    known = {each.rule.name: each.rule for each in _of_settings().rules}
    if unknown := [name for name in names if name not in known]:
        raise RuleRejected("NAME", f"there is no rule {unknown[0]}", nearest(unknown[0], known))
    print(written(known[name] for name in names or known), end="")
    return 0


def _send_test(name: str, who: str) -> int:
    from alerting.send_test import send_test
    from core.alerts.check import nearest
    from core.settings.load import load_settings
    from portfolio.channel_set import channels_of, kept_channels

    settings = load_settings()
    channels = settings.channels.every()
    if name not in channels:
        with _state_of(settings) as state:
            channels = channels_of(settings, kept_channels(state) if state else ()).every()
    if name not in channels:
        instead = nearest(name, channels) or f"There are {', '.join(channels)}."
        raise SettingsError(f"there is no channel {name}. {instead}")
    try:
        answer = send_test(channels[name], who=who, machine=settings.machine, now=SystemClock().now())
    except DeliveryError as error:
        print(f"{name}: not delivered: {error}", file=sys.stderr)
        return 1
    print(f"{name}: delivered{f': {answer}' if answer else ''}")
    return 0


def _of_settings() -> RuleSet:
    """Return the rules of the settings and of their state database, those with a mistake left out and told of.

    Raises StorageUnavailable.
    """
    from core.alerts.kept import NOTHING_KEPT
    from core.settings.load import load_settings
    from portfolio.rule_files import kept_rules, rules_of

    settings = load_settings()
    with _state_of(settings) as state:
        return rules_of(settings, kept_rules(state) if state else NOTHING_KEPT)


@contextmanager
def _state_of(settings: Settings) -> Iterator[State | None]:
    """Open the state database; None: before the first start there is none yet, and so nothing in it."""
    from contextlib import closing

    from storage.state.database import State

    with closing(State(settings.state_dsn)) as state:
        is_new = state.file is not None and not state.file.exists()
        yield None if is_new else state


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
