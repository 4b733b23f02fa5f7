"""A pair of type and id that points at one of several tables, kept by triggers on both sides.

The child's trigger locks the row that it points at, as a foreign key does; the parent's looks for rows that point at one that goes. Either waits for
the other's transaction, so no row is left pointing at nothing whichever comes first.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Table
from driftflow.model.names import Name
from driftflow.model.plan import Guard, RunSql
from driftflow.model.record import replace
from driftflow.strategies import trigger_text
from driftflow.strategies.columns.filling import chunk_key
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.references.replaced_rows import after_replace
from driftflow.strategies.references.said_polymorphic import PolymorphicRequest, Target
from driftflow.strategies.row_guards import guard_rows


class Polymorphic:
    """The triggers of one pair. `name` is the constraint's."""

    def __init__(self, recipe: Recipe, table: Table, name: str, request: PolymorphicRequest) -> None:
        self.recipe, self.at, self.table, self.name, self.request = recipe, recipe.at, table, name, request
        self.parents = tuple((target, _parent(recipe.at, table, target, request)) for target in request.targets)
        tables = (table, *(parent for _, parent in self.parents))
        _check(recipe.at, request, tables)
        self.own = recipe.at.dialect.quote_name(table.name)
        self.type, self.id = recipe.at.dialect.quote(request.type), recipe.at.dialect.quote(request.id)

    def guard(self) -> Guard:
        at, table = self.at, self.at.dialect.quote(self.table.name.name)
        lost = " OR ".join(
            f"({table}.{self.type} = {at.dialect.literal(target.value)} AND {table}.{self.id} IS NOT NULL AND NOT EXISTS "
            f"(SELECT 1 FROM {at.dialect.quote_name(parent.name)} AS p WHERE p.{at.dialect.quote(target.column)} = {table}.{self.id}))"
            for target, parent in self.parents
        )
        said, key = f"point at nothing by ({self.request.type}, {self.request.id})", chunk_key(at, self.table)
        return guard_rows(at, self.table.name, lost, said, hint="correct or remove these rows first", key=key)

    def child(self, guards: tuple[Guard, ...]) -> Iterator[RunSql]:
        creates, drops = self._child_function() if trigger_text.has_functions(self.at) else self._child_itself()
        yield self._step(creates, drops, self.table, f"Let {self.table.name.name} point at rows that are there (trigger)", guards)

    def parent_steps(self) -> Iterator[RunSql]:
        for number, (target, parent) in enumerate(self.parents, 1):
            name = f"{self.name}_parent_{number}"
            make = self._parent_function if trigger_text.has_functions(self.at) else self._parent_itself
            creates, drops = make(name, target, parent)
            what = "take rows that point at them along" if self.request.cascade else "stay while rows point at them"
            yield self._step(creates, drops, parent, f"Let rows of {parent.name.name} {what} (trigger)", ())

    def _step(
        self, creates: tuple[str, ...], drops: tuple[str, ...], on: Table, purpose: str, guards: tuple[Guard, ...]
    ) -> RunSql:
        step = self.recipe.text(
            *creates,
            purpose=purpose,
            phase="migrate",
            claims=trigger_text.claims(self.at, on, create=True),
            undo=drops,
            undo_claims=trigger_text.claims(self.at, on, create=False),
        )
        return replace(step, guards=guards)

    def _message(self, doing: str, on: Table) -> str:
        return self.at.dialect.literal(f'{doing} on table "{on.name.name}" violates foreign key constraint "{self.name}"')

    def _raise(self, doing: str, on: Table) -> str:
        name = self.at.dialect.literal(self.name)
        return (
            f"RAISE foreign_key_violation USING MESSAGE = {self._message(doing, on)}, CONSTRAINT = {name}, "
            "SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;"
        )

    def _made(self, name: str, on: Table, when: str, body: str, *, more: str = "") -> tuple[tuple[str, ...], tuple[str, ...]]:
        quote, target = self.at.dialect.quote, self.at.dialect.quote_name(on.name)
        function = Name(schema=on.name.schema, name=name)
        call = f"{self.at.dialect.quote_name(function)}()"
        creates = [
            *trigger_text.function(self.at, function, body, owner=on.owner),
            f"CREATE TRIGGER {quote(name)} {when} ON {target} FOR EACH ROW EXECUTE FUNCTION {call}",
        ]
        drops = [f"DROP TRIGGER {quote(name)} ON {target}"]
        if more:
            creates.append(f"CREATE TRIGGER {quote(f'{name}_all')} {more} ON {target} FOR EACH STATEMENT EXECUTE FUNCTION {call}")
            drops.append(f"DROP TRIGGER {quote(f'{name}_all')} ON {target}")
        return tuple(creates), (*drops, f"DROP FUNCTION {call}")

    def _child_function(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        quote, literal = self.at.dialect.quote, self.at.dialect.literal
        looks = "".join(
            f"  IF NEW.{self.type} = {literal(target.value)} THEN\n"
            f"    PERFORM 1 FROM {self.at.dialect.quote_name(parent.name)} AS p WHERE p.{quote(target.column)} = NEW.{self.id} FOR KEY SHARE;\n"
            f"    IF NOT FOUND THEN\n      {self._raise('insert or update', self.table)}\n    END IF;\n  END IF;\n"
            for target, parent in self.parents
        )
        body = f"  IF NEW.{self.id} IS NULL THEN\n    RETURN NEW;\n  END IF;\n{looks}  RETURN NEW;"
        when = f"BEFORE INSERT OR UPDATE OF {self.type}, {self.id}"
        return self._made(f"{self.name}_child", self.table, when, body)

    def _parent_function(self, name: str, target: Target, parent: Table) -> tuple[tuple[str, ...], tuple[str, ...]]:
        column = self.at.dialect.quote(target.column)
        mine = f"{self.type} = {self.at.dialect.literal(target.value)}"
        refuse = self._raise("update or delete", parent)
        gone = f"DELETE FROM {self.own} WHERE {mine} AND {self.id} = OLD.{column};"
        look = f"IF EXISTS (SELECT 1 FROM {self.own} WHERE {mine} AND {self.id} = OLD.{column}) THEN\n    {refuse}\n  END IF;"
        on_delete = f"IF TG_OP = 'DELETE' THEN\n    {gone}\n    RETURN NULL;\n  END IF;\n  " if self.request.cascade else ""
        body = (
            f"  IF TG_OP = 'TRUNCATE' THEN\n    IF EXISTS (SELECT 1 FROM {self.own} WHERE {mine}) THEN\n      {refuse}\n    END IF;\n"
            f"    RETURN NULL;\n  END IF;\n"
            f"  IF TG_OP = 'UPDATE' AND NEW.{column} = OLD.{column} THEN\n    RETURN NULL;\n  END IF;\n"
            # A snapshot from before the other's commit would not see the row that points here, and a foreign key's own look is not to be had.
            f"  IF current_setting('transaction_isolation') = 'repeatable read' THEN\n"
            f"    RAISE feature_not_supported USING MESSAGE = {self.at.dialect.literal(f'rows of {parent.name.name} go under READ COMMITTED or SERIALIZABLE only')};\n"
            f"  END IF;\n  {on_delete}{look}\n  RETURN NULL;"
        )
        return self._made(name, parent, f"AFTER DELETE OR UPDATE OF {column}", body, more="BEFORE TRUNCATE")

    def _child_itself(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        quote, literal = self.at.dialect.quote, self.at.dialect.literal
        schema, own = quote(self.table.name.schema or "main"), quote(self.table.name.name)
        lost = " OR ".join(
            f"(NEW.{self.type} = {literal(target.value)} AND NOT EXISTS "
            f"(SELECT 1 FROM {quote(parent.name.name)} AS p WHERE p.{quote(target.column)} = NEW.{self.id}))"
            for target, parent in self.parents
        )
        refuse = f"SELECT RAISE(ABORT, {self._message('insert or update', self.table)})"
        body = f"BEGIN\n  {refuse} WHERE NEW.{self.id} IS NOT NULL AND ({lost});\nEND"
        insert, update = (quote(f"{self.name}_child_{word}") for word in ("insert", "update"))
        return (
            f"CREATE TRIGGER {schema}.{insert} BEFORE INSERT ON {own} FOR EACH ROW\n{body}",
            f"CREATE TRIGGER {schema}.{update} BEFORE UPDATE OF {self.type}, {self.id} ON {own} FOR EACH ROW\n{body}",
        ), (f"DROP TRIGGER {schema}.{insert}", f"DROP TRIGGER {schema}.{update}")

    def _parent_itself(self, name: str, target: Target, parent: Table) -> tuple[tuple[str, ...], tuple[str, ...]]:
        quote, column = self.at.dialect.quote, self.at.dialect.quote(target.column)
        schema, on = quote(parent.name.schema or "main"), quote(parent.name.name)
        mine = f"{self.type} = {self.at.dialect.literal(target.value)}"
        points = f"{mine} AND {self.id} = OLD.{column}"
        own = quote(self.table.name.name)
        raises = f"SELECT RAISE(ABORT, {self._message('update or delete', parent)})"
        refuse = f"{raises} WHERE EXISTS (SELECT 1 FROM {own} WHERE {points})"
        go = f"DELETE FROM {own} WHERE {points}" if self.request.cascade else refuse
        delete, update = quote(f"{name}_delete"), quote(f"{name}_update")
        more, less = after_replace(
            self.at,
            f"{name}_replace",
            target,
            parent,
            child=self.table.name,
            mine=mine,
            id_column=self.id,
            refuse="" if self.request.cascade else raises,
        )
        return (
            f"CREATE TRIGGER {schema}.{delete} BEFORE DELETE ON {on} FOR EACH ROW\nBEGIN\n  {go};\nEND",
            (
                f"CREATE TRIGGER {schema}.{update} BEFORE UPDATE OF {column} ON {on} FOR EACH ROW WHEN NEW.{column} IS NOT OLD.{column}\n"
                f"BEGIN\n  {refuse};\nEND"
            ),
            *more,
        ), (f"DROP TRIGGER {schema}.{delete}", f"DROP TRIGGER {schema}.{update}", *less)


def _parent(at: Situation, table: Table, target: Target, request: PolymorphicRequest) -> Table:
    found = at.table(Name(schema=target.schema or table.name.schema, name=target.table))
    if found is None or found.column(target.column) is None:
        raise RefusedError(
            "DF-E653",
            f"there is no {target.table} ({target.column})",
            where=str(request.span),
            why="the directive `polymorphic` names it",
            hint="correct the name",
        )
    return found


def _check(at: Situation, request: PolymorphicRequest, tables: tuple[Table, ...]) -> None:
    if any(table.partitioning is not None or table.kind != "table" for table in tables) and not at.can(Capability.JOINED_UPDATE):
        why = "one of the tables is partitioned"
    elif len({table.owner for table in tables}) > 1:
        why = "the tables have several owners, with whose rights the triggers would look at the others' rows"
    else:
        if at.can(Capability.NOT_VALID_CONSTRAINT):
            trigger_text.refuse_hidden_rows(at, *tables)
        return
    raise RefusedError(
        "DF-E659",
        f"({request.type}, {request.id}) cannot be kept by triggers",
        where=str(request.span),
        why=why,
        hint="split the pair into one column per table, each with a foreign key of its own",
    )
