"""The editor of a rule: a form for the ordinary one, its YAML for everything, and when it would have fired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import Viewer
from core.alerts.kept import STATE_DATABASE
from core.alerts.rule_set import SHIPPED, RuleSet
from core.alerts.spec import ALERTS
from core.alerts.written import written
from core.memo import Memo
from core.roles import Role
from dashboard.alerts.back_test import HEIGHT_PX, figure, told
from dashboard.alerts.rule_fields import fields_from
from dashboard.alerts.rule_forms import EDIT_PATH, EDITOR, TOLD, TRIED, editor_form
from dashboard.components.panel import panels, verdict_slot
from dashboard.views.panel import GraphBody, Panel, TableBody
from dashboard.views.tab import Choices, Page, View
from portfolio.own_rules import Checked, checked
from portfolio.rule_figures import past_of_portfolios
from portfolio.rule_files import rule_set
from portfolio.vocabulary import vocabulary
from status.back_test import BackTest, back_test, with_metrics
from storage.state.rules import draft_in

if TYPE_CHECKING:
    from storage.stores import Stores

ID = EDITOR
HEAD = f"{ID}-head"
WRITE = Panel(
    f"{ID}-write",
    "Rule",
    "The fields write an ordinary rule into the YAML below; the YAML is what is checked and saved (docs/rules.md).",
    TableBody(420),
    subtitle_slot=f"{ID}-of",
    tools=(),
)
PAST = Panel(
    TRIED,
    "Back-test",
    "The rule over what is stored of the last seven days, judged as the alert engine judges: each value by which it "
    "would have fired, and for how long. Grey: for lack of data.",
    GraphBody(HEIGHT_PX),
    subtitle_slot=f"{ID}-step",
)
WORDS = Panel(
    TOLD,
    "What it would have told",
    "How often the rule would have fired, for how long, for which series it would fire at once if saved now, and "
    "what was looked at less than asked.",
    TableBody(40),
    tools=(),
)
OF_ALL = "Rules are of all portfolios: who may see some of them alone makes and changes none."
NOT_YET = "Check the rule below: when it would have fired in the last seven days is drawn here."

_TRIED: Memo[BackTest] = Memo(32)
"""Of drafts, which stay as they are: as of when they were looked at first."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is edited."""

    text: str
    of: str
    """In words."""
    name: str = ""
    """Of the kept rule that it changes; empty: it will be a new one."""
    version: int = 0
    draft: int = 0
    """Number of the draft that was checked; 0: nothing was."""
    made_at: float = 0.0
    """When that was made: numbers of drafts come again."""


def layout(_stores: Stores, _choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    parts = panels(WORDS.element(), PAST.element(), WRITE.element())
    return html.Div([verdict_slot(HEAD), parts], className="fw-content")


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return the editor and, of a rule that was checked, when it would have fired."""
    if viewer.portfolios is not None:
        return _nothing()
    found = rule_set(stores)
    subject = _subject(stores, choices, found)
    read = checked(stores, subject.text, subject.name) if subject.text else None
    tried = _tried(stores, subject, read) if subject.draft and read and read.rule else None
    is_drawn = tried is not None and bool(tried.drawn)
    rule = read.rule if read else None
    return View(
        figures={PAST.graph: figure(rule, tried) if rule and tried and is_drawn else {"data": [], "layout": {}}},
        slots={
            HEAD: html.P(["Back to ", html.A("Rules", href="/alerts/rules"), "."], className="fw-facts"),
            f"{ID}-of": subject.of,
            f"{ID}-step": f"evaluated every {tried.step_seconds:g} s" if tried and is_drawn else "",
            WORDS.slot: _words(read, tried),
            WRITE.slot: editor_form(subject.text, fields_from(rule), subject.name, subject.version),
        },
        as_of={PAST.id: tried.end if tried and is_drawn else None},
        notes={WRITE.id: "", WORDS.id: "", PAST.id: "" if is_drawn else _why_empty(tried)},
    )


def _nothing() -> View:
    """Return what is shown to who is limited to some portfolios: a rule, and what it finds, may name any."""
    slots = dict.fromkeys(PAGE.slots, "") | {HEAD: html.P(OF_ALL, className="fw-nothing")}
    return View(
        figures={PAST.graph: {"data": [], "layout": {}}}, slots=slots, as_of={PAST.id: None},
        notes={WRITE.id: OF_ALL, WORDS.id: OF_ALL, PAST.id: OF_ALL},
    )  # fmt: skip


def _subject(stores: Stores, choices: Choices, found: RuleSet) -> Subject:
    number = choices.get("draft", "")
    if number.isdecimal() and len(number) < 10:
        with stores.state.reading() as connection:
            draft = draft_in(connection, int(number))
        if draft is None:
            return Subject("", "the draft is no more: drafts are kept for a day")
        of = f"a change of {draft.name}, not saved yet" if draft.name else "a new rule, not saved yet"
        return Subject(draft.text, of, draft.name, draft.version, int(number), draft.made_at)
    if mine := found.kept.rule(choices.get("rule", "")):
        return Subject(mine.text, f"{mine.name}, version {mine.version}", mine.name, mine.version)
    placed = found.placed(choices.get("copy", ""))
    if placed is None:
        return Subject("", "a new rule")
    if placed.file == SHIPPED:
        return Subject(written([placed.rule]), f"takes the place of {placed.rule.name}, until it is deleted")
    copied = placed.rule.model_copy(update={"name": f"{placed.rule.name[:70]}-own", "is_enabled": True})
    where = "" if placed.file == STATE_DATABASE else f", which stands in {placed.file}:{placed.line}"
    return Subject(written([copied]), f"a copy of {placed.rule.name}{where}")


def _tried(stores: Stores, subject: Subject, read: Checked) -> BackTest:
    rule = read.rule
    assert rule is not None

    def try_it() -> BackTest:
        return back_test(stores, rule, with_metrics(vocabulary(), read.metrics), past_of_portfolios(stores))

    return _TRIED.get((stores.settings.state_dsn, subject.draft, subject.made_at), try_it)


def _words(read: Checked | None, tried: BackTest | None) -> Any:
    if read is None or tried is None:
        faults = read.faults if read else ()
        wrong = [html.P(f"✕ line {each.line}: {each.reason}", className="fw-tone-critical") for each in faults]
        return [*wrong, html.P(NOT_YET, className="fw-nothing")]
    return [told(tried), *(html.P(f"Hint: {each}", className="fw-facts") for each in read.hints)]


def _why_empty(tried: BackTest | None) -> str:
    if tried is None:
        return NOT_YET
    return tried.sentence if tried.why_not else "Nothing of it can be drawn."


PAGE = Page(
    id=ID,
    title="Rule editor",
    path=EDIT_PATH,
    parent="alerts",
    role=Role.ADMIN,
    layout=layout,
    build=build,
    varies_by=("role", "portfolios"),
    datasets=(ALERTS,),
    panels=(WORDS, PAST, WRITE),
    slots=(HEAD, f"{ID}-of", f"{ID}-step", WORDS.slot, WRITE.slot),
    graphs=(PAST.graph,),
)
