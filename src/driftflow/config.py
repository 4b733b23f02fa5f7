"""One frozen Config: flags > environment > driftflow.toml > defaults. Each value knows where it came from.

    [project]               name, environment (the one taken when none is named), dialect, server_version
    [policy]                what every environment starts from
    [sources.NAME]          tool, path, dialect, variables, table, options
    [environments.NAME]     url or url_env, replica_url or replica_url_env, password_command, dialect, server_version, schema, and any key of [policy]
    [rules.CODE]            severity, exclude, reason; [environments.NAME.rules.CODE] takes its place there

Nothing is guessed: an unknown key is refused with the nearest known one and its line, and all faults are told at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from driftflow.config_file import find_file
from driftflow.errors import ConfigError
from driftflow.model.record import DecodeError, Record, convert, replace
from driftflow.model.rules import Rule
from driftflow.patterns import lazy_regex

PREFIX = "DRIFTFLOW_"
DEFAULT = "default"
T = TypeVar("T")
R = TypeVar("R", bound=Record)


class Policy(Record, frozen=True, kw_only=True):
    """How careful to be: the knobs of one environment that checks, strategies, planner and engine read."""

    stall_budget_ms: int = 250
    """The longest that a waiting lock request of ours may make others queue."""
    lock_tries: int = 30
    lock_rest_ms: int = 2_500
    """Rest between two tries of a lock, at least ten times the stall budget; jitter is added."""
    statement_timeout_ms: int = 10_000
    small_table_rows: int = 10_000
    """At or below this (known) size the direct form under a lock timeout is chosen."""
    chunk_target_ms: int = 0
    """0: 150 on PostgreSQL, 35 on SQLite."""
    rest_percent: int = 0
    """0: 20 on PostgreSQL, 100 on SQLite."""
    probe_rows: int = 20_000_000
    """The most rows that one query of a guard may read, by the server's own estimate; 0 is no limit. Above it a guard that only counts is
    left out and says so, and one that decides goes through the table in ranges of its key, or has to be accepted by name."""
    replica_lag_ms: int = 5_000
    active_sessions: int = 0
    """Pause a backfill above this many active sessions; 0 is no limit."""
    disk_free_bytes: int = 1 << 30
    soak_hours: int = 0
    applied_by_tool: bool = False
    """The team's own tool applies the migrations, not driftflow: what the engine would see to is a finding where the files do not."""
    protected: bool = False
    """A protected environment demands an approved digest before `apply`."""
    require_proof: bool = False
    """`apply` demands a proof of the plan (`driftflow prove`), made on the server's own major version, that leaves nothing open."""
    accept: tuple[str, ...] = ()
    """Names of irreversible steps accepted beforehand."""


class Project(Record, frozen=True, kw_only=True):
    """`[project]`."""

    name: str = ""
    environment: str = ""
    """The environment taken when none is named. Empty: the only one, if there is only one."""
    dialect: str = ""
    server_version: str = ""


class SourceOptions(Record, frozen=True, kw_only=True):
    """What the config says about one source: `[sources.NAME]` in driftflow.toml."""

    tool: str = ""
    path: str = "."
    dialect: str = ""
    variables: Mapping[str, str] = {}
    """psql-style `:NAME`, `:'NAME'`, `:"NAME"` (plain SQL), `${name}` (Flyway)."""
    table: str = ""
    """The tool's version table, where it is not the default one; `schema.table` allowed."""
    options: Mapping[str, str] = {}
    """What only this tool knows (`baseline`, `multi_statement`, `group`, ...). Unknown names are refused by the reader."""


class Environment(Record, frozen=True, kw_only=True):
    """`[environments.NAME]`, or what flags and environment variables say without one. `url` may hold a secret: print `display_url` only."""

    name: str = ""
    url: str = ""
    url_env: str = ""
    password_command: str = ""
    dialect: str = ""
    server_version: str = ""
    schema: str = ""
    replica_url: tuple[str, ...] = ()
    """Replicas of the database, which questions about data go to: one URL, or a list. May hold secrets, as `url`."""
    replica_url_env: tuple[str, ...] = ()
    """Environment variables that hold such URLs."""
    policy: Policy = Policy()
    rules: Mapping[str, Rule] = {}
    """Those of the file, with the environment's own in their place."""


