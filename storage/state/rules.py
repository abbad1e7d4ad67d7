"""Rules that people make and switch off, each change in the audit as well. That they can be is known to the caller."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from core.alerts.kept import KeptRule, KeptRules, SwitchedOff
from core.errors import ChangeRejected
from storage.state.alert_tables import alert_rule_drafts, alert_rules, alert_rules_off
from storage.state.audit import Entry, add_entry
from storage.state.database import State, Transaction

WHO_CHARACTERS = 80
DRAFT_SECONDS = 86_400.0
"""So long a rule that is being written is kept."""
NOT_SAVED, NOT_DELETED, NOT_SWITCHED = "Nothing was saved.", "Nothing was deleted.", "Nothing was switched."


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule that is being written."""

    text: str
    name: str = ""
    """Of the kept rule that it would change; empty: it would be a new one."""
    version: int = 0
    """Of that rule, as its writer has seen it."""
    who: str = ""
    made_at: float = 0.0
    """Epoch seconds."""


def kept_in(connection: Transaction) -> KeptRules:
    """Return all that is kept of rules, by name."""
    rules = connection.execute(sa.select(alert_rules).order_by(alert_rules.c.name))
    off = connection.execute(sa.select(alert_rules_off).order_by(alert_rules_off.c.name))
    return KeptRules(tuple(map(_rule, rules)), tuple(SwitchedOff(**row._mapping) for row in off))


def add_rule(state: State, name: str, text: str, who: str, now: float) -> KeptRule:
    """Keep a new rule. Raises ChangeRejected: there is one of this name, StorageUnavailable."""
    who = who[:WHO_CHARACTERS]
    row = {"name": name, "body": text, "who": who, "made_at": now, "changed_by": who, "changed_at": now, "version": 1}
    with state.begin() as connection:
        if (known := _of(connection, name)) is not None:
            reason = f"name: {known.changed_by} has just saved a rule {name}; give another name, or edit that one"
            raise ChangeRejected(NOT_SAVED, {"text": reason})
        connection.execute(sa.insert(alert_rules).values(**row))
        add_entry(connection, Entry(now, who, "alert rule made", name, detail=text))
    return KeptRule(name, text, who, now, who, now)


def change_rule(state: State, name: str, version: int, text: str, who: str, now: float) -> KeptRule:
    """Keep another text of a rule; version: the one that was seen.

    Raises ChangeRejected: it was changed or deleted meanwhile, StorageUnavailable.
    """
    who = who[:WHO_CHARACTERS]
    with state.begin() as connection:
        known = _of(connection, name)
        if known is None:
            raise ChangeRejected(NOT_SAVED, {"text": f"the rule {name} was deleted meanwhile; make a new one"})
        if known.version != version:
            reason = f"{known.changed_by} changed {name} meanwhile; load it anew, and make the change there"
            raise ChangeRejected(NOT_SAVED, {"text": reason})
        values = {"body": text, "changed_by": who, "changed_at": now, "version": version + 1}
        of = alert_rules.c
        done = connection.execute(sa.update(alert_rules).where(of.name == name, of.version == version).values(**values))
        if not done.rowcount:
            raise ChangeRejected(NOT_SAVED, {"text": f"{name} was changed meanwhile; load it anew"})
        add_entry(connection, Entry(now, who, "alert rule changed", name, detail=text))
    return KeptRule(name, text, known.made_by, known.made_at, who, now, version + 1)


def delete_rule(state: State, name: str, who: str, now: float) -> None:
    """Delete a rule. Raises ChangeRejected: there is none, StorageUnavailable."""
    with state.begin() as connection:
        known = _of(connection, name)
        if known is None:
            raise ChangeRejected(NOT_DELETED, {"name": f"there is no rule {name} that was made here"})
        connection.execute(sa.delete(alert_rules).where(alert_rules.c.name == name))
        connection.execute(sa.delete(alert_rules_off).where(alert_rules_off.c.name == name))
        add_entry(connection, Entry(now, who, "alert rule deleted", name, detail=known.text))


def switch_off(state: State, name: str, who: str, now: float) -> None:
    """Switch a rule off, wherever it stands. Raises ChangeRejected: it is off, StorageUnavailable."""
    with state.begin() as connection:
        if any(each.name == name for each in kept_in(connection).off):
            raise ChangeRejected(NOT_SWITCHED, {"name": f"{name} is switched off already"})
        connection.execute(sa.insert(alert_rules_off).values(name=name, who=who[:WHO_CHARACTERS], at=now))
        add_entry(connection, Entry(now, who, "alert rule switched off", name))


def switch_on(state: State, name: str, who: str, now: float) -> None:
    """Switch on again what somebody switched off. Raises ChangeRejected: nobody did, StorageUnavailable."""
    with state.begin() as connection:
        if not connection.execute(sa.delete(alert_rules_off).where(alert_rules_off.c.name == name)).rowcount:
            raise ChangeRejected(NOT_SWITCHED, {"name": f"nobody switched {name} off here"})
        add_entry(connection, Entry(now, who, "alert rule switched on", name))


def add_draft(state: State, draft: Draft) -> int:
    """Keep a rule that is being written and return its number. Raises StorageUnavailable."""
    row = {"name": draft.name, "version": draft.version, "body": draft.text, "who": draft.who[:WHO_CHARACTERS]}
    with state.begin() as connection:
        old = alert_rule_drafts.c.made_at < draft.made_at - DRAFT_SECONDS
        connection.execute(sa.delete(alert_rule_drafts).where(old))
        made = connection.execute(sa.insert(alert_rule_drafts).values(**row, made_at=draft.made_at))
        (id,) = made.inserted_primary_key or (0,)
    return int(id)


def draft_in(connection: Transaction, id: int) -> Draft | None:
    """Return a rule that is being written; None: there is none of this number any more."""
    row = connection.execute(sa.select(alert_rule_drafts).where(alert_rule_drafts.c.id == id)).first()
    return Draft(row.body, row.name, row.version, row.who, row.made_at) if row is not None else None


def _of(connection: Transaction, name: str) -> KeptRule | None:
    row = connection.execute(sa.select(alert_rules).where(alert_rules.c.name == name)).first()
    return _rule(row) if row is not None else None


def _rule(row: sa.Row[tuple[object, ...]]) -> KeptRule:
    of = row._mapping
    changed_by, changed_at = of["changed_by"] or of["who"], of["changed_at"] or of["made_at"]
    return KeptRule(of["name"], of["body"], of["who"], of["made_at"], changed_by, changed_at, of["version"])
