"""Stage: a CSV file, or a query on another database, loaded into a table of ours that a backfill then joins.

PostgreSQL takes it in one COPY and one transaction: nobody else sees or waits for a table that is not there yet. SQLite has one writer for
the whole file, so there the rows come in chunks, with their number in the progress row. MySQL: `stage_mysql`.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from driftflow.engine import pace as pacing
from driftflow.engine.actions import stage_mysql
from driftflow.engine.actions.build_index import qualified, quoted
from driftflow.engine.context import Context
from driftflow.engine.faults import not_unique_error, place
from driftflow.engine.ports import Connection, Debris, Progress
from driftflow.errors import DriftflowError, RefusedError, StepFailedError
from driftflow.model.event import ChunkDone
from driftflow.model.plan import ChunkPolicy, CsvSource, Outcome, QuerySource, Stage
from driftflow.model.record import replace

Values = Sequence[Any]
SQLITE_CHUNK = ChunkPolicy(target_ms=35, rest_percent=100, rows_first=500)


def perform(step: Stage, context: Context) -> None:
    begun = context.clock.monotonic()
    table = name_of(step, context.connection)
    context.started(step)
    context.journal.register(
        context.connection,
        Debris(run=context.run, step=step.id, kind="table", name=table, drop_sql=f"DROP TABLE IF EXISTS {table}"),
    )
    with rows_of(step, context) as rows:
        match context.connection.dialect:
            case "sqlite":
                loaded = _in_chunks(step, context, rows)
                with context.fenced(lock_ms=5_000):
                    _check_key(step, context.connection)
                    context.finished(step, begun, rows=loaded, structural=False)
            case "postgresql":
                _at_once(step, context, rows, begun)
            case _:
                stage_mysql.load(step, context, rows, begun)


def name_of(step: Stage, connection: Connection) -> str:
    """The staging table as SQL."""
    return stage_mysql.target(step) if connection.dialect in {"mysql", "mariadb"} else qualified(step.table)


def _create(step: Stage, *, or_keep: bool = False) -> str:
    columns = ", ".join(f"{quoted(name)} {type}" for name, type in step.columns)
    return f"CREATE TABLE {'IF NOT EXISTS ' if or_keep else ''}{qualified(step.table)} ({columns})"


def _at_once(step: Stage, context: Context, rows: Iterator[Values], begun: float) -> int:
    with context.watched(step.lock_timeout_ms), context.fenced(lock_ms=step.lock_timeout_ms, statement_ms=0):
        connection = context.connection
        connection.execute(f"DROP TABLE IF EXISTS {qualified(step.table)}")
        connection.execute(_create(step))
        loaded = connection.load(qualified(step.table), [quoted(name) for name, _ in step.columns], rows)
        _check_key(step, connection)
        context.finished(step, begun, rows=loaded, structural=False)
    # Outside: ANALYZE of a table that nobody waits for, so that the join is planned on its real size.
    context.connection.execute(f"ANALYZE {qualified(step.table)}")
    return loaded


def _in_chunks(step: Stage, context: Context, rows: Iterator[Values]) -> int:
    progress = context.journal.progress(context.connection, context.run, step.id)
    if progress is None:
        with context.fenced():
            context.connection.execute(f"DROP TABLE IF EXISTS {qualified(step.table)}")
            context.connection.execute(_create(step))
            progress = Progress(step=step.id)
            context.journal.save_progress(context.connection, context.run, progress)
    pace = pacing.start(SQLITE_CHUNK)
    for _ in islice(rows, progress.rows):
        pass  # Loaded already, before the crash.
    while batch := list(islice(rows, pace.keys)):
        context.safe_point(step.id)
        context.breathe()
        started = context.clock.monotonic()
        progress = _load_batch(step, context, batch, progress)
        milliseconds = int((context.clock.monotonic() - started) * 1000)
        pace = pacing.after_chunk(pace, SQLITE_CHUNK, keys=len(batch), milliseconds=milliseconds)
        context.sleep_ms(pacing.rest_ms(SQLITE_CHUNK, milliseconds))
    return progress.rows


def _load_batch(step: Stage, context: Context, batch: list[Values], before: Progress) -> Progress:
    after = replace(before, rows=before.rows + len(batch), chunk=before.chunk + 1)
    with context.watched(step.lock_timeout_ms), context.fenced(lock_ms=5_000):
        context.connection.load(qualified(step.table), [quoted(name) for name, _ in step.columns], batch)
        context.journal.save_progress(context.connection, context.run, after)
    context.emit(
        ChunkDone(run=context.run, at=context.now(), fence=context.fence, step=step.id, chunk=after.chunk, cursor=(after.rows,), rows=after.rows, rows_total=after.rows)
    )  # fmt: skip
    return after


def _check_key(step: Stage, connection: Connection) -> None:
    """The join needs one source row per key. The index also makes the join fast."""
    if not step.key:
        return
    key = ", ".join(quoted(name) for name in step.key)
    missing = " OR ".join(f"{quoted(name)} IS NULL" for name in step.key)
    twice = connection.query(
        f"SELECT count(*) FROM (SELECT 1 FROM {qualified(step.table)} GROUP BY {key} HAVING count(*) > 1) AS twice"
    )
    empty = connection.query(f"SELECT count(*) FROM {qualified(step.table)} WHERE {missing}")
    if twice[0][0] or empty[0][0]:
        raise not_unique_error(step, twice[0][0], empty[0][0])
    index = quoted(f"{step.table.name}_key")
    at = f"{quoted(step.table.schema)}." if connection.dialect == "sqlite" and step.table.schema else ""
    on = quoted(step.table.name) if connection.dialect == "sqlite" else qualified(step.table)
    connection.execute(
        f"CREATE UNIQUE INDEX {'IF NOT EXISTS ' if connection.dialect == 'sqlite' else ''}{at}{index} ON {on} ({key})"
    )


@contextmanager
def rows_of(step: Stage, context: Context) -> Iterator[Iterator[Values]]:
    """The source's rows in the order of the staging table's columns."""
    match step.source:
        case CsvSource() as source:
            file_path = context.folder / source.path
            check_sha256(file_path, source.sha256, step)
            with file_path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.reader(file, delimiter=source.delimiter, strict=True)
                try:
                    yield _csv_rows(reader, source, step)
                except (csv.Error, UnicodeDecodeError) as error:
                    raise _not_csv(error, f"{source.path}:{reader.line_num + 1}", step) from None
        case QuerySource() as source:
            connection = _source_connection(source, step, context)
            try:
                yield iter(connection.stream(source.sql))
            finally:
                connection.close()


def _not_csv(error: csv.Error | UnicodeDecodeError, where: str, step: Stage) -> StepFailedError:
    """A decoding error's own text would repeat the bytes of a row."""
    why = error.reason if isinstance(error, UnicodeDecodeError) else str(error)
    return StepFailedError(
        "DF-E541", "the CSV file cannot be read", where=f"{place(step)}\n{where}", why=f"{why}; it must be UTF-8, with every quote closed",
        hint="correct the file, then: driftflow plan",
    )  # fmt: skip


