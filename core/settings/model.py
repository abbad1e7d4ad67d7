"""Every setting of Fundwatch, in one frozen class: environment, then `fundwatch.yaml`, then defaults.

Nothing else in the program reads the environment.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from core.addresses import host_and_port
from core.alerts.rule import Rule
from core.group import twice
from core.kinds.registry import Watch
from core.roles import Role
from core.settings.alerts import Alerts
from core.settings.binding import (
    WILDCARDS,
    check_certificate,
    check_host,
    checked_address,
    checked_names,
    checked_networks,
    is_loopback,
)
from core.settings.books import Books
from core.settings.channels import Channels
from core.settings.collectors import Intervals, Sources
from core.settings.consume import Consume
from core.settings.health import Health
from core.settings.ingest import Ingest
from core.settings.limits import SetLimits
from core.settings.oidc import Oidc
from core.settings.portfolios import SetPortfolio
from core.settings.pull import Pull
from core.settings.readiness import Readiness
from core.settings.routes import Route
from core.settings.stores import Query, Retention, Writer
from core.settings.thresholds import Thresholds
from core.settings.visitors import RateLimits, Sessions

PREFIX = "FUNDWATCH_"
LOOPBACK_OPEN = "loopback-open"
CONFIG_VARIABLE = "FUNDWATCH_CONFIG"
"""Names the settings file; the one variable that is not a setting itself."""


def environment_without_settings() -> dict[str, str]:
    """Return the environment for a process that is to know nothing of our settings, which may hold passwords."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


def _whole(value: object) -> object:
    """Environment variables are text; a Literal of numbers does not convert by itself."""
    return int(value) if isinstance(value, str) and value.isdigit() else value


def _listed(value: object) -> object:
    """A list in one text has commas between its items."""
    return tuple(each.strip() for each in value.split(",") if each.strip()) if isinstance(value, str) else value


def _roles(value: tuple[str, ...]) -> tuple[str, ...]:
    words = [role.word for role in Role]
    if unknown := [each for each in value if each not in words]:
        raise ValueError(f"{unknown[0]!r} is no role; there are {', '.join(words)}")
    return value


Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
"""A list, in the environment as one text with commas."""


