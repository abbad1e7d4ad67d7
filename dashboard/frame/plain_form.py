"""Forms of pages without scripts: fields with what is wrong with them, and one button."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

FIELD = Markup(
    '<label class="fw-field"><span class="fw-field-label">{label}</span>'
    '<input class="fw-field-input" name="{name}" type="{type}" value="{value}" autocomplete="{fills}" {more}>'
    '<span class="fw-field-hint">{hint}</span><span class="fw-field-wrong" role="alert">{wrong}</span></label>'
)
CHOICE = Markup(
    '<label class="fw-field"><span class="fw-field-label">{label}</span>'
    '<select class="fw-field-input" name="{name}">{options}</select></label>'
)
OPTION = Markup('<option value="{value}"{chosen}>{text}</option>')
HIDDEN = Markup('<input type="hidden" name="{name}" value="{value}">')
FORM = Markup(
    '<form class="fw-plain-form" method="post" action="{action}" aria-label="{does}">{fields}'
    '<div><button class="fw-button{more}">{does}</button></div></form>'
)
WRONG = Markup('<p class="fw-plain-wrong" role="alert">{}</p>')
SAID = Markup('<p class="fw-plain-said" role="status">{}</p>')


@dataclass(frozen=True, slots=True)
class Field:
    """What is typed into a form."""

    name: str
    label: str
    fills: str = "off"
    """What a browser or a password manager may fill in: a token of HTML's autocomplete."""
    type: str = "text"
    value: str = ""
    hint: str = ""
    wrong: str = ""
    """What is wrong with what was given, and what to give."""
    is_needed: bool = True
    has_focus: bool = False

    def __html__(self) -> str:
        """Return it as HTML, every value escaped."""
        more = [
            "required" if self.is_needed else "",
            "autofocus" if self.has_focus else "",
            'aria-invalid="true"' if self.wrong else "",
            'autocapitalize="none" spellcheck="false"' if self.type == "text" else "",
        ]
        return FIELD.format(
            label=self.label, name=self.name, type=self.type, value=self.value, fills=self.fills, hint=self.hint,
            wrong=self.wrong, more=Markup(" ".join(filter(None, more))),
        )  # fmt: skip


def hidden(name: str, value: str) -> Markup:
    """Return a value that is sent along."""
    return HIDDEN.format(name=name, value=value)


def choice(name: str, label: str, options: Iterable[tuple[str, str]], chosen: str) -> Markup:
    """Return a choice of one of these: value and text of each."""
    listed = Markup().join(
        OPTION.format(value=value, text=text, chosen=Markup(" selected") if value == chosen else "")
        for value, text in options
    )
    return CHOICE.format(name=name, label=label, options=listed)


def form(action: str, does: str, *fields: Field | Markup, is_grave: bool = False) -> Markup:
    """Return a form that posts its fields to `action`; `does` stands on its button."""
    inner = Markup().join(fields)
    return FORM.format(action=action, does=does, fields=inner, more=" fw-button-do" if is_grave else "")


def wrong(sentence: str) -> Markup:
    """Return why something was not done; nothing for an empty sentence."""
    return WRONG.format(sentence) if sentence else Markup()


def said(sentence: str) -> Markup:
    """Return what was done; nothing for an empty sentence."""
    return SAID.format(sentence) if sentence else Markup()