class Config(Record, frozen=True, kw_only=True):
    """Everything that is configured, merged. `target` is the chosen environment with flags and environment variables over it."""

    root: str
    """The folder where relative paths start: that of the file, else the working directory."""
    file: str = ""
    project: Project = Project()
    sources: Mapping[str, SourceOptions] = {}
    environments: Mapping[str, Environment] = {}
    rules: Mapping[str, Rule] = {}
    target: Environment = Environment()
    origins: Mapping[str, str] = {}
    """Dotted key → where its value came from: `--url`, `DRIFTFLOW_URL`, `driftflow.toml:12`. What is missing is a default."""

    def origin(self, key: str) -> str:
        return self.origins.get(key, DEFAULT)


POLICY_KEYS: tuple[str, ...] = Policy.__struct_fields__
REPLICA_KEYS: tuple[str, ...] = ("replica_url", "replica_url_env")
TARGET_KEYS: tuple[str, ...] = ("url", "url_env", "password_command", "dialect", "server_version", "schema", *REPLICA_KEYS)
FLAG_KEYS: tuple[str, ...] = ("env", *TARGET_KEYS, *POLICY_KEYS)
"""What a flag or a `DRIFTFLOW_*` variable may set."""
OTHER_VARIABLES: tuple[str, ...] = ("DRIFTFLOW_TRACEBACK", "DRIFTFLOW_CONFIG", "DRIFTFLOW_CACHE")


def load(
    *, start: Path, environ: Mapping[str, str] = {}, flags: Mapping[str, str | None] = {}, file: Path | None = None
) -> Config:
    """The merged configuration. Raises ConfigError, or an ExceptionGroup of them when there are several faults."""
    path = file or find_file(start)
    reading = _Reading(path)
    if path is not None:
        reading.read()
    asked = _asked(environ, flags, reading)
    chosen, origin = _choose(asked, reading)
    target = _overlay(chosen, asked, reading)
    reading.finish()
    return Config(
        root=str(path.parent if path else start),
        file=str(path) if path else "",
        project=reading.project,
        sources=reading.sources,
        environments=reading.environments,
        rules=reading.rules,
        target=target,
        origins={**reading.origins, **({"env": origin} if origin else {})},
    )


