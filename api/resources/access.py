"""Who asks, who may, and who did what: me, and for administrators users, tokens and the audit."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from access.accounts import find_account, list_accounts
from access.tokens import lent, list_tokens
from access.viewer import LOCAL_NAME
from api.models import Answered, Page, Time, age, at
from api.operation import ADMIN, Ask, Operation
from api.paging import part_of
from api.parameters import Listed, Parameters
from api.problem import Refused
from core.roles import Role
from storage.state.audit import Wanted, read_entries

TAG = "Access"


class Me(Answered):
    """The one who asks, and what that is allowed to see."""

    name: str
    role: str = Field(description="viewer, analyst, operator or admin: what counts, the lower one of the next two.")
    account_role: str | None = Field(description="That of the account; null: there is none, as of a service's token.")
    token_role: str | None = Field(description="The highest that the token's scopes lend; null: it is no token.")
    may_act: bool = Field(description="Whether it may act on watched sources.")
    portfolios: list[str] | None = Field(description="The only own portfolios, with those below them; null: all.")
    scopes: list[str] | None = Field(description="What the token is for; null: it is no token.")


class User(Answered):
    """An account."""

    name: str
    role: str
    portfolios: list[str] = Field(description="The only own portfolios, with those below them; empty: all.")
    is_disabled: bool
    has_password: bool
    has_second_factor: bool
    made_at: Time | None
    made_by: str
    seen_at: Time | None = Field(description="When it was last here; null: never.")


class Token(Answered):
    """A token, without its secret."""

    id: int
    name: str = Field(description="What it is for.")
    account: str = Field(description="Whose it is; empty: a service's.")
    scopes: list[str]
    portfolios: list[str] = Field(description="The only own portfolios; empty: all that its owner may see.")
    made_at: Time | None
    made_by: str
    expires_at: Time | None = Field(description="null: never.")
    revoked_at: Time | None
    revoked_by: str
    used_at: Time | None = Field(description="null: never.")
    used_from: str


class Entry(Answered):
    """Something that somebody did."""

    id: int
    at: Time | None
    who: str
    what: str
    target: str
    address: str
    outcome: str
    detail: str


class OfAudit(Listed):
    """Which rows of the audit."""

    who: str = Field("", max_length=80, description="Only what this one did.")
    what: str = Field("", max_length=64, description="Only this.")
    outcome: Literal["", "done", "refused", "failed"] = Field("", description="Only what ended so.")


def _me(ask: Ask[Parameters]) -> Me:
    viewer = ask.viewer
    account = find_account(ask.stores.state, viewer.name) if viewer.scopes is not None else None
    own = viewer.role if viewer.scopes is None and viewer.name != LOCAL_NAME else account.role if account else None
    return Me(
        name=viewer.name, role=viewer.role.word, account_role=own.word if own is not None else None,
        token_role=lent(viewer.scopes).word if viewer.scopes is not None else None, may_act=viewer.may_act,
        portfolios=sorted(viewer.portfolios) if viewer.portfolios is not None else None,
        scopes=sorted(viewer.scopes) if viewer.scopes is not None else None,
    )  # fmt: skip


def _users(ask: Ask[Listed]) -> Page[User]:
    part, following = part_of(list_accounts(ask.stores.state), lambda each: (each.name,), ask.begins)
    items = [
        User(
            name=each.name, role=each.role.word, portfolios=[*each.portfolios], is_disabled=each.is_disabled,
            has_password=each.has_password, has_second_factor=each.has_second_factor, made_at=_time(each.made_at),
            made_by=each.made_by, seen_at=_time(each.seen_at),
        )
        for each in part
    ]  # fmt: skip
    return Page[User](items=items, next=following, source="state database")


def _tokens(ask: Ask[Listed]) -> Page[Token]:
    found = sorted(list_tokens(ask.stores.state, ask.viewer), key=lambda each: each.id)
    part, following = part_of(found, lambda each: (each.id,), ask.begins)
    items = [
        Token(
            id=each.id, name=each.name, account=each.account, scopes=sorted(each.scopes),
            portfolios=sorted(each.portfolios), made_at=_time(each.made_at), made_by=each.made_by,
            expires_at=_time(each.expires_at), revoked_at=_time(each.revoked_at), revoked_by=each.revoked_by,
            used_at=_time(each.used_at), used_from=each.used_from,
        )
        for each in part
    ]  # fmt: skip
    return Page[Token](items=items, next=following, source="state database")


def _audit(ask: Ask[OfAudit]) -> Page[Entry]:
    query, after = ask.query, ask.begins.after
    if after is not None and not (len(after) == 1 and isinstance(after[0], int)):
        raise Refused(422, "cursor is none of this list.", field="cursor", fix="Leave it out.")
    wanted = Wanted(who=query.who, what=query.what, outcome=query.outcome)
    before = int(after[0]) if after else 0
    found = read_entries(ask.stores.state, wanted, before=before, limit=query.limit + 1)
    items = [
        Entry(
            id=each.id, at=_time(each.at), who=each.who, what=each.what, target=each.target, address=each.address,
            outcome=each.outcome, detail=each.detail,
        )
        for each in found[: query.limit]
    ]  # fmt: skip
    newest = found[0].at if found else None
    following = ask.begins.next((items[-1].id,)) if len(found) > query.limit else None
    return Page[Entry](
        items=items, next=following, as_of=at(newest), age_seconds=age(newest, ask.now), source="state database"
    )


def _time(seconds: float) -> Time | None:
    """Return a time of the state database, where 0 is never."""
    return at(seconds) if seconds else None


OPERATIONS = (
    Operation(path="/me", summary="Who asks, and what it may see.", answer=_me, model=Me, tag=TAG),
    Operation(path="/users", summary="Every account.", answer=_users, model=Page[User], query=Listed, tag=TAG,
              role=Role.ADMIN, scope=ADMIN),
    Operation(path="/tokens", summary="Every token, without its secret.", answer=_tokens, model=Page[Token],
              query=Listed, tag=TAG, role=Role.ADMIN, scope=ADMIN),
    Operation(path="/audit", summary="Who did what, the newest first.", answer=_audit, model=Page[Entry],
              query=OfAudit, tag=TAG, role=Role.ADMIN, scope=ADMIN),
)  # fmt: skip