def check_sha256(file: Path, expected: str, step: Stage) -> None:
    """Checked again just before it is read: the plan was approved with this content."""
    try:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise RefusedError(
            "DF-E312",
            f"the source file cannot be read: {file}",
            where=place(step),
            why=error.strerror or "",
            hint="put it back where the plan was made",
        ) from error
    if found != expected:
        raise RefusedError(
            "DF-E313", f"{file} changed since the plan was made", where=place(step), why="its SHA-256 is part of the plan's digest",
            hint="make the plan again: driftflow plan",
        )  # fmt: skip


def _csv_rows(reader: Any, source: CsvSource, step: Stage) -> Iterator[Values]:
    header = tuple(next(reader, ()))
    if header != source.columns:
        raise StepFailedError(
            "DF-E536", "the CSV file's header is not the plan's", where=place(step), why=f"{', '.join(header)} instead of {', '.join(source.columns)}",
            hint="correct the file and make the plan again",
        )  # fmt: skip
    order = [header.index(name) for name, _ in step.columns]
    for row in reader:
        if len(row) != len(header):
            raise StepFailedError(
                "DF-E537", f"line {reader.line_num} of the CSV file has {len(row)} fields", where=f"{place(step)}\n{source.path}:{reader.line_num}",
                why=f"the header has {len(header)}", hint="correct the file and make the plan again",
            )  # fmt: skip
        yield [None if row[index] == source.null else row[index] for index in order]


def _source_connection(source: QuerySource, step: Stage, context: Context) -> Connection:
    if context.sources is None:
        raise RefusedError("DF-E314", "no source databases are configured", where=place(step), hint=f"set {source.url_env}")
    try:
        return context.sources(source.url_env).connect("source")
    except DriftflowError as error:
        error.add_note(place(step))
        raise


def probe(step: Stage, context: Context) -> Outcome:
    """Loaded wholly and with its StepDone, or not at all; in chunks, the progress row says where to go on."""
    return "not_done"