class _Reading:
    """One reading of the file: what it says, where each key stands, and every fault found on the way."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.lines: dict[str, int] = {}
        self.faults: list[ConfigError] = []
        self.origins: dict[str, str] = {}
        self.project = Project()
        self.sources: dict[str, SourceOptions] = {}
        self.environments: dict[str, Environment] = {}
        self.policy = Policy()
        self.rules: dict[str, Rule] = {}

    def read(self) -> None:
        assert self.path is not None
        import tomllib  # a folder of migrations needs no configuration, and one file is linted in a tenth of a second

        text = _text(self.path)
        self.lines = key_lines(text)
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as fault:
            raise ConfigError(
                "DF-E101",
                f"{self.path.name} is not valid TOML",
                where=str(self.path),
                why=str(fault),
                hint="correct the line, then: driftflow config",
            ) from fault
        tables = self._tables("", document, ("project", "policy", "sources", "environments", "rules"))
        self.project = self._record("project", tables.get("project", {}), Project)
        self.policy = self._record("policy", tables.get("policy", {}), Policy)
        self.rules = dict(self._rules("rules", tables.get("rules", {})))
        for name, table in self._named("sources", tables):
            self.sources[name] = self._record(f"sources.{name}", table, SourceOptions)
        for name, table in self._named("environments", tables):
            self.environments[name] = self._environment(name, table)

    def _tables(self, prefix: str, value: Mapping[str, Any], known: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """The tables of a document, with a fault for each that is not known or not a table."""
        found: dict[str, Mapping[str, Any]] = {}
        for key, item in value.items():
            dotted = f"{prefix}{key}"
            if known and key not in known:
                self.unknown(dotted, key, known)
            elif not isinstance(item, Mapping):
                self.wrong(dotted, "a table was expected", f"write [{dotted}] on a line of its own")
            else:
                found[key] = item
        return found

    def _named(self, key: str, tables: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        yield from self._tables(f"{key}.", tables.get(key, {}), ()).items()

    def _environment(self, name: str, table: Mapping[str, Any]) -> Environment:
        prefix = f"environments.{name}"
        known = (*TARGET_KEYS, *POLICY_KEYS, "rules")
        rules = self._tables(f"{prefix}.", {key: table[key] for key in ("rules",) if key in table}, ()).get("rules", {})
        policy = {key: value for key, value in table.items() if key in POLICY_KEYS}
        plain = {key: value for key, value in table.items() if key not in POLICY_KEYS and key != "rules"}
        plain |= {key: [plain[key]] for key in REPLICA_KEYS if isinstance(plain.get(key), str)}
        environment = self._record(prefix, plain, Environment, known=known, hidden=("name", "policy", "rules"))
        if environment.replica_url and environment.replica_url_env:
            self.wrong(
                f"{prefix}.replica_url_env",
                "replica_url and replica_url_env are both given",
                "keep one of them; replica_url_env keeps secrets out of the file",
            )
        if environment.url and environment.url_env:
            self.wrong(
                f"{prefix}.url_env", "url and url_env are both given", "keep one of them; url_env keeps secrets out of the file"
            )
        return replace(
            environment,
            name=name,
            policy=self._record(prefix, policy, Policy, base=self.policy),
            rules={**self.rules, **dict(self._rules(f"{prefix}.rules", rules))},
        )

    def _rules(self, prefix: str, tables: Mapping[str, Any]) -> Iterator[tuple[str, Rule]]:
        """Whether there are such checks is for those to say who know the checks."""
        for code, table in self._tables(f"{prefix}.", tables, ()).items():
            rule, dotted = self._record(f"{prefix}.{code}", table, Rule), f"{prefix}.{code}"
            self.origins[dotted] = self.place(dotted)
            if not (rule.severity or rule.exclude):
                self.wrong(dotted, "it changes nothing", 'severity = "off", or exclude = ["db/legacy/**"]')
            elif not rule.reason.strip():
                self.wrong(dotted, "it says no reason, and the next reader cannot tell whether it still holds", 'reason = "..."')
            yield code, rule

    def _record(
        self,
        prefix: str,
        table: Mapping[str, Any],
        kind: type[R],
        *,
        base: R | None = None,
        known: Sequence[str] = (),
        hidden: Sequence[str] = (),
    ) -> R:
        """The table as a record; each key by itself, so that every fault is found. `base` gives what is not said."""
        hints = {key: hint for key, hint in get_type_hints(kind).items() if key not in hidden}
        values: dict[str, Any] = {}
        for key, value in table.items():
            dotted = f"{prefix}.{key}"
            if key not in hints:
                self.unknown(dotted, key, tuple(known or hints))
                continue
            try:
                values[key] = checked(key, convert(value, hints[key]))
            except (DecodeError, ValueError) as fault:
                self.wrong(dotted, str(fault), _example(key, hints[key]))
                continue
            self.origins[dotted] = self.place(dotted)
        return replace(base, **values) if base is not None else kind(**values)

    def place(self, dotted: str) -> str:
        assert self.path is not None
        line = self.lines.get(dotted)
        return f"{self.path.name}:{line}" if line else self.path.name

    def unknown(self, dotted: str, key: str, known: Sequence[str]) -> None:
        near = nearest(key, known)
        self.faults.append(
            ConfigError(
                "DF-E102",
                f"unknown key {dotted}",
                where=self.place(dotted),
                why=f"known here: {', '.join(known)}",
                hint=f"did you mean {near}?" if near else "remove it, or correct its name",
            )
        )

    def wrong(self, dotted: str, why: str, hint: str) -> None:
        self.faults.append(
            ConfigError("DF-E103", f"{dotted} has a value that cannot be", where=self.place(dotted), why=why, hint=hint)
        )

    def finish(self) -> None:
        if len(self.faults) == 1:
            raise self.faults[0]
        if self.faults:
            raise ExceptionGroup("faults in the configuration", self.faults)


class _Asked(Record, frozen=True, kw_only=True):
    """What flags and environment variables say, flags first, with where each came from."""

    values: Mapping[str, str] = {}
    origins: Mapping[str, str] = {}


def _asked(environ: Mapping[str, str], flags: Mapping[str, str | None], reading: _Reading) -> _Asked:
    values: dict[str, str] = {}
    origins: dict[str, str] = {}
    names = {f"{PREFIX}{key.upper()}": key for key in FLAG_KEYS}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in OTHER_VARIABLES or variable.startswith("DRIFTFLOW_TEST_"):
            continue
        if variable in names:
            if environ[variable]:
                values[names[variable]], origins[names[variable]] = environ[variable], variable
        elif near := nearest(variable, tuple(names), cutoff=0.8):
            # Only a near miss is refused: a team may use the prefix for settings of its own.
            reading.faults.append(
                ConfigError(
                    "DF-E102", f"unknown environment variable {variable}", where="environment", hint=f"did you mean {near}?"
                )
            )
    for key, value in flags.items():
        if value is not None:
            values[key], origins[key] = value, f"--{key.replace('_', '-')}"
    return _Asked(values=values, origins=origins)


def _choose(asked: _Asked, reading: _Reading) -> tuple[Environment, str]:
    """The environment that is named, or the default one, or the only one; none when a URL is given without a name."""
    name, origin = asked.values.get("env", ""), asked.origins.get("env", "")
    if not name and ("url" in asked.values or "url_env" in asked.values):
        return Environment(policy=reading.policy, rules=reading.rules), ""
    if not name and reading.project.environment:
        name, origin = reading.project.environment, reading.origins["project.environment"]
    if not name and len(reading.environments) == 1:
        name, origin = next(iter(reading.environments)), "the only environment"
    if not name:
        return Environment(policy=reading.policy, rules=reading.rules), ""
    if name not in reading.environments:
        near = nearest(name, tuple(reading.environments))
        known = ", ".join(reading.environments) or "none"
        reading.faults.append(
            ConfigError(
                "DF-E104",
                f"there is no environment called {name}",
                where=origin,
                why=f"known environments: {known}",
                hint=f"did you mean {near}?" if near else "driftflow init writes one, or pass --url",
            )
        )
        return Environment(policy=reading.policy, rules=reading.rules), ""
    return reading.environments[name], origin


def _overlay(environment: Environment, asked: _Asked, reading: _Reading) -> Environment:
    """Flags and variables over the environment, the project's dialect and version under it. Fills `origins` for `target.*`."""
    hints = get_type_hints(Policy)
    plain: dict[str, Any] = {}
    policy: dict[str, Any] = {}
    for key in (*TARGET_KEYS, *POLICY_KEYS):
        inherited = [f"environments.{environment.name}.{key}", f"policy.{key}", f"project.{key}"]
        found = next((reading.origins[name] for name in inherited if name in reading.origins), None)
        if key not in asked.values:
            reading.origins.update({f"target.{key}": found} if found else {})
            continue
        reading.origins[f"target.{key}"] = asked.origins[key]
        if key in TARGET_KEYS:
            plain[key] = tuple(asked.values[key].split()) if key in REPLICA_KEYS else asked.values[key]
            continue
        try:
            policy[key] = checked(key, _from_text(asked.values[key], hints[key]))
        except ValueError as fault:
            reading.faults.append(
                ConfigError(
                    "DF-E103",
                    f"{key} has a value that cannot be",
                    where=asked.origins[key],
                    why=str(fault),
                    hint=_example(key, hints[key]),
                )
            )
    if "url" in plain:
        plain["url_env"] = ""
        # A password command belongs to the database it was written for, not to one that is named on the spot.
        plain.setdefault("password_command", "")
        plain = {"replica_url": (), "replica_url_env": (), **plain}
    elif "url_env" in plain:
        plain["url"] = ""
    if "replica_url" in plain:
        plain.setdefault("replica_url_env", ())
    elif "replica_url_env" in plain:
        plain["replica_url"] = ()
    merged = replace(environment, **plain, policy=replace(environment.policy, **policy))
    return replace(
        merged,
        dialect=merged.dialect or ("" if "url" in plain else reading.project.dialect),
        server_version=merged.server_version or reading.project.server_version,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(
            "DF-E101",
            f"{path.name} cannot be read",
            where=str(path),
            why=str(fault),
            hint="name the file with --config, or write one: driftflow init",
        ) from fault


def _from_text(text: str, hint: Any) -> Any:
    """A flag's or variable's text as the type of a policy key."""
    if hint is bool:
        if text.lower() not in {"1", "0", "true", "false", "yes", "no"}:
            raise ValueError(f"{text!r} is neither true nor false")
        return text.lower() in {"1", "true", "yes"}
    if hint is int:
        if not re.fullmatch(r"\d+", text):
            raise ValueError(f"{text!r} is not a whole number")
        return int(text)
    return tuple(part.strip() for part in text.split(",") if part.strip())


def checked(key: str, value: T) -> T:
    """The value, or ValueError where its type is right and it still cannot be."""
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        raise ValueError("a negative number makes no sense here")
    if key == "lock_tries" and value == 0:
        raise ValueError("a lock has to be tried at least once")
    return value


def _example(key: str, hint: Any) -> str:
    if hint is bool:
        return f"{key} = true"
    if hint is int:
        return f"{key} = {getattr(Policy(), key, 1)}"
    if hint is str:
        return f'{key} = "text"'
    return f'{key} = ["one", "two"]' if "tuple" in str(hint) else f'{key} = {{ name = "text" }}'


def nearest(word: str, known: Sequence[str], *, cutoff: float = 0.6) -> str:
    """The known word that looks most like this one, or nothing."""
    import difflib

    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=cutoff)), "")


