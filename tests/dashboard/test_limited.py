"""A viewer limited to one portfolio of a tree is told nothing of the others, wherever the product answers anything.

Everything is asked that the registry of pages, rules, callbacks and forms has, and every address that an answer names.
"""

from __future__ import annotations

import html
import io
import json
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import orjson
import pytest
from dash import Dash
from flask import Request
from flask.testing import FlaskClient
from pydantic import SecretStr
from werkzeug.exceptions import MethodNotAllowed, NotFound

import api
from access.viewer import Viewer
from api.server import OPERATIONS
from core.alerts.matchers import read_matchers
from core.alerts.silence import Silence, Window
from core.alerts.spec import ALERTS, ENGINE, FiringAlert, OpenIncident, Quieting, RuleCost
from core.clock import FakeClock
from core.memo import Memo
from core.model import Component, Facts, Reading, Status
from core.pipeline.spec import Checks, CollectorRuns
from core.readiness import READINESS, PortfolioReadiness, ReadinessCheck
from core.requests import RELOAD, SETTINGS
from core.roles import Role
from core.settings.pull import Pull
from core.tables import columns_of, table_of
from dashboard.factory import create_app
from dashboard.frame import ids
from dashboard.frame.security import is_public
from dashboard.tabs import PAGES, portfolio
from dashboard.views.callbacks import PATH
from dashboard.views.refresh import Refresh
from dashboard.views.serialize import Prepared
from dashboard.views.tab import Choices
from portfolio.events import write_event
from portfolio.imports.take import take
from portfolio.tree.merge import merge
from portfolio.tree.settings import change
from storage.clickhouse.readiness_rows import change_facts
from storage.clickhouse.reads.state_changes import ComponentId, StateChange, state_change_facts
from storage.state.actions import FAILED, finish_action, request_action
from storage.state.alerts import (
    HistoryRow,
    KeptIncident,
    KeptMessage,
    add_history,
    add_messages,
    write_incident,
)
from storage.state.halts import Halt, add_halt
from storage.state.imports import recent_imports
from storage.state.portfolios import Portfolio, list_portfolios, put_portfolios
from storage.state.silences import add_silence, add_window
from storage.stores import Stores
from tests.dashboard.test_rights import everything
from tests.support.requests import opening, request_of

MINE, HIDDEN, NOBODY = "mine", "gamma-x", "nobody1"
"""The portfolio that may be seen, one that may not, and one that there is not: as long as the hidden one."""
SECRETS = ("Vault Sigma", "vault-sg", "Secret Gamma", "gamma-x", "Hidden Delta", "delta-x", "Old Omega", "omega-x")
FIGURES = ("8.77 B", "77.7")
"""The hidden portfolio's last value and its last return, as tables and cards write them."""
IMPORTERS = ("inbox", "pull-fills")
"""What brings rows, and tells what was wrong with them."""
DAYS = 400
LIMITED = frozenset({MINE})
WHO = {
    "viewer": Viewer("vera", Role.VIEWER, portfolios=LIMITED),
    "operator": Viewer("adam", Role.OPERATOR, may_act=True, portfolios=LIMITED),
    "nothing": Viewer("nora", Role.OPERATOR, portfolios=frozenset({"gone"})),
    "all": Viewer("olga", Role.ADMIN, may_act=True),
}


def by_header(request: Request) -> Viewer | None:
    return WHO.get(request.headers.get("X-Who", ""))


