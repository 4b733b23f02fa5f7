"""A trigger of ours fills a new column for rows that the old application writes; it goes when the new one is everywhere.

Where BEFORE triggers may assign to the new row, the column is right before any constraint looks at it. SQLite has only AFTER triggers with
a second UPDATE: there a NOT NULL must wait until the old application is gone.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Table, Trigger
from driftflow.model.names import Name
from driftflow.model.operations import CreateTrigger, DropTrigger
from driftflow.model.plan import RunSql, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies import trigger_text
from driftflow.strategies.columns.filling import chunk_key
from driftflow.strategies.columns.said_maintained import named_of_new
from driftflow.strategies.fitted import fit, trigger_name
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.spoken import DualWriteRequest

STRATEGY = "dual_write"
RETIRE = "retire_dual_write"
"""Steps of this strategy end a dual-write; nothing that comes later in the source depends on them."""
RETIRE_NAME = "retire_name"
"""The same of a name that stands beside its successor for a while."""
RETIRE_DEFAULT = "retire_default"
"""The same of a default that served the old application."""
RETIRE_COLUMN = "retire_shadow_column"
"""The same of a column that keeps the old values until the gate (shadow_column)."""
RETIRE_TABLE = "retire_old_table"
"""The same of a table in its old form, kept until the gate (rebuild_online)."""
RETIRES = (RETIRE, RETIRE_NAME, RETIRE_DEFAULT, RETIRE_COLUMN, RETIRE_TABLE)


def fills_before_constraints(at: Situation) -> bool:
    """Whether a trigger can assign to the row before NOT NULL and CHECK look at it."""
    return not at.can(Capability.TABLE_REBUILD_ONLY)


def begin(recipe: Recipe, table: Table, request: DualWriteRequest) -> Iterator[RunSql]:
    """Create the trigger (and its function); one step each where a trigger has one event and commits by itself."""
    at = recipe.at
    if at.dialect.one_pass:
        yield from _begin_apart(recipe, table, request)
        return
    creates, drops = _statements(at, table, request)
    step = recipe.text(
        *creates,
        purpose=f"Fill {table.name.name}.{request.column} for rows that the old application writes (trigger)",
        phase="expand",
        claims=trigger_text.claims(at, table, create=True),
        undo=drops,
        undo_purpose=f"Take away the trigger that fills {table.name.name}.{request.column}",
        undo_claims=trigger_text.claims(at, table, create=False),
    )
    yield _named(step, STRATEGY)


def retire(recipe: Recipe, table: Table, request: DualWriteRequest) -> Iterator[RunSql]:
    """Drop it, once every running version of the application writes the column itself."""
    at = recipe.at
    if at.dialect.one_pass:
        for event in reversed(EVENTS):
            name = _name_for(table, request, event)
            step = recipe.alone(
                DropTrigger(name=name, table=table.name, schema=table.name.schema),
                purpose=f"Take away the {event} trigger that fills {table.name.name}.{request.column}: the new application writes it",
                phase="contract",
            )
            yield _named(step, RETIRE)
        return
    creates, drops = _statements(at, table, request)
    step = recipe.text(
        *drops,
        purpose=f"Take away the trigger that fills {table.name.name}.{request.column}: the new application writes it",
        phase="contract",
        claims=trigger_text.claims(at, table, create=False),
        undo=creates,
        undo_purpose=f"Put back the trigger that fills {table.name.name}.{request.column}",
        undo_claims=trigger_text.claims(at, table, create=True),
    )
    yield _named(step, RETIRE)


EVENTS = ("INSERT", "UPDATE")


def _begin_apart(recipe: Recipe, table: Table, request: DualWriteRequest) -> Iterator[RunSql]:
    """The UPDATE trigger first: between the two a row that is inserted stays NULL, and the backfill finds it."""
    at = recipe.at
    guards = trigger_text.obstacles(at, table)
    for event in reversed(EVENTS):
        body = _body(at, table, request, event)
        trigger = Trigger(
            name=_name_for(table, request, event),
            table=table.name,
            timing="BEFORE",
            events=(event,),
            definition=f"BEFORE {event} {body}",
        )
        step = recipe.alone(
            CreateTrigger(trigger=trigger),
            purpose=f"Fill {table.name.name}.{request.column} for rows that the old application writes (trigger on {event})",
            guards=guards,
        )
        yield _named(step, STRATEGY)


def _name_for(table: Table, request: DualWriteRequest, event: str) -> str:
    return trigger_name(table.name, request.column, f"_{event.lower()}")


def _body(at: Situation, table: Table, request: DualWriteRequest, event: str) -> str:
    """Triggers of one event fire in the order in which they were made, so ours sees the others' work."""
    column = at.dialect.quote(request.column)
    wanted = f"NEW.{column} IS NULL"
    if event == "UPDATE" and (follows := _follows(at, table, request)):
        wanted += f" OR ({follows})"
    return f"IF {wanted} THEN SET NEW.{column} = {request.expression}; END IF"