_HEADER = lazy_regex(r"^\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?$")
_KEY = lazy_regex(r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


def key_lines(text: str) -> dict[str, int]:
    """Dotted key → line. For messages only: what stands inside a multi-line string may be taken for a key."""
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _dotted(header[1])
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault(f"{table}.{_dotted(key[1])}" if table else _dotted(key[1]), number)
    return found


def _dotted(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))


_USERINFO = lazy_regex(r"://([^/?#@\s:]*):([^/?#\s]*)@")
_SECRET_WORDS = ("password", "passwd", "pwd", "sslpassword", "secret", "token")
_LONGEST = max(map(len, _SECRET_WORDS))
_PARAMETER = lazy_regex(rf"(?i)\b({'|'.join(_SECRET_WORDS)})=([^&\s'\"]+)")


def mask(text: str, secrets: Sequence[str] = ()) -> str:
    """The text without what looks like, or is known to be, a secret."""
    for secret in sorted((secret for secret in secrets if len(secret) > 2), key=len, reverse=True):
        text = text.replace(secret, "***")
    if "://" in text:
        text = _USERINFO.sub(r"://\1:***@", text)
    return _PARAMETER.sub(r"\1=***", text) if _names_a_secret(text) else text


def _names_a_secret(text: str) -> bool:
    """Whether one of the words stands before an equals sign. A report may have many megabytes and few of those: the slow search only then."""
    at = text.find("=")
    while at >= 0:
        if text[max(0, at - _LONGEST) : at].lower().endswith(_SECRET_WORDS):
            return True
        at = text.find("=", at + 1)
    return False
