"""Signing in at an OpenID provider of the fund, beside the accounts that are made here."""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from core.group import Group
from core.roles import Role
from core.settings.binding import is_loopback

EVERY = "*"
NONE = " (none)"
"""What stands in the limits of who sees nothing: no id of a portfolio begins with a blank."""
RoleWord = Literal["viewer", "analyst", "operator", "admin"]


class Oidc(Group):
    """An OpenID provider, and what its groups may do here. Without an issuer there is none."""

    issuer: str = Field(
        "", description="Address of the OpenID provider, as its discovery document says it; empty: there is none."
    )
    client_id: str = Field("", max_length=255, description="What the provider calls Fundwatch.")
    client_secret: SecretStr = Field(SecretStr(""), description="Of the client at the provider; empty: it has none.")
    scopes: str = Field("openid profile email", description="Asked for at the provider, with blanks between them.")
    name_claim: str = Field("preferred_username", description="Claim of the ID token that names the account.")
    groups_claim: str = Field("groups", description="Claim of the ID token with the groups of a person.")
    roles: dict[str, RoleWord] = Field(
        {}, description="Role of each group, as {fund-admins: admin}; the highest counts, and who has none stays out."
    )
    portfolios: dict[str, tuple[str, ...]] = Field(
        {},
        description="Portfolios that each group sees, as {team-a: [alpha], all-funds: ['*']}; '*': every one. When any "
        "group stands here, who is in none of them and no admin sees none. Empty: all see every one.",
    )
    label: str = Field("Sign in with single sign-on", min_length=1, max_length=60, description="On the button.")

    @property
    def is_on(self) -> bool:
        """Whether people can sign in at a provider."""
        return bool(self.issuer)

    def is_of(self, subject: str) -> bool:
        """Return whether an account's subject is one of this provider's: of another one, or of none, it is not."""
        return self.is_on and subject.startswith(self.subject_of(""))

    def subject_of(self, sub: str) -> str:
        """Return the subject that an account is kept with whom the provider calls `sub`."""
        return f"{self.issuer} {sub}"

    def role_of(self, groups: frozenset[str]) -> Role | None:
        """Return the highest role of these groups; None: none of them has one."""
        return max((Role[word.upper()] for group, word in self.roles.items() if group in groups), default=None)

    def portfolios_of(self, groups: frozenset[str]) -> tuple[str, ...]:
        """Return the only portfolios that members of these groups may see; empty: every one, (NONE,): none."""
        found = tuple(dict.fromkeys(id for group, ids in self.portfolios.items() if group in groups for id in ids))
        if not self.portfolios or EVERY in found:
            return ()
        return found or (NONE,)

    @field_validator("issuer")
    @classmethod
    def _is_address(cls, value: str) -> str:
        parts = urlsplit(value)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        if value and not (is_safe and parts.hostname and not parts.query and not parts.fragment):
            raise ValueError("give an address with https://, without ? and #")
        return value

    @field_validator("portfolios")
    @classmethod
    def _limits_something(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        if empty := [group for group, ids in value.items() if not ids]:
            raise ValueError(f"{empty[0]}: name at least one portfolio, or leave the group out")
        return value

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not self.issuer:
            return self
        if not self.client_id:
            raise ValueError("client_id is missing: give what the provider calls Fundwatch")
        if not self.roles:
            raise ValueError("roles are missing: without a group that has a role nobody could sign in")
        if "openid" not in self.scopes.split():
            raise ValueError("scopes: openid must be among them")
        return self
