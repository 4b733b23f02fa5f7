"""The values of columns that are about to go, kept with their key in a table of ours: exact at the moment of the drop, and the way back from it.

Triggers write every change to the archive while the rows are copied in chunks; they go in the transaction that drops the columns.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Column, Table
from driftflow.model.names import Name
from driftflow.model.plan import Backfill, Expectation, Phase, RunSql, UndoNothing, Verify
from driftflow.model.record import replace
from driftflow.strategies import trigger_text
from driftflow.strategies.columns.filling import chunk_key, chunk_policy, lasting_key, null_keys, row_claims
from driftflow.strategies.fitted import fit
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.row_guards import guard_null_keys


class Archive:
    """Where the columns of one table go, and the statements for it."""

    def __init__(self, at: Situation, table: Table, columns: tuple[Column, ...]) -> None:
        """Raises RefusedError (DF-E641) where the rows cannot be told apart without the columns, DF-E642 where a column counts up."""
        self.at, self.table, self.columns = at, table, columns
        names = {column.name for column in columns}
        self.key = lasting_key(at, table)
        if not self.key or names & set(self.key):
            why = (
                f"{', '.join(sorted(names & set(self.key)))} is part of the key itself"
                if names & set(self.key)
                else "it has no primary key, and no unique key of NOT NULL columns"
            )
            raise RefusedError(
                "DF-E641",
                f"{table.name.name} has no key by which an archive could give the values back",
                where=str(at.statement.span),
                why=why,
                hint="add a primary key first, or leave out `-- driftflow: archive` and accept the drop by name",
            )
        for column in columns:
            if column.identity is not None or (column.default or "").lower().startswith("nextval(") or column.autoincrement:
                raise RefusedError(
                    "DF-E642",
                    f"{table.name.name}.{column.name} counts up, and an archive does not keep where its sequence stands",
                    where=str(at.statement.span),
                    hint="drop the default or the identity in a statement before it, then the column",
                )
        self.name = self._table_name()

    def _table_name(self) -> Name:
        said = fit(f"archive_{self.table.name.name}_{'_'.join(column.name for column in self.columns)}", bytes_max=50)
        if self.at.can(Capability.TABLE_REBUILD_ONLY) or self.at.dialect.one_pass:
            return Name(schema=self.table.name.schema, name=f"_driftflow_{said}")
        return Name(schema="driftflow", name=said)

    @property
    def target(self) -> str:
        return self.at.dialect.quote_name(self.name)

    @property
    def kept(self) -> tuple[str, ...]:
        """The archive's columns: the key, then those that go."""
        return (*self.key, *(column.name for column in self.columns))

    def join(self, alias: str, outer: str = "") -> str:
        """`a.id = orders.id`"""
        quote = self.at.dialect.quote
        there = outer or quote(self.table.name.name)
        return " AND ".join(f"{alias}.{quote(column)} = {there}.{quote(column)}" for column in self.key)

    # making it

    def begin(self, recipe: Recipe, phase: Phase) -> Iterator[RunSql]:
        """The table, and the triggers that keep it true from now on."""
        drop = f"DROP TABLE IF EXISTS {self.target}"
        step = recipe.text(
            self._create(),
            *self._triggers(),
            purpose=f"Make the archive {self.name} for {self._listed()}, and keep it true by triggers",
            phase=phase,
            claims=trigger_text.claims(self.at, self.table, create=True),
            undo_claims=trigger_text.claims(self.at, self.table, create=False),
            undo=(*self.stop(if_exists=True), drop),
            undo_purpose=f"Take away the archive {self.name}",
        )
        yield replace(step, guards=guard_null_keys(self.at, self.table, self.key))

    def _create(self) -> str:
        quote = self.at.dialect.quote
        types = {column.name: column.type for column in self.table.columns}
        told_apart = () if null_keys(self.at, self.table, self.key) else self.key
        lines = [f"{quote(name)} {types[name]}" + (" NOT NULL" if name in told_apart else "") for name in self.kept]
        key = ", ".join(quote(name) for name in self.key)
        return f"CREATE TABLE {self.target} ({', '.join(lines)}, PRIMARY KEY ({key}))"

    def copy(self, recipe: Recipe, phase: Phase) -> Backfill:
        """Every row that is not there yet, in chunks; the cursor is committed with the rows."""
        at, quote = self.at, self.at.dialect.quote
        target = at.dialect.quote_name(self.table.name)
        missing = f"NOT EXISTS (SELECT 1 FROM {self.target} AS a WHERE {self.join('a')})"
        own = quote(self.table.name.name)
        return Backfill(
            **recipe.common(f"Copy {self._listed()} into the archive, in chunks", phase),
            table=self.table.name,
            key=chunk_key(at, self.table),
            action="insert",
            into=self.name,
            assignments=tuple((name, f"{own}.{quote(name)}") for name in self.kept),
            predicate=missing,
            chunk=chunk_policy(at),
            rows_estimate=at.rows(self.table.name),
            remaining_query=f"SELECT count(*) FROM {target} WHERE {missing}",
            claims=row_claims(at, self.table.name),
            statement_timeout_ms=at.policy.statement_timeout_ms,
            undo=UndoNothing(reason="the archive goes with the undo of the step that makes it"),
        )

    def check(self, recipe: Recipe, phase: Phase) -> Verify:
        """Counted, not trusted: a row that is missing, or differs, stops the run before anything is dropped."""
        at, quote = self.at, self.at.dialect.quote
        target, own = at.dialect.quote_name(self.table.name), quote(self.table.name.name)
        same = " AND ".join(
            self._same(column, f"a.{quote(column.name)}", f"{own}.{quote(column.name)}") for column in self.columns
        )
        rows = f"(SELECT count(*) FROM {target})"
        return Verify(
            **recipe.common(f"Count that the archive holds every row of {self.table.name.name}, with its values", phase)
            | {"lock_timeout_ms": at.policy.stall_budget_ms},
            statement_timeout_ms=0,
            expectations=(
                Expectation(
                    summary=f"no row of {self.table.name.name} is missing from the archive or differs from it",
                    query=f"SELECT count(*) FROM {target} WHERE NOT EXISTS"
                    f" (SELECT 1 FROM {self.target} AS a WHERE {self.join('a')} AND {same})",
                    expect="0",
                ),
                Expectation(
                    summary="the archive has at least as many rows as the table",
                    query=f"SELECT CASE WHEN (SELECT count(*) FROM {self.target}) >= {rows} THEN 'yes' ELSE 'no' END",
                    expect="yes",
                ),
            ),
            undo=UndoNothing(reason="it changes nothing"),
        )

    def _same(self, column: Column, left: str, right: str) -> str:
        return f"NOT ({self.at.dialect.differs_exactly(left, right, column)})"

    # keeping it true

    def _trigger(self, suffix: str = "") -> str:
        return f"zzz_driftflow_{self.name.name.removeprefix('_driftflow_')}{suffix}"[:63]

    def _triggers(self) -> tuple[str, ...]:
        return self._triggers_of_statements() if self.at.can(Capability.TABLE_REBUILD_ONLY) else self._trigger_function()

    def stop(self, *, if_exists: bool = False) -> tuple[str, ...]:
        """The statements that end it; they stand in the transaction of the drop."""
        quote, exists = self.at.dialect.quote, "IF EXISTS " if if_exists else ""
        if self.at.can(Capability.TABLE_REBUILD_ONLY):
            schema = quote(self.table.name.schema or "main")
            return tuple(f"DROP TRIGGER {exists}{schema}.{quote(self._trigger(suffix))}" for suffix in ("_i", "_u", "_d"))
        target = self.at.dialect.quote_name(self.table.name)
        return (
            f"DROP TRIGGER {exists}{quote(self._trigger())} ON {target}",
            f"DROP FUNCTION {exists}{self._function()}()",
        )

    def _function(self) -> str:
        return self.at.dialect.quote_name(Name(schema=self.name.schema, name=f"keep_{self.name.name}"[:63]))

    def _trigger_function(self) -> tuple[str, ...]:
        quote = self.at.dialect.quote
        old = " AND ".join(f"{quote(name)} = OLD.{quote(name)}" for name in self.key)
        listed = ", ".join(quote(name) for name in self.kept)
        values = ", ".join(f"NEW.{quote(name)}" for name in self.kept)
        key = ", ".join(quote(name) for name in self.key)
        renewed = ", ".join(f"{quote(column.name)} = excluded.{quote(column.name)}" for column in self.columns)
        moved = " OR ".join(f"NEW.{quote(name)} IS DISTINCT FROM OLD.{quote(name)}" for name in self.key)
        body = (
            f"CREATE FUNCTION {self._function()}() RETURNS trigger LANGUAGE plpgsql"
            f" SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $driftflow$\n"
            f"BEGIN\n"
            f"  IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND ({moved})) THEN\n"
            f"    DELETE FROM {self.target} WHERE {old};\n"
            f"  END IF;\n"
            f"  IF TG_OP <> 'DELETE' THEN\n"
            f"    INSERT INTO {self.target} ({listed}) VALUES ({values})\n"
            f"    ON CONFLICT ({key}) DO UPDATE SET {renewed};\n"
            f"  END IF;\n"
            f"  RETURN NULL;\n"
            f"END\n"
            f"$driftflow$"
        )
        create = (
            f"CREATE TRIGGER {quote(self._trigger())} AFTER INSERT OR UPDATE OR DELETE"
            f" ON {self.at.dialect.quote_name(self.table.name)} FOR EACH ROW EXECUTE FUNCTION {self._function()}()"
        )
        return body, create

    def _triggers_of_statements(self) -> tuple[str, ...]:
        """SQLite. DELETE and INSERT, not an upsert: the conflict clause of the application's statement would overrule the trigger's."""
        quote = self.at.dialect.quote
        schema, target = quote(self.table.name.schema or "main"), quote(self.table.name.name)
        archive = quote(self.name.name)
        forget = {
            row: f"DELETE FROM {archive} WHERE {' AND '.join(f'{quote(name)} = {row}.{quote(name)}' for name in self.key)};"
            for row in ("OLD", "NEW")
        }
        listed = ", ".join(quote(name) for name in self.kept)
        keep = f"INSERT INTO {archive} ({listed}) VALUES ({', '.join(f'NEW.{quote(name)}' for name in self.kept)});"
        bodies = (
            ("_i", "INSERT", (forget["NEW"], keep)),
            ("_u", "UPDATE", (forget["OLD"], forget["NEW"], keep)),
            ("_d", "DELETE", (forget["OLD"],)),
        )
        return tuple(
            f"CREATE TRIGGER {schema}.{quote(self._trigger(suffix))} AFTER {event} ON {target} FOR EACH ROW\n"
            f"BEGIN\n  {' '.join(body)}\nEND"
            for suffix, event, body in bodies
        )

    def _listed(self) -> str:
        return f"{self.table.name.name} ({', '.join(column.name for column in self.columns)})"