@pytest.fixture
def stores(stores: Stores) -> Stores:
    """A tree of secret-named portfolios round the one that may be seen, and everything that tells of them anywhere."""
    pull = Pull(name="fills", kind="trades", url=SecretStr("postgresql://a:b@h/x"), query="SELECT 1", mark="id")
    settings = stores.settings.model_copy(update={"pull": (pull,)})
    stores = replace(stores, clock=FakeClock(float(int(time.time()))), settings=settings)
    put_sample(stores)
    put_portfolios(stores.state, [
        Portfolio("own", "vault-sg", "Vault Sigma"),
        Portfolio("own", MINE, "My Alpha", parent="vault-sg", benchmark="INDEX"),
        Portfolio("own", "mine-b", "My Beta", parent=MINE),
        Portfolio("own", "mine-c", "My Chi", parent=MINE),
        Portfolio("own", HIDDEN, "Secret Gamma", parent="vault-sg", benchmark="INDEX"),
        Portfolio("own", "delta-x", "Hidden Delta", parent="vault-sg"),
        Portfolio("own", "omega-x", "Old Omega"),
    ])  # fmt: skip
    for id, level, last in (("mine-b", 1e6, 1.01), ("mine-c", 2e6, 1.02), (HIDDEN, 8.7654e9 / 1.777, 1.777),
                            ("delta-x", 8.7654e9, 1.0)):  # fmt: skip
        take(stores, f"{id}.csv", history(id, level, last), accept=True)
    both = b"date,portfolio,nav\n2020-01-06,gamma-x,8765411111\n2020-01-06,mine-b,1000123\n"
    take(stores, "gamma-x and mine-b.csv", both, accept=True)
    take(stores, "omega-x.csv", history("omega-x", 5e6, 1.0), accept=True)
    take(stores, "index.csv", history("INDEX", 100, 1.0).replace(b"portfolio,nav", b"instrument,price"), accept=True)
    merge(stores, "omega-x", HIDDEN, HIDDEN, "olga")
    change(stores, MINE, {"parent": "", "strategy": "macro"}, "olga")
    change(stores, MINE, {"parent": "vault-sg"}, "olga")
    change(stores, "delta-x", {"strategy": "Hidden Delta carry"}, "olga")
    refused = stores.settings.data_dir / "inbox" / "refused"
    refused.mkdir(parents=True)
    (refused / "gamma-x-2024.csv").write_text("what,Secret Gamma\n")
    (refused / "gamma-x-2024.csv.problems.txt").write_text("gamma-x-2024.csv: nothing imported.\nSecret Gamma: why.\n")
    tell_of_own_work(stores)
    tell_of_readiness(stores)
    write_event(stores, {"text": "Old Omega is closed", "tags": ["hidden"], "portfolio": "own:gamma-x"}, "olga", None)
    return stores


def tell_of_readiness(stores: Stores) -> None:
    """Let the hidden portfolio be the one that is not safe, and be halted."""
    now, why = stores.clock.now(), "77.7 % below its peak: Secret Gamma"
    checks = [
        ReadinessCheck(MINE, "limits", "Limits", "ready", "it is well", now, now, "/portfolio"),
        ReadinessCheck(HIDDEN, "limits", "Limits", "not ready", why, now, now, "/portfolio?portfolio=own:gamma-x"),
    ]
    answers = [
        PortfolioReadiness("", False, 0, 1, [f"{HIDDEN}: {why}"], now, ""),
        PortfolioReadiness(MINE, True, 1, 1, [], now, ""),
        PortfolioReadiness(HIDDEN, False, 0, 1, [why], now, ""),
    ]
    tables = [table_of(ReadinessCheck, checks), table_of(PortfolioReadiness, answers)]
    stores.live.put_reading(READINESS, stores.settings.machine, now, 1.0, Reading(tables=tables))
    add_halt(stores.state, Halt(HIDDEN, "olga", "Secret Gamma is halted", now))
    add_halt(stores.state, Halt(HIDDEN, "olga", "Secret Gamma was halted for a while", now - 60, until=now - 30))
    changed = [(now - ago, ("", MINE, HIDDEN), ago == 20) for ago in (30, 20, 10)]
    for at, portfolios, is_safe in changed:
        for id in portfolios:
            answer = PortfolioReadiness(id, is_safe or id == MINE, 0, 1, [f"{HIDDEN}: {why}"], at, "")
            stores.clickhouse.insert(change_facts("host-1", at, [(answer, checks)]))


