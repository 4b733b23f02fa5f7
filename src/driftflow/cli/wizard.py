"""What `init` finds, asks and writes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from driftflow.cli import detect
from driftflow.errors import DriftflowError, UsageError


class DraftEnvironment(NamedTuple):
    """An `[environments.NAME]` to be written."""

    name: str
    url_env: str = ""
    url: str = ""
    dialect: str = ""
    protected: bool = False
    found_in: str = ""


class Draft(NamedTuple):
    """The driftflow.toml to be written."""

    project: str
    sources: tuple[detect.FoundSource, ...]
    environments: tuple[DraftEnvironment, ...]


def draft(root: Path, *, source: Sequence[str], url_env: Sequence[str]) -> Draft:
    """What was named, and where nothing was named what is found."""
    sources = [_named_source(text, root) for text in source] or detect.find_sources(root)
    environments = [_named_environment(text) for text in url_env]
    if not environments:
        for database in detect.find_databases(root):
            taken = {environment.name for environment in environments}
            name = environment_name(database, taken)
            environments.append(
                DraftEnvironment(
                    name,
                    database.url_env,
                    database.url,
                    database.dialect,
                    protected=name.startswith("prod"),
                    found_in=database.where,
                )
            )
    return Draft(root.resolve().name, tuple(sources), tuple(environments))


def _named_source(text: str, root: Path) -> detect.FoundSource:
    """`FOLDER` or `TOOL:FOLDER`."""
    tool, separator, folder = text.partition(":")
    if not separator:
        tool, folder = "", text
    if not (root / folder).exists():
        raise UsageError("DF-E132", f"{folder} is not there", hint="name a folder of migrations, or a file of SQL")
    return detect.FoundSource(tool, Path(folder).as_posix())


def _named_environment(text: str) -> DraftEnvironment:
    """`VARIABLE` or `NAME=VARIABLE`."""
    name, separator, variable = text.partition("=")
    variable = variable if separator else text
    if not re.fullmatch(r"[A-Za-z_]\w*", variable) or (separator and not re.fullmatch(r"[\w-]+", name)):
        raise UsageError("DF-E136", f"{text!r} names no environment variable", hint="--url-env production=PRODUCTION_URL")
    found = detect.FoundDatabase(where="--url-env", url_env=variable)
    name = name if separator else environment_name(found, set())
    return DraftEnvironment(name, variable, protected=name.startswith("prod"))


def environment_name(database: detect.FoundDatabase, taken: set[str]) -> str:
    """`PRODUCTION_DATABASE_URL` is production; a bare DATABASE_URL or a file is development."""
    words = database.url_env.lower()
    name = next(
        (full for short, full in (("prod", "production"), ("stag", "staging"), ("test", "test")) if short in words), "development"
    )
    candidates = [name, *(f"{name}{number}" for number in range(2, 100))]
    return next(candidate for candidate in candidates if candidate not in taken)


def ask(found: Draft) -> Draft:
    """Let a person keep or drop each thing that was found, and name what was not."""
    click.echo(f"Looking at {found.project}.", err=True)
    sources = [
        one
        for one in found.sources
        if click.confirm(f"Migrations of {one.tool or 'a tool'} in {one.folder}: use them?", default=True, err=True)
    ]
    if not sources:
        folder = click.prompt("Folder of the migrations (empty: none)", default="", show_default=False, err=True)
        sources = [_named_source(folder, Path.cwd())] if folder else []
    environments = []
    for one in found.environments:
        what = one.url_env or one.url
        if click.confirm(f"Database from {what} (in {one.found_in}): use it as an environment?", default=True, err=True):
            name = click.prompt("  its name", default=one.name, err=True)
            protected = click.confirm("  protected (demands an approved digest before apply)?", default=one.protected, err=True)
            environments.append(one._replace(name=name, protected=protected))
    if not environments:
        variable = click.prompt(
            "Environment variable with the database's URL (empty: none)", default="", show_default=False, err=True
        )
        environments = [_named_environment(variable)] if variable else []
    return Draft(found.project, tuple(sources), tuple(environments))


def test_connections(found: Draft, root: Path) -> list[str]:
    """One sentence per environment: whether its database answers. Nothing is written there, and a refusal stops nothing."""
    return [f"{one.name}: {_answer(one, root)}" for one in found.environments]


def _answer(environment: DraftEnvironment, root: Path) -> str:
    from driftflow.cli.failure import database_error
    from driftflow.drivers.urls import connector_for
    from driftflow.engine.ports import DatabaseFault

    url = environment.url or os.environ.get(environment.url_env, "")
    unset = "" if url else f"; {environment.url_env} stands in .env only: set -a; . ./.env; set +a"
    url = url or detect.dotenv_value(root, environment.url_env)
    if not url:
        return f"not tested, {environment.url_env} is not set here"
    try:
        connection = connector_for(url).connect("init")
        version = connection.version
        connection.close()
    except DriftflowError as fault:
        return f"does not answer: [{fault.code}] {fault.summary}{unset}"
    except DatabaseFault as fault:
        return f"does not answer: {database_error(fault).why}{unset}"
    return f"answers, {connection.dialect} {version}{unset}"


def told(found: Draft) -> list[str]:
    lines = [f"source {one.folder}: {one.tool or 'the tool is recognised when it is read'}" for one in found.sources]
    return lines or ['no migrations were found; add [sources.NAME] with path = "…", or name a folder on the command line']


def toml(found: Draft) -> str:
    """The file, with a comment where a person will want to change something."""
    lines = [
        "# driftflow.toml: every key is on the page of `driftflow config`.",
        "",
        "[project]",
        f"name = {json.dumps(found.project)}",
    ]
    if found.environments:
        lines.append(f"environment = {json.dumps(found.environments[0].name)}")
    for name, source in _source_names(found.sources):
        lines += [
            "",
            f"[sources.{name}]",
            *([f"tool = {json.dumps(source.tool)}"] if source.tool else []),
            f"path = {json.dumps(source.folder)}",
        ]
    for one in found.environments:
        lines += ["", f"[environments.{one.name}]"]
        lines.append(f"url_env = {json.dumps(one.url_env)}" if one.url_env else f"url = {json.dumps(one.url)}")
        lines += [f"dialect = {json.dumps(one.dialect)}"] if one.dialect else []
        lines += ["protected = true"] if one.protected else []
    return "\n".join(lines) + "\n"


def _source_names(sources: Sequence[detect.FoundSource]) -> list[tuple[str, detect.FoundSource]]:
    named: dict[str, detect.FoundSource] = {}
    for source in sources:
        bare = re.sub(r"[^\w-]+", "-", source.tool or Path(source.folder).name).strip("-") or "main"
        name = next(name for name in (bare, *(f"{bare}{number}" for number in range(2, 1000))) if name not in named)
        named[name] = source
    return list(named.items())
