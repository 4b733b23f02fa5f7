"""The statement that changes one chunk: UPDATE or DELETE over a key range, joined where asked, or a user's Python function."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from driftflow.dialects.base import ErrorKind
from driftflow.engine.actions import chunk_mysql
from driftflow.engine.actions.as_held import as_held
from driftflow.engine.actions.judge import Judgement
from driftflow.engine.faults import place
from driftflow.engine.keyset import Keyset, escaped, quoted
from driftflow.engine.ports import Connection, DatabaseFault, Row
from driftflow.errors import DriftflowError, RefusedError, StepFailedError
from driftflow.model.plan import Backfill, PythonFunction
from driftflow.model.record import replace

ROWS = "{rows}"
"""In a statement beside the change: the chunk's range of keys."""
RowFunction = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


class Change(Protocol):
    def apply(self, connection: Connection, *, low: Row | None, high: Row) -> int:
        """Change the rows of `(low, high]` inside the open transaction; how many."""

    def alone(self) -> Change:
        """The same for a chunk of one row, which is waited for."""


def change_for(step: Backfill, keys: Keyset, folder: Path, connection: Connection) -> Change:
    kept = chunk_mysql.kept_columns(step, connection) if keys.on_mysql else ()
    if step.function is not None:
        call = load_function(step.function, step, folder)
        if step.action == "judge":
            return Judgement(step=step, keys=keys, function=step.function, call=call)
        return FunctionChange(step=step, keys=keys, function=step.function, call=call, kept=kept)
    return SqlChange(step=step, keys=keys, kept=kept)


@dataclass(frozen=True)
class SqlChange:
    step: Backfill
    keys: Keyset
    kept: tuple[str, ...] = ()
    """MySQL: columns that would take the time of the change as their own (ON UPDATE CURRENT_TIMESTAMP), and keep what they hold."""
    waits: bool = False

    def alone(self) -> SqlChange:
        return dataclasses.replace(self, waits=True)

    def apply(self, connection: Connection, *, low: Row | None, high: Row) -> int:
        condition, parameters = self.keys.range(low, high)
        if not self.step.fresh:
            chunk_mysql.lock_rows(connection, self.keys, condition, parameters, self.step, waiting=self.waits)
        after = as_held(self.step.after, connection)
        _beside(self.step.before, connection, condition, parameters)
        rows = self._changed(connection, condition, parameters)
        _beside((*(self.step.queued if self.waits else ()), *after), connection, condition, parameters)
        return rows

    def _changed(self, connection: Connection, condition: str, parameters: list[Any]) -> int:
        try:
            return connection.execute(self._statement(condition, connection), parameters)
        except DatabaseFault as fault:
            if fault.kind is not ErrorKind.DUPLICATE or not self.step.when_taken:
                raise
        # The statement is undone, its transaction is not (InnoDB).
        _beside(self.step.when_taken, connection, condition, parameters)
        return 0

    def _statement(self, condition: str, connection: Connection) -> str:
        match self.step.action:
            case "update":
                return self._update(condition)
            case "delete":
                return self._delete(condition, connection)
            case "insert":
                return self._insert(condition)
            case "judge":
                raise AssertionError("only a function judges rows")

    def _update(self, condition: str) -> str:
        step = self.step
        if self.keys.on_mysql:
            return chunk_mysql.update(step, self.keys, self.kept, condition)
        assignments = ", ".join(f"{escaped(quoted(column))} = {escaped(expression)}" for column, expression in step.assignments)
        source = f" {escaped(step.from_clause)}" if step.from_clause else ""
        return f"UPDATE {escaped(self.keys.target)} SET {assignments}{source} WHERE {_all(condition, escaped(step.join), escaped(step.predicate))}"

    def _delete(self, condition: str, connection: Connection) -> str:
        step = self.step
        where = _all(condition, escaped(step.predicate))
        if not step.from_clause:
            return f"DELETE FROM {escaped(self.keys.target)} WHERE {where}"
        if self.keys.on_mysql:
            return chunk_mysql.delete(step, self.keys, condition, connection)
        # The same on both vendors: PostgreSQL's USING has no counterpart in SQLite.
        joined = f"EXISTS (SELECT 1 {escaped(step.from_clause)} WHERE {escaped(step.join) or 'true'})"
        return f"DELETE FROM {escaped(self.keys.target)} WHERE {_all(where, joined)}"

    def _insert(self, condition: str) -> str:
        """New rows of another table. The rows are held while they are copied: a DELETE in between would leave its row in the copy."""
        step = self.step
        assert step.into is not None
        into = escaped(replace(self.keys, table=step.into).target)
        columns = ", ".join(escaped(self.keys.quoted(column)) for column, _ in step.assignments)
        values = ", ".join(escaped(expression) for _, expression in step.assignments)
        chosen = f"SELECT {values} FROM {escaped(self.keys.target)} WHERE {_all(condition, escaped(step.predicate))}"
        if step.fresh:
            return f"INSERT INTO {into} ({columns}) {chosen}"
        if self.keys.on_mysql:
            return f"INSERT INTO {into} ({columns}) {chosen} {chunk_mysql.unless_there(step)}"
        held = " FOR KEY SHARE" if self.keys.dialect == "postgresql" else ""
        return f"INSERT INTO {into} ({columns}) {chosen}{held} ON CONFLICT DO NOTHING"


