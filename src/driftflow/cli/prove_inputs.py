"""What `driftflow prove` is given: the schema before the plan, the original migration, and how much of everything."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftflow.cli.options import FILE, Command, pairs
from driftflow.cli.session import Session
from driftflow.cli.start_inputs import queries_in, start_schema
from driftflow.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from driftflow.lab.proof.bench import Question
    from driftflow.model.migration import Migration
    from driftflow.model.plan import Plan
    from driftflow.readers.sources import Source

ROWS_MAX = 100_000


@dataclass(frozen=True, kw_only=True)
class Given:
    schema: tuple[Path, ...] = ()
    original: tuple[Path, ...] = ()
    unwritten: tuple[str, ...] = ()
    queries: tuple[Path, ...] = ()
    logs: tuple[Path, ...] = ()
    rows: int = 0
    seed: int = 1
    lab_url: str = ""


FIELDS = ("schema", "original", "unwritten", "queries", "logs", "rows", "seed", "lab_url")


def given(function: Command) -> Command:
    """The options of `Given`, gathered into one argument; `--tool` and `--var` beside them."""

    @functools.wraps(function)
    def called(*positional: Any, **values: Any) -> Any:
        inputs = Given(**{name: values.pop(name) for name in FIELDS})
        return function(*positional, inputs=inputs, **values)

    decorated: Command = called
    for option in (
        click.option(
            "--var", "variables", metavar="NAME=VALUE", multiple=True, callback=pairs, help="A variable in the SQL; repeatable."
        ),
        click.option("--tool", metavar="NAME", default="", help="The tool that the files belong to, where it is not recognised."),
        click.option(
            "--lab-url",
            metavar="URL",
            default="",
            help="Prove it on this server, which must say itself that it may be thrown away; it keeps nothing.",
        ),
        click.option("--seed", type=int, default=1, show_default=True, help="Another number makes other rows."),
        click.option(
            "--rows", type=click.IntRange(1, ROWS_MAX), default=2_000, show_default=True, help="Rows per table, at most."
        ),
        click.option(
            "--log",
            "logs",
            type=FILE,
            metavar="FILE",
            multiple=True,
            help="A server's log of the application's queries; repeatable.",
        ),
        click.option(
            "--queries", type=FILE, metavar="FILE", multiple=True, help="A file of the application's queries; repeatable."
        ),
        click.option(
            "--unwritten",
            metavar="TABLE.COLUMN",
            multiple=True,
            help="A column that the application does not write any more; repeatable.",
        ),
        click.option(
            "--original",
            type=FILE,
            metavar="PATH",
            multiple=True,
            help="The migration that the plan must equal, where it is not the plan's own; repeatable.",
        ),
        click.option(
            "--schema", type=FILE, metavar="FILE", multiple=True, help="SQL that makes the schema before the plan; repeatable."
        ),
    ):
        decorated = option(decorated)
    return decorated


def question_of(run: Session, plan: Plan, inputs: Given, *, file: Path, tool: str, variables: Mapping[str, str]) -> Question:
    """Raises UsageError where nothing says what the schema is before the plan, RefusedError where the migration is not the plan's."""
    from driftflow.drivers.column_statistics import with_column_statistics
    from driftflow.lab.proof.bench import Question

    start = start_schema(
        run,
        inputs.schema,
        option="--schema",
        hint="--snapshot FILE (driftflow snapshot), --schema schema.sql, or --url URL",
        plan=plan,
        subject=str(file),
    )
    if start.catalog is not None and run.snapshot is None:
        start = dataclasses.replace(start, catalog=with_column_statistics(run.connector, start.catalog))
    sources, migrations = _planned(run, plan, tool=tool, variables=variables)
    if inputs.original:
        others = run.sources(inputs.original, tool=tool, variables=variables)
        migrations = tuple(migration for source in others for migration in source.migrations)
    return Question(
        plan=plan,
        migrations=migrations,
        dialect=run.dialect,
        start=start,
        root=run.root,
        sources=sources,
        rows=inputs.rows,
        queries=tuple(queries_in(inputs.queries, inputs.logs, run.dialect)),
        unwritten=frozenset(_column(text) for text in inputs.unwritten),
        seed=inputs.seed,
        accepted=frozenset({*plan.accepted, *run.policy.accept}),
        on=inputs.lab_url,
    )


def _planned(
    run: Session, plan: Plan, *, tool: str, variables: Mapping[str, str]
) -> tuple[tuple[Source, ...], tuple[Migration, ...]]:
    """The migrations that the plan carries out, as their files are now. Raises RefusedError (DF-E672) where one is another by now."""
    paths = list(dict.fromkeys(_path(run, one.path) for one in plan.migrations))
    sources = run.sources(paths, tool=tool, variables=variables)
    here = {(one.source, one.id): one for source in sources for one in source.migrations}
    found = []
    for wanted in plan.migrations:
        migration = here.get((wanted.source, wanted.id))
        if migration is None or migration.sha256 != wanted.sha256:
            raise RefusedError(
                "DF-E672",
                f"{wanted.path} is not the file that the plan was made of",
                why="its SHA-256 is another one now"
                if migration is not None
                else f"it does not hold {wanted.source} migration {wanted.id}",
                hint="driftflow plan, once more; or put the file back as it was",
            )
        found.append(migration)
    return sources, tuple(found)


def _path(run: Session, path: str) -> Path:
    """As the plan names it: below the project's folder, or from here."""
    return run.root / path if (run.root / path).exists() else Path(path)


def _column(text: str) -> tuple[str, str]:
    table, _, column = text.rpartition(".")
    if not table or not column:
        raise UsageError("DF-E100", f"{text!r} is not TABLE.COLUMN", hint="--unwritten users.totp_seed")
    return table, column
