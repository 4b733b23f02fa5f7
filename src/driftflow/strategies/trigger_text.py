"""The text of triggers of ours: on PostgreSQL a function with its owner's rights and a fixed search_path, on SQLite the body itself.

A function that reads other rows than its own runs with the rights of the table's owner: the application may lack them, and row-level
security must not hide from it what it has to see.
"""

from __future__ import annotations

from collections.abc import Collection

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Table, Trigger
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name
from driftflow.model.operations import CreateTrigger, DropTrigger
from driftflow.model.plan import Guard
from driftflow.strategies.recipe import merged

TAG = "$driftflow$"


def claims(at: Situation, table: Table, *, create: bool) -> tuple[LockClaim, ...]:
    """What making a trigger of ours on the table locks, or taking it away: on PostgreSQL the second locks more."""
    name = "driftflow"
    made = Trigger(name=name, table=table.name, definition="", timing="BEFORE", events=("INSERT", "UPDATE"))
    operation = CreateTrigger(trigger=made) if create else DropTrigger(name=name, table=table.name, schema=table.name.schema)
    return merged(at.dialect.effects(operation, at.catalog).locks)


def obstacles(at: Situation, table: Table) -> tuple[Guard, ...]:
    """What would keep whoever runs the plan from making a trigger, asked before anything is done."""
    return tuple(
        Guard(query=query, summary=summary, hint="ask the database's administrators, or leave out what needs the trigger")
        for query, summary in at.dialect.trigger_obstacles(table.name, at.version)
    )


def has_functions(at: Situation) -> bool:
    """Whether a trigger calls a function (PostgreSQL), or holds its statements itself."""
    return not (at.can(Capability.SINGLE_WRITER) or at.dialect.one_pass)


def function(
    at: Situation, name: Name, body: str, *, owner: str = "", declare: str = "", definer: bool = True
) -> tuple[str, ...]:
    """CREATE FUNCTION, owned by the table's owner, callable by nobody: a trigger needs no right to call it. Without `definer` it has the writer's
    rights, as one that looks at the written row alone should."""
    target = f"{at.dialect.quote_name(name)}()"
    declared = f"DECLARE\n{declare}\n" if declare else ""
    made = (
        f"CREATE FUNCTION {target} RETURNS trigger LANGUAGE plpgsql{' SECURITY DEFINER' if definer else ''} "
        f"SET search_path = {path(at, name)} AS {TAG}\n"
        f"{declared}BEGIN\n{body}\nEND\n{TAG}"
    )
    owned = (f"ALTER FUNCTION {target} OWNER TO {at.dialect.quote(owner)}",) if owner else ()
    return (made, f"REVOKE ALL ON FUNCTION {target} FROM PUBLIC", *owned)


def path(at: Situation, name: Name) -> str:
    """pg_catalog first, the session's temporary schema last: nobody can put an object of his own in front."""
    names = dict.fromkeys(("pg_catalog", *(at.catalog.search_path or (name.schema,)), name.schema, "pg_temp"))
    return ", ".join(at.dialect.quote(one) for one in names if one and not one.startswith("$"))


def refuse_hidden_rows(at: Situation, *tables: Table) -> None:
    """Raises RefusedError (DF-E654) where row-level security would hide rows even from their owner: the trigger would not see them."""
    for table in tables:
        if table.row_security and table.row_security_forced:
            raise RefusedError(
                "DF-E654",
                f"a trigger cannot see every row of {table.name.name}",
                where=str(at.statement.span),
                why="row-level security is forced there, so that it holds for the owner too, with whose rights the trigger looks",
                hint=f"ALTER TABLE {table.name.name} NO FORCE ROW LEVEL SECURITY, or a role with BYPASSRLS as its owner",
            )


def written_row(at: Situation, table: Table, which: str, columns: Collection[str] = ()) -> str:
    """NEW or OLD as a relation that goes by the table's name, so that expressions over its columns (over these) can be read from it. What they do not
    say the trigger does not name: a column that is dropped later would break every write."""
    own = at.dialect.quote(table.name.name)
    if has_functions(at):
        return f"(SELECT {which}.*) AS {own}"
    names = [one.name for one in table.columns if not columns or one.name in columns]
    listed = ", ".join(f"{which}.{at.dialect.quote(name)} AS {at.dialect.quote(name)}" for name in names)
    return f"(SELECT {listed}) AS {own}"


def can_refuse(at: Situation) -> bool:
    """Whether triggers of ours that refuse a row are proved on this server."""
    return at.can(Capability.NOT_VALID_CONSTRAINT) or at.can(Capability.SINGLE_WRITER)