def put_sample(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("sample", "fund", "Sample fund")])
    days = weekdays().astype("datetime64[s]").astype(int).tolist()
    names = ("origin", "portfolio", "ts", "nav", "flow", "version")
    columns = (
        ["sample"] * DAYS,
        ["fund"] * DAYS,
        days,
        [100.0 + at % 7 for at in range(DAYS)],
        [0.0] * DAYS,
        [1] * DAYS,
    )
    stores.clickhouse.insert(Facts("nav", names, columns))


def weekdays() -> Any:
    return np.busday_offset("2020-01-01", np.arange(DAYS), roll="forward")


def history(id: str, level: float, last: float) -> bytes:
    """Return a file of a portfolio by weekday: it swings a little, and ends with a factor."""
    days = weekdays()
    chance = np.random.default_rng(len(id) + int(level) % 97)
    values = level * np.cumprod(1 + chance.normal(0, 1e-4, len(days)))
    values[-1] = values[-2] * last
    lines = [f"{day},{id},{value:.4f}" for day, value in zip(days, values, strict=True)]
    return ("date,portfolio,nav\n" + "\n".join(lines)).encode()


def tell_of_own_work(stores: Stores) -> None:
    """Let the pipeline say what names portfolios and files: the inbox, changed settings, an action that failed."""
    now, why = stores.clock.now(), "gamma-x-2024.csv waits: Secret Gamma is being merged"
    row = dict.fromkeys(columns_of(CollectorRuns)) | {
        "kind": "", "instance": "", "status": "down", "why": why, "interval_seconds": 5.0,
        "timeout_seconds": 4.0, "durations_seconds": [0.1], "failures_in_a_row": 1, "breaker": "closed",
        "opened_total": 0, "abandoned_threads": 0, "error": why, "duration_seconds": 0.1, "lateness_p99_seconds": 0.1,
        "retry_in_seconds": 0.0,
    }  # fmt: skip
    settings = Component(Checks.SETTINGS, Status.WARNING, "changed ones refused: portfolios: parent of Secret Gamma")
    table = table_of(CollectorRuns, [CollectorRuns(**{**row, "collector": name}) for name in IMPORTERS])  # type: ignore[arg-type]
    failing = [Component(f"collector {name}", Status.DOWN, why) for name in IMPORTERS]
    own = Reading(components=(settings, *failing), tables=(table,))
    stores.live.put_reading("pipeline", "host-1", now, 5.0, own)
    for name in IMPORTERS:
        said = Reading(components=(Component(name, Status.WARNING, why),))
        stores.live.put_reading(name, "host-1", now, 5.0, said)
    columns = ("ts", "host", "collector", "duration_seconds", "lateness_seconds", "outcome", "samples", "error")
    runs = [(round(now * 1000) - 5000, "host-1", name, 0.1, 0.0, "unavailable", 0, why) for name in IMPORTERS]
    stores.clickhouse.insert(Facts("runs", columns, tuple(map(list, zip(*runs, strict=True)))))
    stores.clickhouse.insert(state_change_facts([
        *(
            StateChange(now - 60, ComponentId("host-1", name, name), Status.WARNING, Status.OK, 60.0, why, why)
            for name in IMPORTERS
        ),
        StateChange(now - 55, ComponentId("host-1", "pipeline", "collector pull-fills"), Status.DOWN, Status.OK, 6.0,
                    why, why),
        StateChange(now - 50, ComponentId("host-1", "pipeline", "settings"), Status.WARNING, Status.OK, 6.0, why, why),
    ]))  # fmt: skip
    tell_of_alerts(stores)
    number = request_action(stores.state, now, str(SETTINGS), RELOAD, "", "olga")
    finish_action(stores.state, now, number, FAILED, "refused: portfolios: parent of Secret Gamma")


