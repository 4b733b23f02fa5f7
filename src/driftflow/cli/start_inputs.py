"""The schema before a change, and the application's queries: what commands that try a change in the lab are given alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from driftflow.cli.session import Session
from driftflow.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from driftflow.dialects.base import Dialect
    from driftflow.lab.start_schema import StartSchema
    from driftflow.model.plan import Plan
    from driftflow.usage.recorded import Recorded


def start_schema(run: Session, files: Sequence[Path], *, option: str, hint: str, plan: Plan | None, subject: str) -> StartSchema:
    """From the files of the option, or from the snapshot or database that is named.

    Raises UsageError where nothing says what it is, or two things do, with `hint`; RefusedError where it is another vendor's than the plan's.
    """
    from driftflow.lab.start_schema import StartSchema
    from driftflow.model.names import Version

    if files:
        if run.snapshot is not None or run.flags.get("url"):
            raise UsageError("DF-E139", "the start schema is named twice", hint=f"either {option}, or --snapshot or --url")
        # A file of SQL is that and no more, whichever tool's folder it lies in.
        sources = [source for path in files for source in run.sources((path,), tool="plain" if path.is_file() else "")]
        said = run.server_version or (plan.server_version if plan else "")
        return StartSchema(
            name=", ".join(map(str, files)),
            setup=tuple(migration for source in sources for migration in source.migrations),
            version=Version.parse(said) if said else None,
        )
    if run.snapshot is None and not run.has_database:
        raise UsageError("DF-E150", "nothing says what the schema is before the change", hint=hint)
    catalog = run.catalog
    if plan is not None and plan.dialect != catalog.vendor:
        raise RefusedError(
            "DF-E301", f"the plan is for {plan.dialect}, the database is {catalog.vendor}", where=subject,
            hint="name the snapshot or the database that the plan was made for",
        )  # fmt: skip
    name = str(run.snapshot) if run.snapshot is not None else run.connector.display
    return StartSchema(name=name, catalog=catalog, version=catalog.version)


def queries_in(queries: Sequence[Path], logs: Sequence[Path], dialect: Dialect) -> Iterator[Recorded]:
    """Those of the files, then those of the servers' logs."""
    from driftflow.usage.query_file import read_queries
    from driftflow.usage.query_log import read_log

    for path in queries:
        yield from read_queries(path, dialect)
    for path in logs:
        yield from read_log(path, dialect)