def _named(step: RunSql, strategy: str) -> RunSql:
    undo = step.undo
    if isinstance(undo, UndoSteps):
        undo = replace(undo, steps=tuple(replace(inner, strategy="undo") for inner in undo.steps))
    return replace(step, strategy=strategy, undo=undo)


def _statements(at: Situation, table: Table, request: DualWriteRequest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(create, drop)"""
    return _before_row(at, table, request) if fills_before_constraints(at) else _after_row(at, table, request)


def inputs_of(expression: str, table: Table) -> tuple[str, ...]:
    """The columns of the written row that the expression reads: when one of them changes, the filled value follows."""
    named = named_of_new(expression)
    by_fold = {column.name.lower(): column.name for column in table.columns}
    return tuple(dict.fromkeys(by_fold[name.lower()] for name in named if name.lower() in by_fold))


def _follows(at: Situation, table: Table, request: DualWriteRequest) -> str:
    """A condition over NEW and OLD of an UPDATE, empty where nothing is read: what the expression reads became something else, to the letter, and
    the column itself was left alone."""
    changed = " OR ".join(_changed(at, table, name) for name in inputs_of(request.expression, table))
    return f"NOT ({_changed(at, table, request.column)}) AND ({changed})" if changed else ""


def _changed(at: Situation, table: Table, name: str) -> str:
    new, old = (f"{row}.{at.dialect.quote(name)}" for row in ("NEW", "OLD"))
    column = table.column(name)
    return at.dialect.differs(new, old) if column is None else at.dialect.differs_exactly(new, old, column)


def _before_row(at: Situation, table: Table, request: DualWriteRequest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    quote, column = at.dialect.quote, at.dialect.quote(request.column)
    target = at.dialect.quote_name(table.name)
    trigger = quote(trigger_name(table.name, request.column))
    name = Name(schema=table.name.schema, name=fit(f"driftflow_fill_{table.name.name}_{request.column}"))
    function = at.dialect.quote_name(name)
    follows = _follows(at, table, request)
    follow = f"\n     OR (TG_OP = 'UPDATE' AND {follows})" if follows else ""
    body = f"  IF NEW.{column} IS NULL{follow} THEN\n    NEW.{column} := {request.expression};\n  END IF;\n  RETURN NEW;"
    create = f"CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {target} FOR EACH ROW EXECUTE FUNCTION {function}()"
    drops = (f"DROP TRIGGER {trigger} ON {target}", f"DROP FUNCTION {function}()")
    return (*trigger_text.function(at, name, body), create), drops


def _after_row(at: Situation, table: Table, request: DualWriteRequest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    quote, column = at.dialect.quote, at.dialect.quote(request.column)
    schema, target = at.dialect.quote(table.name.schema or "main"), quote(table.name.name)
    key = chunk_key(at, table)
    row = " AND ".join(f"{quote(name)} = NEW.{quote(name)}" for name in key)
    update = f"UPDATE {target} SET {column} = {request.expression} WHERE {row};"
    names = [trigger_name(table.name, request.column, "_insert")]
    creates = [
        (
            f"CREATE TRIGGER {schema}.{quote(names[0])} AFTER INSERT ON {target} FOR EACH ROW WHEN NEW.{column} IS NULL\n"
            f"BEGIN\n  {update}\nEND"
        )
    ]
    inputs = inputs_of(request.expression, table)
    if inputs:
        names.append(trigger_name(table.name, request.column, "_update"))
        listed = ", ".join(quote(name) for name in inputs)
        creates.append(
            f"CREATE TRIGGER {schema}.{quote(names[1])} AFTER UPDATE OF {listed} ON {target} FOR EACH ROW\n"
            f"WHEN {_follows(at, table, request)}\n"
            f"BEGIN\n  {update}\nEND"
        )
    return tuple(creates), tuple(f"DROP TRIGGER {schema}.{quote(name)}" for name in reversed(names))