def tell_of_alerts(stores: Stores) -> None:
    """Let alerts of hidden portfolios fire, be told, silenced and written down."""
    now, said = stores.clock.now(), "Secret Gamma lost 77.7 %"
    own = {"rule": "daily-loss", "alertname": "daily-loss", "severity": "urgent", "category": "portfolio"}
    firing = [
        FiringAlert(id, "daily-loss", "Daily loss", "urgent", "portfolio", json.dumps({"portfolio": id, **own}),
                    "firing", now - 60, value, text, "", 1, "", is_flapping=False)
        for id, value, text in ((HIDDEN, -0.777, said), ("mine-b", -0.06, "mine-b lost 6 %"))
    ]  # fmt: skip
    incident = OpenIncident(
        1, f"portfolio={HIDDEN}", "urgent", "open", now - 60, 2, ["log"], now - 60, "", 0.0, 0, "reminded", now + 60, ""
    )
    cost = RuleCost("gamma-x-loss", 15.0, 0.1, 1, 0, 1, said)
    quiet = Quieting("silence 1", f'portfolio="{HIDDEN}"', now + 60, "olga", said, 1)
    tables = ((FiringAlert, firing), (OpenIncident, [incident]), (RuleCost, [cost]), (Quieting, [quiet]))
    engine = Component(ENGINE, Status.WARNING, f"gamma-x-loss cannot be evaluated: {said}")
    reading = Reading(components=(engine,), tables=tuple(table_of(row, rows) for row, rows in tables))  # type: ignore[type-var]
    stores.live.put_reading(ALERTS, "host-1", now, 5.0, reading)
    hidden = read_matchers(f'portfolio="{HIDDEN}"')
    add_silence(stores.state, Silence(hidden, now, now + 600, said, "olga", now))
    add_window(stores.state, Window("Secret Gamma", hidden, now, now + 3_600, "merge", "olga", now))
    member = {"rule": "daily-loss", "title": "Daily loss", "labels": {"portfolio": HIDDEN}, "text": said}
    body = json.dumps({"severity": "urgent", "opened_at": now, "members": [member]})
    with stores.state.begin() as connection:
        write_incident(connection, KeptIncident(f"portfolio={HIDDEN}", "open", now - 60, None, "{}"))
        add_messages(connection, [KeptMessage(1, 1, "log", "opened", "sent", now, now, body, done_at=now)])
        of = json.dumps({"portfolio": HIDDEN})
        add_history(connection, [
            HistoryRow(now, "fires", "daily-loss", of, "urgent", detail=said),
            HistoryRow(now, "acknowledged", incident=1, who="olga", detail=said),
        ])  # fmt: skip


@pytest.fixture
def app(stores: Stores) -> Dash:
    return create_app(stores, PAGES, by_header, mounts=[api.install])


CHOICES: tuple[dict[str, str], ...] = (
    {"edit": f"own:{MINE}", "incident": "1", "pages": "10"},
    {"portfolio": "own:mine-b", "compare": f"own:{MINE},own:mine-c", "window": "1Y", "series": "INDEX"},
    {"portfolio": "sample:fund", "compare": f"own:{MINE}", "window": "7d"},
)


def test_nothing_is_told_of_portfolios_that_may_not_be_seen(app: Dash) -> None:
    everybodys = "\n".join(answer for _, answer in walked(app, "all", CHOICES))
    for secret in SECRETS:
        assert secret in everybodys, f"{secret} would not be noticed"
    for who in ("viewer", "operator", "nothing"):
        seen = 0
        for asked, answer in walked(app, who, CHOICES):
            seen += 1
            for secret in (*SECRETS, *FIGURES):
                assert secret not in answer, f"{who}: {asked} tells {secret}: {around(answer, secret)}"
        assert seen > 60


def test_the_figures_that_would_give_it_away_are_shown_to_others(app: Dash) -> None:
    shown = "\n".join(answer for _, answer in walked(app, "all", ({"portfolio": f"own:{HIDDEN}"},)))
    for figure in FIGURES:
        assert figure in shown, figure


