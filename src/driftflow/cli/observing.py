"""`driftflow effects --observe`: which server, which schema, and what the answer makes of the exit code."""

from __future__ import annotations

from pathlib import Path

from driftflow.cli.output import quoted
from driftflow.cli.rendering import show
from driftflow.cli.session import Session
from driftflow.model.record import replace


def observe(run: Session, sql: str, *, setup: Path | None, on: str) -> int:
    """Prints predicted beside observed; 1 when something differs or could not be compared, else 0."""
    from driftflow.lab.observe import observed

    catalog = run.maybe_catalog if setup is None else None
    place = replace(run, flags={**run.flags, "url": on, "env": None}, snapshot=None) if on else run
    found = observed(
        sql, dialect=place.dialect, version=run.server_version, on=place.url if on else "", setup=setup, catalog=catalog
    )
    show(run.out, found, text="observations")
    if setup is None and catalog is None:
        run.out.next(quoted("driftflow", "effects", sql.strip(), "--observe", "--setup", "FILE") + "    # on your tables")
    return 0 if found.equal else 1