def _beside(statements: tuple[str, ...], connection: Connection, condition: str, parameters: list[Any]) -> None:
    """What stands beside the change of a chunk, in its transaction."""
    for statement in statements:
        if found := statement.count(ROWS):
            connection.execute(escaped(statement).replace(ROWS, condition), parameters * found)
        else:
            connection.execute(statement)


def _all(*conditions: str) -> str:
    return " AND ".join(f"({condition})" for condition in conditions if condition)


@dataclass(frozen=True)
class FunctionChange:
    """Rows are read and locked, the function says the new values, and they are written by key, in one transaction."""

    step: Backfill
    keys: Keyset
    function: PythonFunction
    call: RowFunction
    kept: tuple[str, ...] = ()
    waits: bool = False

    def alone(self) -> FunctionChange:
        return dataclasses.replace(self, waits=True)

    def apply(self, connection: Connection, *, low: Row | None, high: Row) -> int:
        rows = self._read(connection, low, high)
        if not rows:
            return 0
        key_width = len(self.keys.columns)
        names = (*self.keys.columns, *self.function.inputs)
        values = self._values([dict(zip(names, row[key_width:], strict=True)) for row in rows])
        parameters = [
            [*(value[name] for name in self.function.outputs), *row[:key_width]] for row, value in zip(rows, values, strict=True)
        ]
        condition, bounds = self.keys.range(low, high)
        after = as_held(self.step.after, connection)
        _beside(self.step.before, connection, condition, bounds)
        connection.execute_many(self._write_sql(), parameters)
        _beside(after, connection, condition, bounds)
        return len(rows)

    def _read(self, connection: Connection, low: Row | None, high: Row) -> list[Row]:
        condition, parameters = self.keys.range(low, high)
        chunk_mysql.lock_rows(connection, self.keys, condition, parameters, self.step, waiting=self.waits)
        inputs = ", ".join(self.keys.column(name) for name in (*self.keys.columns, *self.function.inputs))
        lock = {"postgresql": " FOR NO KEY UPDATE", "sqlite": ""}.get(connection.dialect, " FOR UPDATE")
        where = _all(condition, escaped(self.step.predicate))
        what = escaped(f"SELECT {self.keys.selected}, {inputs} FROM {self.keys.target}")
        return connection.query(f"{what} WHERE {where} ORDER BY {escaped(self.keys.order)}{lock}", parameters)

    def _write_sql(self) -> str:
        assignments = ", ".join(
            [
                *(f"{escaped(self.keys.quoted(name))} = %s" for name in self.function.outputs),
                *(f"{escaped(self.keys.quoted(name))} = {escaped(self.keys.quoted(name))}" for name in self.kept),
            ]
        )
        return f"UPDATE {escaped(self.keys.target)} SET {assignments} WHERE {self.keys.row} = {self.keys.placeholders}"

    def _values(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The function's answer, checked. Its errors are told by type and place: a message might hold a row's values."""
        try:
            values = self.call(rows)
        except (Exception, SystemExit) as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            raise StepFailedError(
                "DF-E533",
                f"{self.function.reference} raised {type(error).__name__}",
                where=f"{place(self.step)}\n{frame.filename}:{frame.lineno}",
                why="the chunk was rolled back; the message is not shown, since it may hold values of rows",
                hint="correct the function and make the plan again (its content is part of the digest)",
            ) from None
        if not self._answered(values, len(rows)):
            raise StepFailedError(
                "DF-E534",
                f"{self.function.reference} did not answer for every row",
                where=place(self.step),
                why=f"asked for {len(rows)} rows with {', '.join(self.function.outputs)}; got {_spoken(values)}",
                hint="return one dict per row, in the same order, with every output column",
            )
        return values

    def _answered(self, values: object, rows: int) -> bool:
        """One dict per row, each with every output."""
        if not isinstance(values, list | tuple) or len(values) != rows:
            return False
        return all(isinstance(value, dict) and set(self.function.outputs) <= set(value) for value in values)


def _spoken(values: object) -> str:
    """What came back, without showing a value of it."""
    if not isinstance(values, list | tuple):
        return type(values).__name__
    kinds = sorted({type(value).__name__ for value in values})
    return f"{len(values)} rows of {', '.join(kinds)}" if values else "no rows"


def load_function(function: PythonFunction, step: Backfill, folder: Path) -> RowFunction:
    """The user's function. Its module's file must be the one that the plan was made with; that is checked before any of it runs."""
    module_name, _, name = function.reference.partition(":")
    home = str((folder / function.path).resolve())
    if home not in sys.path:
        sys.path.insert(0, home)
    file = Path(home, *module_name.split(".")).with_suffix(".py")
    try:
        _check_content(file, function, step)
        found = getattr(_module(module_name, file), name)
    except DriftflowError:
        raise
    except (Exception, SystemExit) as error:  # Whatever a module does while it is loaded, nothing of ours has begun.
        raise RefusedError(
            "DF-E310",
            f"the function {function.reference} cannot be loaded",
            where=place(step),
            why=f"{type(error).__name__}: {error}",
            hint="is its folder the `path` of the plan?",
        ) from error
    call: RowFunction = found
    return call


def _module(name: str, file: Path) -> ModuleType:
    """From this very file, not from whatever was imported under the name before."""
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _check_content(file: Path, function: PythonFunction, step: Backfill) -> None:
    if function.sha256 and hashlib.sha256(file.read_bytes()).hexdigest() != function.sha256:
        raise RefusedError(
            "DF-E311",
            f"{file.name} changed since the plan was made",
            where=place(step),
            why="its content is part of the plan's digest",
            hint="make the plan again: driftflow plan",
        )