ASKED: tuple[Callable[[str], dict[str, str]], ...] = (
    lambda id: {"portfolio": f"own:{id}", "edit": f"own:{id}"},
    lambda id: {"portfolio": f"own:{MINE}", "compare": f"own:{id}", "line": f"own:{id}", "benchmark": id},
)


def test_a_portfolio_that_may_not_be_seen_is_answered_for_as_one_that_there_is_not(app: Dash) -> None:
    for choices in ASKED:
        one, other = (
            {plain(asked, id): plain(answer, id) for asked, answer in walked(app, "operator", (choices(id),))}
            for id in (HIDDEN, NOBODY)
        )
        assert one == other


FIELDS: tuple[Callable[[str], dict[str, str]], ...] = (
    lambda id: {"id": id, "typed": "Secret Gamma", "into": MINE, "wins": "this", "parent": MINE},
    lambda id: {"id": MINE, "into": id, "wins": "other", "parent": id, "name": "y", "currency": "USD"},
    lambda id: {"id": "", "name": "z", "parent": id, "currency": "USD", "benchmark": id},
)


def test_no_form_changes_or_tells_of_one(app: Dash, stores: Stores) -> None:
    client = app.server.test_client()
    before = everything(stores)
    rules = [rule.rule for rule in app.server.url_map.iter_rules() if rule.endpoint.startswith("form:")]
    assert len(rules) >= 12
    for path in rules:
        for fields in FIELDS if path != "/pipeline/reload" else ():
            one, other = (
                client.post(path, json=fields(id), headers={"X-Who": "operator"}).text.replace(id, "…")
                for id in (HIDDEN, NOBODY)
            )
            assert one == other, path
            assert '"done":true' not in one
    for number in (1, 999):
        for what, refusal in (("change", "Nothing was changed."), ("delete", "Nothing was deleted.")):
            fields = {"id": str(number), "text": "x", "about": f"portfolio:own:{MINE}"}
            told = client.post(f"/events/{what}", json=fields, headers={"X-Who": "operator"}).json
            assert (told["done"], told["said"]) == (False, f"{refusal} There is no event {number}.")
    hidden = [item.id for item in recent_imports(stores.state, 50) if not item.name.startswith("mine-")]
    assert len(hidden) >= 5
    for number in (*hidden, 999):
        told = client.post("/import/undo", json={"number": str(number)}, headers={"X-Who": "operator"}).json
        assert (told["done"], told["said"]) == (False, f"Not undone: there is no import {number}.")
    assert everything(stores) == before


def test_a_setting_is_saved_without_leaving_the_fund(app: Dash, stores: Stores) -> None:
    client = app.server.test_client()
    who = {"X-Who": "operator"}
    told = client.post("/portfolios/set", json={"id": MINE, "parent": "", "strategy": "rates"}, headers=who).json
    assert told["done"] is True, "its form shows no parent, and says none"
    mine = next(each for each in list_portfolios(stores.state) if each.id == MINE)
    assert (mine.parent, mine.strategy) == ("vault-sg", "rates")
    told = client.post("/portfolios/set", json={"id": "mine-b", "parent": ""}, headers=who).json
    assert told["fields"] == {"parent": "give one of the portfolios that you may see"}
    told = client.post("/portfolios/add", json={"name": "Top", "currency": "USD", "parent": ""}, headers=who).json
    assert list(told["fields"]) == ["parent"]
    told = client.post("/portfolios/add", json={"name": "Part", "currency": "USD", "parent": MINE}, headers=who).json
    assert told["done"] is True
    told = client.post("/portfolios/set", json={"id": "mine-b", "name": "Old Omega"}, headers=who).json
    assert told["fields"] == {"name": "is taken: give another one"}
    assert client.post("/benchmarks/risk-free", json={"currency": "USD", "rate": "4"}, headers=who).status_code == 403


