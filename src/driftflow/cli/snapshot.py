"""`driftflow snapshot`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from driftflow.cli import options
from driftflow.cli.output import write_file
from driftflow.cli.session import Session
from driftflow.errors import UsageError


@click.command()
@options.session()
@options.sources
@click.option(
    "-o", "--output", type=options.FILE, default="driftflow-snapshot.json", show_default=True, help="The file to write."
)
@click.option(
    "--sample", metavar="DURATION", default="0s", help="Take two samples this far apart for the writes per second (5s)."
)
def command(run: Session, *, output: Path, sample: str, **how: object) -> None:
    """Write the catalog (structure, sizes, how values are spread, which migrations are applied; never a row's value) to a file that `assess`, `plan` and
    `effects` take instead of the database."""
    from driftflow import __version__, pipeline
    from driftflow.drivers.column_statistics import with_column_statistics
    from driftflow.model.snapshot import Snapshot, encode_snapshot

    catalog = pipeline.read_catalog(run.connector, sample_seconds=_seconds(sample))
    catalog = with_column_statistics(run.connector, catalog)
    paths: tuple[Path, ...] = how["paths"]  # type: ignore[assignment]
    applied: dict[str, tuple[str, ...]] = {}
    if paths or run.config.sources:
        found = run.sources(paths, tool=str(how["tool"]), variables=how["variables"])  # type: ignore[arg-type]
        applied = {one.name: tuple(row.id for row in one.applied) for one in pipeline.read_status(found, run.connector)}
    write_file(output, encode_snapshot(Snapshot(catalog=catalog, applied=applied, made_with=__version__)))
    told = {"file": str(output), "tables": len(catalog.tables), "captured_at": catalog.captured_at, "applied": applied}
    if run.out.json:
        run.out.record(told)
    else:
        tables = "1 table" if len(catalog.tables) == 1 else f"{len(catalog.tables)} tables"
        run.out.result(f"{output}: {tables} of {catalog.database or catalog.vendor}, no row values")
    run.out.next(run.onward(*paths, "--snapshot", output))


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|ms|m)?", text)
    if match is None:
        raise UsageError("DF-E109", f"{text!r} is not a duration", hint="write 5s, 500ms or 1m")
    return float(match[1]) * {"ms": 0.001, "m": 60.0}.get(match[2] or "s", 1.0)