class Settings(BaseSettings):
    """Every setting. Frozen: a change needs a restart."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    host: str = Field(
        "127.0.0.1", description="Address the web server binds to; another than loopback needs TLS or a trusted proxy."
    )
    port: int = Field(8050, ge=1, le=65_535, description="Port of the web server.")
    tls_cert: str = Field(
        "", description="File of the certificate, PEM, with those that lead to its root; needs tls_key."
    )
    tls_key: str = Field("", description="File of the certificate's private key, PEM, without a password.")
    trusted_proxy: Annotated[Listed, AfterValidator(checked_networks)] = Field(
        (),
        description="Addresses or networks (10.0.0.0/24) of reverse proxies; requests then come through them alone.",
    )
    allowed_hosts: Annotated[Listed, AfterValidator(checked_names)] = Field(
        (),
        description="Names under which browsers open Fundwatch, beside localhost and the address that it binds to.",
    )
    public_address: Annotated[str, AfterValidator(checked_address)] = Field(
        "",
        description="Where people open Fundwatch, such as https://fundwatch.example.com: links of messages lead there; "
        "empty: the address that it binds to.",
    )
    second_factor_roles: Annotated[Listed, AfterValidator(_roles)] = Field(
        (), description="Roles that must have a second factor: admin, operator, analyst, viewer."
    )
    data_dir: Path = Field(Path("data"), description="Folder of everything Fundwatch keeps; made if absent.")
    clickhouse_url: str = Field(
        "",
        description="ClickHouse: http(s)://user:password@host:port, or empty for the one inside this process.",
    )
    clickhouse_database: str = Field(
        "fundwatch",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$",
        description="ClickHouse database, made if absent.",
    )
    clickhouse_cluster: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_.-]*$",
        description="Cluster name: tables become replicated and distributed. Needs a ClickHouse server.",
    )
    redis_url: str = Field(
        "", description="Redis or Valkey: redis(s)://… or unix://…, or empty for the bundled Valkey."
    )
    state_url: str = Field(
        "",
        description="State database: sqlite:///… or postgresql+psycopg://…, or empty for SQLite in the data folder.",
    )
    machine: str = Field(
        default_factory=socket.gethostname,
        min_length=1,
        max_length=253,
        description="Name of this machine in the data.",
    )
    refresh_seconds: Annotated[Literal[1, 5, 15, 30, 60], BeforeValidator(_whole)] = Field(
        5, description="How often an open page asks for news."
    )
    web_threads: int = Field(8, ge=1, le=64, description="Threads that answer browsers.")
    load_sample: bool = Field(True, description="Load the sample fund when the database has no portfolio yet.")
    demo_start: str = Field(
        "2017-01-03",
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description="Day of the sample's prices (2014 to 2022) that the replay begins with; those before come at once.",
    )
    sign_in: Literal["required", "loopback-open"] = Field(
        "required",
        description="Whether all sign in; loopback-open: readers on this machine may look without, and change nothing.",
    )
    admin_password: SecretStr = Field(
        SecretStr(""),
        description="Password of the account admin, taken when the first start makes it; empty: a link asks for one.",
    )
    sessions: Sessions = Field(Sessions(), description="How long somebody stays signed in.")
    oidc: Oidc = Field(Oidc(), description="An OpenID provider where people sign in, beside the accounts made here.")
    rate_limits: RateLimits = Field(RateLimits(), description="How often somebody may ask.")
    actions_enabled: bool = Field(
        False, description="Whether the screen may end queries, sessions and clients on watched sources."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severe message logged.")
    sources: Sources = Field(Sources(), description="Which collectors run.")
    intervals: Intervals = Field(Intervals(), description="How often each collector runs.")
    retention: Retention = Field(Retention(), description="How long measurements are kept.")
    query: Query = Field(Query(), description="Limits on every ClickHouse query.")
    writer: Writer = Field(Writer(), description="How samples reach ClickHouse.")
    ingest: Ingest = Field(Ingest(), description="What programs may send.")
    alerts: Alerts = Field(Alerts(), description="How alerting works, beside its rules and channels.")
    readiness: Readiness = Field(Readiness(), description="When trading may go on.")
    limits: SetLimits = Field(SetLimits(), description="Limits of portfolios.")
    books: Books = Field(Books(), description="How far books built from trades may differ from reported ones.")
    health: Health = Field(Health(), description="How the health score weighs what it is made of.")
    thresholds: Thresholds = Field(Thresholds(), description="When a machine is in trouble.")
    watch: Watch = Field(Watch(), description="Watched sources, any number of named instances of each kind.")
    pull: tuple[Pull, ...] = Field(
        (), description="Queries on PostgreSQL or ClickHouse whose new rows are taken in, again and again."
    )
    consume: tuple[Consume, ...] = Field((), description="Topics of Kafka whose messages are rows that are taken in.")
    rules_dir: Path = Field(Path("rules"), description="Folder of files of alert rules, *.yaml.")
    rules: tuple[Rule, ...] = Field((), description="Alert rules that stand here, beside those of files.")
    rules_disabled: Listed = Field((), description="Alert rules that come with Fundwatch and are not wanted.")
    rule_metrics: Listed = Field((), description="Metrics that exporters or programs name and that rules here use.")
    channels: Channels = Field(Channels(), description="Ways in which alerts reach people.")
    routes: tuple[Route, ...] = Field(
        (),
        description="Who is told of what; none: every channel of warnings and more, else the log.",
    )
    portfolios: tuple[SetPortfolio, ...] = Field(
        (),
        description="Portfolios whose settings stand here instead of on the page; an id is what files call one.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, YamlConfigSettingsSource(settings_cls, yaml_file=config_file())

    @field_validator("clickhouse_url")
    @classmethod
    def _clickhouse_scheme(cls, value: str) -> str:
        return _scheme(value, ("chdb", "http", "https"))

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, value: str) -> str:
        return _scheme(value, ("redis", "rediss", "unix"))

    @field_validator("state_url")
    @classmethod
    def _state_scheme(cls, value: str) -> str:
        return _scheme(value, ("sqlite", "postgresql", "postgresql+psycopg"))

    @model_validator(mode="after")
    def _is_bound_safely(self) -> Self:
        check_certificate(self.tls_cert, self.tls_key)
        check_host(self.host, self.has_tls, self.trusted_proxy, self.allowed_hosts)
        return self

    @model_validator(mode="after")
    def _cluster_needs_a_server(self) -> Self:
        if self.clickhouse_cluster and not self.clickhouse_url.startswith("http"):
            raise ValueError("FUNDWATCH_CLICKHOUSE_CLUSTER needs a server: set FUNDWATCH_CLICKHOUSE_URL to http(s)://…")
        return self

    @field_validator("pull")
    @classmethod
    def _pulls_are_told_apart(cls, value: tuple[Pull, ...]) -> tuple[Pull, ...]:
        if again := twice(each.name for each in value):
            raise ValueError(f"two pulls are named {', '.join(again)}")
        return value

    @field_validator("consume")
    @classmethod
    def _topics_are_told_apart(cls, value: tuple[Consume, ...]) -> tuple[Consume, ...]:
        if again := twice(each.name for each in value):
            raise ValueError(f"two topics are named {', '.join(again)}")
        return value

    @field_validator("rules")
    @classmethod
    def _rules_are_told_apart(cls, value: tuple[Rule, ...]) -> tuple[Rule, ...]:
        if again := twice(each.name for each in value):
            raise ValueError(f"two rules are named {', '.join(again)}")
        return value

    @model_validator(mode="after")
    def _routes_lead_somewhere(self) -> Self:
        known = self.channels.every()
        for number, route in enumerate(self.routes):
            if unknown := [name for name in route.named if name not in known]:
                raise ValueError(f"routes[{number}]: there is no channel {unknown[0]}; there are {', '.join(known)}")
        return self

    @field_validator("portfolios")
    @classmethod
    def _ids_are_unique(cls, value: tuple[SetPortfolio, ...]) -> tuple[SetPortfolio, ...]:
        if again := twice(each.id for each in value):
            raise ValueError(f"two portfolios have the id {', '.join(again)}")
        return value

    @model_validator(mode="after")
    def _open_on_loopback_only(self) -> Self:
        if self.sign_in == LOOPBACK_OPEN and not is_loopback(self.host):
            raise ValueError(
                f"FUNDWATCH_SIGN_IN={LOOPBACK_OPEN} is for this machine alone: leave FUNDWATCH_HOST at 127.0.0.1, "
                "or set FUNDWATCH_SIGN_IN=required"
            )
        if self.sign_in == LOOPBACK_OPEN and self.trusted_proxy:
            raise ValueError(
                f"FUNDWATCH_SIGN_IN={LOOPBACK_OPEN} is for this machine alone, and FUNDWATCH_TRUSTED_PROXY brings "
                "others: set FUNDWATCH_SIGN_IN=required"
            )
        return self

    @property
    def has_tls(self) -> bool:
        """Whether the web server itself speaks TLS."""
        return bool(self.tls_cert)

    @property
    def address(self) -> str:
        """Where the web server is, as a browser on this machine opens it."""
        host = self.allowed_hosts[0] if self.host in WILDCARDS else self.host
        return f"{'https' if self.has_tls else 'http'}://{host_and_port(host, self.port)}"

    @property
    def links_lead_to(self) -> str:
        """What links of messages begin with."""
        return self.public_address or self.address

    @property
    def host_names(self) -> frozenset[str]:
        """Under which names, beside this machine's own, browsers may ask."""
        public = urlsplit(self.public_address).hostname
        return frozenset({self.host.lower(), *self.allowed_hosts, *([public] if public else [])})

    @property
    def kinds_of_rows(self) -> dict[str, str]:
        """Of which kind the rows are that each importer fetches from elsewhere: {"pull-fills": "trades"}."""
        pulls = {each.collector: str(each.kind) for each in self.pull}
        return pulls | {each.collector: str(each.kind) for each in self.consume}

    @property
    def row_importers(self) -> tuple[str, ...]:
        """Names of what fetches rows from elsewhere: "pull-fills", "consume-orders"."""
        return (*self.kinds_of_rows,)

    @property
    def is_embedded(self) -> bool:
        """Whether ClickHouse runs inside this process, which then owns the data folder alone."""
        return not self.clickhouse_url.startswith("http")

    @property
    def clickhouse_dsn(self) -> str:
        """Where ClickHouse is, the default filled in."""
        return self.clickhouse_url or f"chdb://{self.data_dir.resolve() / 'clickhouse'}"

    @property
    def state_dsn(self) -> str:
        """Where the state database is, the default filled in."""
        return self.state_url or f"sqlite:///{self.data_dir.resolve() / 'state.sqlite'}"


def config_file() -> Path:
    """Return the settings file: `FUNDWATCH_CONFIG`, else `fundwatch.yaml` in the current folder."""
    return Path(os.environ.get(CONFIG_VARIABLE) or "fundwatch.yaml")


def _scheme(value: str, allowed: tuple[str, ...]) -> str:
    if value and urlsplit(value).scheme not in allowed:
        raise ValueError(f"must be empty or start with {', '.join(f'{name}://' for name in allowed)}")
    return value
