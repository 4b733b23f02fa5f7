"""One command line: its output, its configuration, and the database and migrations that it is about. Everything is looked up when asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from driftflow.cli.output import Output, quoted
from driftflow.config import Config, Policy, SourceOptions, load, mask
from driftflow.errors import ConfigError, SourceError, UsageError
from driftflow.model.record import LocalState

if TYPE_CHECKING:
    from driftflow.dialects.base import Dialect
    from driftflow.engine.ports import Connector
    from driftflow.model.catalog import Catalog
    from driftflow.model.finding import Reference
    from driftflow.model.snapshot import Snapshot
    from driftflow.readers.sources import Source

ASSUMED_DIALECT = "postgresql"
_EXAMPLES = {
    "postgresql": "postgresql://user@host:5432/database",
    "mysql": "mysql://user@host:3306/database",
    "mariadb": "mariadb://user@host:3306/database",
    "sqlite": "sqlite:///file.db",
}


class Session(LocalState, kw_only=True, dict=True):
    """`flags` are the words of the command line that settle configuration; `snapshot` is the file that stands in for a database. A `static`
    session contacts none, though one may be configured."""

    out: Output
    flags: Mapping[str, str | None]
    config_file: Path | None = None
    snapshot: Path | None = None
    static: bool = False

    @cached_property
    def config(self) -> Config:
        return load(start=Path.cwd(), environ=os.environ, flags=self.flags, file=self.config_file)

    @property
    def policy(self) -> Policy:
        return self.config.target.policy

    @property
    def root(self) -> Path:
        return Path(self.config.root)

    @cached_property
    def url(self) -> str:
        """The URL of the chosen database, or nothing. Its password is kept from every output from now on."""
        target = self.config.target
        url = target.url
        if not url and target.url_env:
            url = os.environ.get(target.url_env, "")
            if not url:
                raise self._not_set(target.url_env, "target.url_env")
        self.out.secrets += secrets_of(url)
        if self.flags.get("url") == url and secrets_of(url):
            hides = (
                "--env, DRIFTFLOW_URL and .pgpass hide it" if url.startswith("postgres") else "--env and DRIFTFLOW_URL hide it"
            )
            self.out.note(f"note: others on this machine can see a password on the command line; {hides}")
        return url

    @cached_property
    def replicas(self) -> tuple[Connector, ...]:
        """What opens sessions to the replicas that are named. Their passwords are kept from every output from now on.

        Raises ConfigError (DF-E130) for a variable that is not set.
        """
        from driftflow.drivers.urls import connector_for

        target = self.config.target
        urls = list(target.replica_url)
        for variable in target.replica_url_env:
            if not os.environ.get(variable):
                raise self._not_set(variable, "target.replica_url_env")
            urls.append(os.environ[variable])
        self.out.secrets += [secret for url in urls for secret in secrets_of(url)]
        return tuple(connector_for(url, password_command=target.password_command, read_only=True) for url in urls)

    def _not_set(self, variable: str, key: str) -> ConfigError:
        target = self.config.target
        return ConfigError(
            "DF-E130",
            f"the environment variable {variable} is not set",
            where=self.config.origin(key),
            why=f"the environment {target.name or '(none)'} takes {'its URL' if key == 'target.url_env' else 'a replica'} from it",
            hint=f"export {variable}=postgresql://user@host:5432/database, or pass --{'url' if key == 'target.url_env' else 'replica-url'}",
        )

    @property
    def has_database(self) -> bool:
        """Whether one is named at all; says nothing about whether it answers."""
        target = self.config.target
        return bool(target.url or target.url_env)

    @property
    def where(self) -> tuple[str, ...]:
        """The options that name this database or snapshot again, for the next command; a URL without its secret only where it has none."""
        return ("--snapshot", str(self.snapshot)) if self.snapshot is not None else self.live_where

    @property
    def live_where(self) -> tuple[str, ...]:
        """The same for a command that needs the database itself."""
        if self.flags.get("env"):
            return ("--env", str(self.flags["env"]))
        url = self.flags.get("url")
        if not url:
            return ()
        return ("--url", url) if mask(url) == url else ("--url", "URL")

    def onward(self, *arguments: str | Path) -> str:
        """The command to type next: `plan`, or `assess` where no plan can be made of this dialect's migrations."""
        return quoted("driftflow", "plan", *arguments)

    @cached_property
    def connector(self) -> Connector:
        """Raises ConfigError when no database is named."""
        if not self.url:
            raise ConfigError(
                "DF-E131",
                "no database is named",
                why=f"neither --url, --env nor DRIFTFLOW_URL is given{' and there is no driftflow.toml' if not self.config.file else ''}",
                hint=f"driftflow init, or pass --url {_EXAMPLES.get(self.config.target.dialect) or ' or '.join(_EXAMPLES.values())}",
            )
        from driftflow.drivers.urls import connector_for

        return connector_for(self.url, password_command=self.config.target.password_command)

    @cached_property
    def dialect(self) -> Dialect:
        """The dialect of the flag, the URL, the snapshot or the sources, in this order."""
        from driftflow.dialects.registry import dialect_named

        return dialect_named(self._dialect_name())

    def _dialect_name(self) -> str:
        target = self.config.target
        if target.dialect:
            return target.dialect
        if self.snapshot is not None:
            return self.catalog.vendor
        if self.has_database:
            return self.connector.dialect if self.static else self._server_dialect()
        said = {source.dialect for source in self.config.sources.values() if source.dialect} | {self.config.project.dialect} - {
            ""
        }
        if len(said) == 1:
            return said.pop()
        self.out.note(f"note: assuming {ASSUMED_DIALECT}; say --dialect for another")
        return ASSUMED_DIALECT

    def _server_dialect(self) -> str:
        """What the server says it is, where a URL of its family may name the other one."""
        named = self.url.partition(":")[0].partition("+")[0].lower()
        if named in {"mysql", "mariadb"}:
            self.connector.connect("dialect").close()
            if self.connector.dialect != named:
                self.out.note(f"note: the URL says {named} and the server is {self.connector.dialect}: its dialect is used")
        return self.connector.dialect

    @property
    def server_version(self) -> str:
        """As it was said; raises ConfigError where it is no version."""
        from driftflow.model.names import Version

        text = self.config.target.server_version
        if text:
            try:
                Version.parse(text)
            except (ValueError, IndexError):
                where = self.config.origin("target.server_version")
                raise ConfigError(
                    "DF-E103", f"{text!r} is not a version", where=where, hint="--server-version 16, or 3.45.1"
                ) from None
        return text

    @cached_property
    def _snapshot(self) -> Snapshot:
        assert self.snapshot is not None
        return read_snapshot(self.snapshot)

    @cached_property
    def catalog(self) -> Catalog:
        """The catalog of the snapshot file, or of the live database."""
        if self.snapshot is not None:
            return self._snapshot.catalog
        from driftflow import pipeline

        return pipeline.read_catalog(self.connector)

    @property
    def maybe_catalog(self) -> Catalog | None:
        return self.catalog if self.snapshot is not None or self.has_database else None

    def sources(
        self,
        paths: Sequence[Path] = (),
        *,
        tool: str = "",
        variables: Mapping[str, str] = {},
        errors: list[SourceError] | None = None,
    ) -> tuple[Source, ...]:
        """The sources at the paths; without paths those of driftflow.toml, else what is found from the project's folder down.

        With `errors` a file that cannot be read is put there, and the others come back.
        """
        from driftflow import pipeline

        configured = {str(self.root / source.path): source for source in self.config.sources.values()}
        wanted = list(paths) or [Path(path) for path in configured]
        if not wanted:
            from driftflow.cli.detect import find_sources

            found = find_sources(self.root)
            wanted = [self.root / one.folder for one in found] or [self.root]
            if found:
                self.out.note("note: found " + ", ".join(f"{one.tool} in {one.folder}" for one in found))
        for path in wanted:
            if not path.exists():
                raise SourceError("DF-E132", f"{path} is not there", hint="name a folder of migrations, or a file of SQL")
        options = {
            str(path): with_flags(configured.get(str(path.resolve())) or configured.get(str(path)), path, tool, variables)
            for path in wanted
        }
        return pipeline.find_sources(wanted, dialect=self.dialect, options=options, root=self.root, errors=errors)

    def pending(self, sources: Sequence[Source]) -> tuple[str, ...] | None:
        """The ids that are not applied yet, by the tool's own version table; None when there is nobody to ask."""
        if self.snapshot is not None:
            done = self._snapshot.applied
            return tuple(one.id for source in sources for one in source.migrations if one.id not in done.get(source.name, ()))
        if not self.has_database:
            return None
        from driftflow import pipeline

        return tuple(id for status in pipeline.read_status(sources, self.connector) for id in status.pending)

    def references(self, sources: Sequence[Source], pending: Sequence[str] | None, code: Path) -> tuple[Reference, ...]:
        """Places of the code, and queries that the database has recorded, that mention what the migrations change."""
        from driftflow import pipeline

        found = pipeline.assess(
            sources, dialect=self.dialect, catalog=self.catalog, policy=self.policy, pending=pending, root=self.root
        )
        live = self.connector if self.snapshot is None else None
        return pipeline.with_references(found, sources, code=code, connector=live).references


def with_flags(configured: SourceOptions | None, path: Path, tool: str, variables: Mapping[str, str]) -> SourceOptions:
    """What the configuration says of a source, with the command line's words over it."""
    from driftflow.model.record import replace

    base = configured or SourceOptions(path=str(path))
    return replace(base, tool=tool or base.tool, variables={**base.variables, **variables})


def read_snapshot(path: Path) -> Snapshot:
    """Raises PlanFileError when the file is not a snapshot, or one of a newer driftflow."""
    from driftflow.model.snapshot import decode_snapshot

    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise UsageError("DF-E132", f"{path} is not there", hint=f"driftflow snapshot -o {path}") from None
    return decode_snapshot(text, where=str(path))


def secrets_of(url: str) -> list[str]:
    """The password in a URL, as it stands there and as it is meant."""
    try:
        password = urlsplit(url).password or ""
    except ValueError:
        return [url]
    return [password, unquote(password)] if password else []