def test_files_are_taken_into_allowed_portfolios_alone(app: Dash, stores: Stores) -> None:
    client = app.server.test_client()

    def post(what: str, name: str, content: bytes, **more: object) -> dict[str, Any]:
        body = json.dumps({"name": name, "said": {}, "accept": True, "new": True, **more}).encode() + b"\n" + content
        answer = client.post(f"/import/{what}", data=body, headers={"X-Who": "operator"})
        return {"status": answer.status_code, **answer.json}

    before = everything(stores)["nav"]
    told = {
        name: post(what, "a.csv", f"date,portfolio,nav\n2020-01-07,{name},5\n2020-01-08,{name},50000\n".encode())
        for what in ("look", "take")
        for name in (HIDDEN, NOBODY, "Secret Gamma", "Old Omega", "No Such One")
    }
    plainly = {html.unescape(each["html"]).replace(name, "…") for name, each in told.items()}
    assert len(plainly) == 1, plainly
    assert "is none of yours" in plainly.pop()
    assert not any(each["done"] for each in told.values())
    mixed = b"date,portfolio,nav\n2020-01-07,mine-b,5\n2020-01-07,gamma-x,5\n"
    assert post("take", "b.csv", mixed)["done"] is False
    prices = b"date,instrument,price\n2020-01-07,INDEX,5\n2020-01-08,INDEX,5\n"
    assert "which all portfolios share" in post("take", "c.csv", prices)["html"]
    again = post("look", "gamma-x.csv", history(HIDDEN, 8.7654e9 / 1.777, 1.777))
    assert "was imported on" not in again["html"]
    assert post("look", "", b"", refused="gamma-x-2024.csv")["said"] == post("look", "", b"", refused="no.csv")["said"]
    assert everything(stores)["nav"] == before
    taken = post("take", "mine-b-2.csv", b"date,portfolio,nav\n2019-12-30,mine-b,1000001\n2019-12-31,mine-b,1000002\n")
    assert taken["done"] is True, taken["said"]
    number = re.findall(r'name="number"[^>]* value="(\d+)"', taken["html"])[0]
    assert client.post("/import/undo", json={"number": number}, headers={"X-Who": "operator"}).json["done"] is True
    assert everything(stores)["nav"] == before


def test_views_are_shared_by_equal_limits_alone_and_new_limits_are_new_views(stores: Stores) -> None:
    memo: Memo[Prepared] = Memo()
    refresh = Refresh(stores, portfolio.TAB, memo)

    def sent(viewer: Viewer, seen: str | None) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(_dumped(refresh.answer(Choices(), viewer, seen, None)[0]))
        return told

    first = sent(WHO["all"], None)
    assert "Vault Sigma" in json.dumps(first)
    limited = sent(WHO["viewer"], first["version"])
    assert "base" not in limited, "nothing is sent as what differs from the view of other rights"
    assert not any(secret in json.dumps(limited) for secret in (*SECRETS, *FIGURES))
    assert limited["version"] != first["version"]
    assert sent(replace(WHO["all"], name="otto"), None)["version"] == first["version"]
    other = sent(replace(WHO["viewer"], portfolios=frozenset({"mine-b"})), limited["version"])
    assert "My Alpha" not in json.dumps(other) and "base" not in other


def test_a_page_that_does_not_say_that_it_depends_on_limits_sees_no_own_portfolio(stores: Stores) -> None:
    forgetful = replace(portfolio.TAB, varies_by=())
    answer = Refresh(stores, forgetful, Memo()).answer(Choices(), WHO["all"], None, None)
    assert "Vault Sigma" not in _dumped(answer[0]).decode()


