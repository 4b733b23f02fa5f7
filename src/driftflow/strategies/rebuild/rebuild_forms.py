"""The forms of a table that is rebuilt on MySQL and MariaDB, as tables without rows: the new one, the old one again, and the one it had at the beginning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from driftflow.dialects.base import Capability
from driftflow.dialects.mysql.keywords import quote_string
from driftflow.model.catalog import Table
from driftflow.model.names import Name
from driftflow.model.operations import ChangeColumn, CreateIndex, DropColumn, DropIndex, Operation
from driftflow.model.plan import Guard, Probe, RunSql, Undo, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.rebuild import rebuild_checks
from driftflow.strategies.rebuild.paired_steps import READ, claim, run_where, schema_of, there
from driftflow.strategies.recipe import as_undo

if TYPE_CHECKING:
    from driftflow.strategies.rebuild.rebuild_online import Rebuild


class Forms:
    """Of one rebuild."""

    def __init__(self, rebuild: Rebuild) -> None:
        self.rebuild = rebuild

    def made(
        self,
        name: Name,
        operations: Sequence[Operation],
        *,
        source: Table,
        purpose: str,
        guards: tuple[Guard, ...] = (),
        undo: Undo | None = None,
    ) -> RunSql:
        """Under a name of its own until it is finished, so that a half-made one is known."""
        quoted = self.rebuild.at.dialect.quote_name
        making, table = quoted(self.rebuild.making), quoted(self.rebuild.before.name)
        done = (
            f"SELECT CASE WHEN {there(name)} THEN 'done' WHEN {there(self.rebuild.making)} THEN 'half_done' ELSE 'not_done' END"
        )
        return self.rebuild.forth.alone(
            f"CREATE TABLE {making} LIKE {table}",
            *self.rebuild.keys.indexes_kept(self.rebuild.making),
            *rebuild_checks.numbered_again(source, self.rebuild.making, self.rebuild.at),
            *(self._later() if name == self.rebuild.old else ()),
            *self._changed(tuple(rebuild_checks.on_the_copy(operations, source, self.rebuild.making, self.rebuild.at)), source),
            f"RENAME TABLE {making} TO {quoted(name)}",
            purpose=purpose,
            probe=Probe(query=done, repair=(f"DROP TABLE IF EXISTS {making}",)),
            claims=(claim(self.rebuild.before.name, READ), claim(name)),
            guards=guards,
            undo=undo,
        )

    def _later(self) -> Iterator[str]:
        """Without what later statements of the release gave the table: on the way back they are taken back only when the old form is its form again.
        Those that waited for a gate are taken back already."""
        at, making = self.rebuild.at, self.rebuild.making
        final = at.table_at_end(self.rebuild.before.name)
        if final is None:
            return
        indexes = {index.name.name for index in self.rebuild.after.indexes}
        for index in final.indexes:
            if index.name.name not in indexes:
                yield from self._where_there(
                    DropIndex(name=index.name, table=making), "STATISTICS", "INDEX_NAME", index.name.name
                )
        for column in final.columns:
            found = self.rebuild.after.column(column.name)
            if found is None:
                yield from self._where_there(DropColumn(table=making, column=column.name), "COLUMNS", "COLUMN_NAME", column.name)
            elif found != column:
                yield from self._changed((ChangeColumn(table=making, column=column.name, definition=found),), self.rebuild.after)

    def _where_there(self, removal: DropIndex | DropColumn, view: str, column: str, name: str) -> tuple[str, ...]:
        """MariaDB has words for that; to MySQL it has to be shown."""
        render, making = self.rebuild.at.dialect.render, self.rebuild.making
        if self.rebuild.at.dialect.name == "mariadb":
            return (render(replace(removal, if_exists=True)),)
        there = (
            f"TABLE_SCHEMA = {schema_of(making)} AND TABLE_NAME = {quote_string(making.name)} AND {column} = {quote_string(name)}"
        )
        return run_where(f"EXISTS (SELECT 1 FROM information_schema.{view} WHERE {there})", render(removal))

    def _changed(self, operations: Sequence[Operation], source: Table) -> list[str]:
        copied = self.rebuild.at.catalog.with_table(replace(source, name=self.rebuild.making))
        aimed = [_aimed(operation, self.rebuild.making) for operation in operations]
        try:
            return [self.rebuild.at.dialect.render_for(copied, *aimed)] if aimed else []
        except ValueError:
            return [self.rebuild.at.dialect.render_for(copied, operation) for operation in aimed]

    def kept(self) -> RunSql:
        """What the table looks like now, to see whether somebody changes it meanwhile."""
        quoted = self.rebuild.at.dialect.quote_name
        probe = Probe(query=f"SELECT CASE WHEN {there(self.rebuild.form)} THEN 'done' ELSE 'not_done' END")
        return self.rebuild.forth.alone(
            f"CREATE TABLE {quoted(self.rebuild.form)} LIKE {quoted(self.rebuild.before.name)}",
            purpose=f"Keep the form of {self.rebuild.label}, to see whether it stays the same",
            probe=probe,
            claims=(claim(self.rebuild.before.name, READ), claim(self.rebuild.form)),
            undo=UndoSteps(steps=(as_undo(self.gone()),)),
        )

    def gone(self) -> RunSql:
        return self.rebuild.forth.dropped(self.rebuild.form, why="the form that was compared with")

    def same(self) -> Guard:
        """Columns, indexes and constraints of the table, beside those of the copy that was made of it at the beginning."""
        parts = [
            ("COLUMNS", "COLUMN_NAME, ORDINAL_POSITION, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, COLLATION_NAME, EXTRA"),
            ("STATISTICS", "INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, NON_UNIQUE, SUB_PART, INDEX_TYPE"),
            ("TABLE_CONSTRAINTS", "CONSTRAINT_NAME, CONSTRAINT_TYPE"),
        ]
        tables = (self.rebuild.before.name, self.rebuild.form)
        of_forms = [tuple(_lines(view, columns, name) for name in tables) for view, columns in parts]
        if self.rebuild.keys.staying():
            of_forms[-1] = tuple(f"{line} AND CONSTRAINT_TYPE <> 'FOREIGN KEY'" for line in of_forms[-1])
        if self.rebuild.at.can(Capability.CHECK_NAMES_OF_SCHEMA) and rebuild_checks.checks_of(self.rebuild.before):
            unnamed = " AND CONSTRAINT_TYPE <> 'CHECK'"
            of_forms[-1] = tuple(f"{line}{unnamed}" for line in of_forms[-1])
            of_forms.append(tuple(map(rebuild_checks.lines, tables)))
        queries = [
            f"(SELECT COUNT(*) FROM (SELECT line FROM ({first} UNION ALL {second}) AS lines_of_both GROUP BY line HAVING COUNT(*) % 2 <> 0) AS differing)"
            for first, second in of_forms
        ]
        return Guard(
            query=f"SELECT {' + '.join(queries)}",
            summary=f"somebody has changed the columns, indexes or constraints of {self.rebuild.label} since it was copied",
            hint="roll back, and make the plan again",
        )


def _lines(view: str, columns: str, table: Name) -> str:
    """What information_schema says of a table, a line for each."""
    text = f"SHA2(CONCAT_WS('|', {', '.join(f'COALESCE({one}, CHAR(0))' for one in columns.split(', '))}), 256)"
    return (
        f"SELECT {text} AS line FROM information_schema.{view} WHERE TABLE_SCHEMA = {schema_of(table)}"
        f" AND TABLE_NAME = {quote_string(table.name)}"
    )


def _aimed(operation: Operation, table: Name) -> Operation:
    """The operation on another table."""
    if isinstance(operation, CreateIndex):
        return replace(operation, index=replace(operation.index, table=table))
    if hasattr(operation, "relation"):
        return replace(operation, relation=table)
    return replace(operation, table=table)