def walked(app: Dash, who: str, choices: tuple[dict[str, str], ...]) -> Iterator[tuple[str, str]]:
    """Everything that pages, refreshes and rules answer with these choices, and what is at the addresses they name."""
    client = app.server.test_client()
    headers = {"X-Who": who}
    found: set[str] = set()
    waiting: list[str] = []

    def told(asked: str, text: str) -> tuple[str, str]:
        text = html.unescape(text.replace("\\u002f", "/").replace('\\"', '"'))
        waiting.extend(each for each in addresses(app, text) if each not in found)
        return asked, text

    for each in choices:
        query = urlencode(each)
        for page in PAGES:
            yield told(f"open {page.path}?{query}", post(client, opening(page.path, f"?{query}"), headers))
            output = f"..{ids.payload(page.id)}.data...{ids.problem(page.id)}.children.."
            if output in app.callback_map:
                asked = request_of(output, app.callback_map[output], **{ids.choices(page.id).replace("-", "_"): each})
                yield told(f"refresh {page.path}?{query}", post(client, asked, headers))
        if id := each.get("portfolio"):
            waiting.extend(operations(client, id, headers))
        for rule in app.server.url_map.iter_rules():
            if not rule.arguments and "GET" in (rule.methods or ()) and not is_public(rule.rule):
                waiting.append(f"{rule.rule}?{query}")
    while waiting:
        address = waiting.pop()
        if address in found:
            continue
        found.add(address)
        yield told(address, readable(client.get(address, headers=headers).get_data()))


def operations(client: FlaskClient, id: str, headers: dict[str, str]) -> Iterator[str]:
    """The address of every operation of the API: those of a portfolio, of every component, of every group."""
    named = {"components": "id", "instruments": "symbol", "benchmarks": "id"}
    items = {list_: client.get(f"/api/v1/{list_}", headers=headers).json["items"] for list_ in named}
    found = {"portfolios": [id], **{list_: [each[named[list_]] for each in items[list_]] for list_ in named}}
    found |= {list_: ["1"] for list_ in ("events", "alerts", "silences", "maintenance")} | {
        "channels": ["log"],
        "rules": ["value-overdue"],
    }
    found |= {"trading-readiness": [id]}
    for operation in (each for each in OPERATIONS if each.method == "GET"):
        head, rest = operation.path.split("/", 2)[1], operation.path.partition("}")[2]
        names = operation.choices.get("group") or found[head] if "{" in operation.path else [""]
        for name in names:
            yield f"/api/v1{operation.path.partition('{')[0]}{quote(name)}{rest}"
    yield "/api/v1/health?detailed=true"


def readable(body: bytes) -> str:
    """Return an answer as text: of a workbook what its sheets say."""
    if not body.startswith(b"PK"):
        return body.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        sheets = sorted(name for name in packed.namelist() if name.startswith("xl/"))
        return "\n".join(packed.read(name).decode("utf-8", "replace") for name in sheets)


def post(client: FlaskClient, asked: dict[str, Any], headers: dict[str, str]) -> str:
    return client.post(PATH, json=asked, headers=headers).text


def addresses(app: Dash, text: str) -> set[str]:
    """Every address of the product in an answer that a rule of its own answers, and not the page of every path."""
    rules = app.server.url_map.bind("localhost")
    found = set()
    for address in re.findall(r'"(/[^"\s<>\\]*)"', text):
        try:
            rule, _ = rules.match(address.partition("?")[0], return_rule=True)
        except (NotFound, MethodNotAllowed):
            continue
        if rule.rule != "/<path:path>" and not is_public(rule.rule):
            found.add(address)
    return found


def plain(text: str, id: str) -> str:
    """Return an answer without the id that was asked for, the order of what was sent and what is a digest.

    Without the API's hint as well: which of those that may be seen has the nearest name depends on the text alone.
    """
    text = re.sub(r'"fix":"[^"]*"', "", text)
    for each in (f"own:{id}", quote(f"own:{id}", safe=""), id):
        text = text.replace(each, "…")
    return re.sub(r'"(stamp|data-stamp|version)": ?"[^"]*"|data-stamp="[^"]*"|X-Fundwatch-Now[^\n]*', "", text)


def around(text: str, secret: str) -> str:
    at = text.index(secret)
    return text[max(at - 120, 0) : at + 120]


def _dumped(value: Any) -> bytes:
    return orjson.dumps(value)
